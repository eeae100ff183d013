"""The library of the endurance run: molecules in changed order of atoms, some of them damaged."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow.parquet as pq
from rdkit import Chem, rdBase

from molkd.benchmarks.quality import leakage
from molkd.errors import InputError
from molkd.runtime import files
from molkd.runtime.processes import ordered_map

DAMAGED = 0.01
"""Share of the rows that are damaged."""

_BLOCK = 5000
_LARGEST_SEED = 2**31

Draw = np.random.Generator


def _inserted(what: bytes) -> Callable[[bytes, Draw], bytes]:
    def insert(text: bytes, draw: Draw) -> bytes:
        place = int(draw.integers(len(text) + 1))
        return text[:place] + what + text[place:]

    return insert


DAMAGES: Mapping[str, Callable[[bytes, Draw], bytes]] = {
    "cut": lambda text, draw: text[: int(draw.integers(1, len(text) + 1))],
    "a branch left open": _inserted(b"("),
    "an element that is none": _inserted(b"[Xq]"),
    "a byte that is no UTF-8": _inserted(b"\xff"),
    "a ring left open": lambda text, _: text + b"C%98",
    "a carbon of six bonds": lambda text, _: text + b"C(C)(C)(C)(C)C",
}
"""Ways to damage a SMILES; what is cut can be read now and then."""


@dataclass(frozen=True, slots=True)
class Library:
    """A file of SMILES and identifiers, and which of its rows cannot be read.

    Attributes:
        path: the file.
        rows: how many it has.
        damaged: those that were damaged.
        refused: those of them that RDKit cannot read, and undamaged ones that it could not.
    """

    path: Path
    rows: int
    damaged: int
    refused: frozenset[int]

    def lines(self) -> Iterator[bytes]:
        """Yields the SMILES of all rows."""
        with self.path.open("rb") as stream:
            for line in stream:
                yield line.split(b" ", 1)[0]


def name_of(row: int) -> str:
    """Returns the identifier of a row."""
    return f"row{row:010d}"


def make(path: Path, sources: Sequence[Path], *, rows: int, seed: int, jobs: int) -> Library:
    """Writes a library, or reads the one that is there.

    The molecules of all sources come in a random order, again and again until there are enough;
    the order of atoms is drawn for each row.

    Args:
        path: the file.
        sources: files of molecules.
        rows: how many the library has.
        seed: of all that is drawn.
        jobs: processes.

    Raises:
        InputError: the sources hold no molecules or cannot be read.
    """
    about = path.with_name(f"{path.name}.json")
    if not about.exists():
        texts = [text for source in sources for text in leakage.molecules(source)]
        if not texts:
            raise InputError(f"no molecules in {', '.join(map(str, sources))}")
        tasks = _tasks(texts, rows, seed)
        damaged, refused = 0, list[int]()
        with files.atomic_path(path) as temporary, temporary.open("wb") as stream:
            for lines, hurt, unread in ordered_map(_block, tasks, jobs=jobs):
                stream.write(lines)
                damaged += hurt
                refused += unread
        files.write_json(about, {"rows": rows, "damaged": damaged, "refused": refused})
    found = files.read_json(about)
    return Library(path, found["rows"], found["damaged"], frozenset(found["refused"]))


def _tasks(texts: Sequence[str], rows: int, seed: int) -> Iterator[tuple[int, int, list[str]]]:
    """Yields seed, first row and molecules of each block."""

    def drawn() -> Iterator[str]:
        for turn in itertools.count():
            order: list[int] = np.random.default_rng([seed, turn]).permutation(len(texts)).tolist()
            yield from (texts[place] for place in order)

    molecules = itertools.islice(drawn(), rows)
    for row0 in range(0, rows, _BLOCK):
        yield seed, row0, list(itertools.islice(molecules, _BLOCK))


def _block(task: tuple[int, int, list[str]]) -> tuple[bytes, int, list[int]]:
    """Returns the lines of a block, how many are damaged, and the rows that cannot be read."""
    seed, row0, texts = task
    draw = np.random.default_rng([seed, 0, row0])
    lines, damaged, refused = list[bytes](), 0, list[int]()
    ways = list(DAMAGES.values())
    with rdBase.BlockLogs():
        for row, text in enumerate(texts, row0):
            written = _reordered(text, int(draw.integers(_LARGEST_SEED)))
            line = (written or text).encode()
            hurt = draw.random() < DAMAGED
            if hurt:
                line = ways[int(draw.integers(len(ways)))](line, draw)
                damaged += 1
            if unreadable(line) if hurt else written is None:
                refused.append(row)
            lines.append(line + b" " + name_of(row).encode() + b"\n")
    return b"".join(lines), damaged, refused


def _reordered(text: str, seed: int) -> str | None:
    mol = _parsed(text)
    return None if mol is None else Chem.MolToRandomSmilesVect(mol, 1, seed)[0]


def _parsed(text: str) -> Chem.Mol | None:
    return cast("Chem.Mol | None", Chem.MolFromSmiles(text))


def unreadable(text: bytes) -> bool:
    """Whether RDKit makes nothing of a text."""
    try:
        return _parsed(text.decode()) is None
    except UnicodeDecodeError:
        return True


def checked(library: Library, paths: Sequence[Path]) -> dict[str, Any]:
    """Compares embeddings with the library row by row.

    Args:
        library: what was embedded.
        paths: all files of the output, in order.

    Returns:
        "rows"; "shifted", those of another identifier or SMILES than the row of the library;
        "invalid"; "reasons", those of them that say why; "refused" by RDKit; "embedded_though" it
        refused them; "refused_though" it did not when asked again, with their reasons counted.
    """
    counts: Counter[str] = Counter()
    why: Counter[str] = Counter()
    lines = library.lines()
    row = 0
    for path in paths:
        for name, smiles, error, empty in _rows(path):
            text = next(lines, b"")
            counts["shifted"] += name != name_of(row) or not _same(smiles, text)
            counts["invalid"] += empty
            counts["reasons"] += bool(error)
            counts["of_two_minds"] += empty != bool(error)
            counts["embedded_though"] += row in library.refused and not empty
            if empty and row not in library.refused and not unreadable(text):
                why[error.partition(":")[0]] += 1
            row += 1
    names = ("shifted", "invalid", "reasons", "of_two_minds", "embedded_though")
    return {
        "rows": row,
        "lost": library.rows - row,
        **{name: counts[name] for name in names},
        "damaged": library.damaged,
        "refused": len(library.refused),
        "refused_though": dict(why),
    }


def _rows(path: Path) -> Iterator[tuple[str, str | None, str, bool]]:
    with pq.ParquetFile(path) as stored:
        for group in range(stored.num_row_groups):
            table = stored.read_row_group(group)
            missing = table["embedding"].is_null().to_pylist()
            columns = [table[name].to_pylist() for name in ("id", "smiles", "error")]
            for name, smiles, error, empty in zip(*columns, missing, strict=True):
                yield name, smiles, error or "", empty


def _same(smiles: str | None, text: bytes) -> bool:
    return smiles == text.decode("utf-8", "backslashreplace")
