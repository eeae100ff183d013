"""Counts how often the fast path differs from the plain one, from SMILES to embedding.

    python -m molkd.benchmarks.scripts.equality --from FILE --count 50000 --model molkd-small

Molecules are drawn from the file; of some another text is made by changing a character, which is
often none that can be read, and `ODD` ones stand between them. It ends with an error where

- an integer or a reason is not that of `molkd.items.molecules.plain`, which reads one molecule;
- an embedding lies further than `--tolerance` from that of the molecule alone, read so;
- an embedding lies further from that of a processor that knows less (`--processors`).
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem

import molkd
from molkd.benchmarks.quality import leakage
from molkd.errors import ConfigError, MolkdError
from molkd.items.molecules import chem, counts, graph, plain
from molkd.items.molecules.counts import CountedGraphs
from molkd.items.molecules.graph import Graphs
from molkd.students import shipped
from molkd.types import Embeddings, Matrix

ODD = (
    "C",
    "[H][H]",
    "[He]",
    "*CC",
    "[NH3]->[Fe]",
    "[Fe]~C",
    "[#6]~[#7]",
    "[CH2]C",
    "[2H]C([2H])([2H])O",
    "[2H]<-[OH2]",
    "C[C@H]([2H])O",
    "C[C@H]1CC[C@@H](C)CC1",
    "O[C@H]1[C@H](O)[C@@H](O)[C@H](O)[C@H](O)[C@@H]1O",
    "C12C3C4C1C5C2C3C45",
    "FC(F)(F)C1=CC=C(C=C1)[C@@](C)(F)Cl |&1:10|",
    "N[Pt@SP1](N)(Cl)Cl",
    "[Og]",
    ".".join(["C[C@H](F)Cl"] * 50),
    "C" * 300,
    "C" * 1000,
    "C" * 1001,
    "C1" + "C" * 30 + "1",
    "",
    "xx",
    "c1cccc1",
    "C(C)(C)(C)(C)C",
    "CCO ethanol",
)
"""Texts of compounds that are read in another way than most, and of none."""

_ALPHABET = "CNOcnos()[]=#@+-123/\\.%HF"
_EVERY = 10
"""Of one molecule in so many another text is made."""

_CHUNK = 2048
_MODULE = "molkd.benchmarks.scripts.equality"
_PROCESSORS: Mapping[str, Mapping[str, str]] = {
    "default": {
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    },
    "avx2": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    },
}
"""What keeps PyTorch and its libraries from using more of a processor than such a one has."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What was found.

    Attributes:
        texts: how many were compared.
        unread: how many of them cannot be read, with the same reason both ways.
        differing: texts of which an integer or the reason differs.
        largest: largest absolute difference of any dimension of an embedding.
        worst: the text that has it.
    """

    texts: int
    unread: int
    differing: tuple[str, ...]
    largest: float
    worst: str


def with_odd(smiles: Sequence[str], seed: int) -> list[str]:
    """Returns texts with changed ones between them, and `ODD` ones at the end of each thousand."""
    draw = np.random.default_rng(seed)
    texts: list[str] = []
    for row, text in enumerate(smiles):
        texts.append(text)
        if row % _EVERY == 0:
            texts.append(_changed(text, draw))
        if row % 1000 == 0:
            texts.extend(ODD)
    return texts


def _changed(text: str, draw: np.random.Generator) -> str:
    """The text without a character, with one more, or with another one."""
    place = int(draw.integers(len(text)))
    new = _ALPHABET[int(draw.integers(len(_ALPHABET)))]
    kept = int(draw.integers(2))
    return text[:place] + new * int(draw.integers(2) or kept) + text[place + 1 - kept :]


def reference(texts: Sequence[object]) -> Graphs:
    """Reads texts one by one, as slowly as `plain` says."""
    mols: list[Chem.Mol] = []
    failures: dict[int, str] = {}
    for row, text in enumerate(texts):
        try:
            mols.append(chem.parse(text))
        except chem.InvalidMoleculeError as error:
            failures[row] = str(error)
            mols.append(Chem.Mol())
    graphs = plain.read(mols)
    every = dict(sorted((*graphs.failures.items(), *failures.items())))
    return dataclasses.replace(graphs, failures=every)


def differing(one: Graphs, other: Graphs) -> list[int]:
    """Returns the rows in which two readings of the same texts are not the same."""
    return [row for row in range(len(one)) if _row(one, row) != _row(other, row)]


def _row(graphs: Graphs, row: int) -> tuple[object, ...]:
    atoms = slice(graphs.atom_starts[row], graphs.atom_starts[row + 1])
    bonds = slice(graphs.bond_starts[row], graphs.bond_starts[row + 1])
    parts = (graphs.atoms[atoms], graphs.bonds[bonds], graphs.ends[bonds])
    return (*(part.tobytes() for part in parts), graphs.failures.get(row))


def compare(student: Any | None, texts: Sequence[str]) -> Compared:
    """Reads and embeds texts both ways.

    Args:
        student: reads SMILES; None compares integers and reasons alone.
        texts: valid or not.
    """
    unread, found = 0, list[str]()
    distances = [np.zeros(0, dtype=np.float32)]
    for start in range(0, len(texts), _CHUNK):
        chunk = texts[start : start + _CHUNK]
        slow = reference(chunk)
        prepared = graph.featurize(chunk) if student is None else student.featurize(chunk)
        fast = prepared.graphs if isinstance(prepared, CountedGraphs) else prepared
        found += [chunk[row] for row in differing(fast, slow)]
        unread += len(slow.failures)
        if student is not None:
            counting = isinstance(prepared, CountedGraphs)
            alone = counts.counted(slow, prepared.blocks) if counting else slow
            distances.append(apart(student.encode(prepared), student.encode(alone, batch_size=1)))
    every = np.concatenate(distances)
    worst = int(every.argmax()) if len(every) else 0
    largest = float(every[worst]) if len(every) else 0.0
    return Compared(len(texts), unread, tuple(found), largest, texts[worst])


def apart(one: Embeddings, other: Embeddings) -> Matrix:
    """Shape (n,): largest difference of each row; infinite where one alone has failed."""
    both = one.valid & other.valid
    distances = np.where(one.valid == other.valid, 0, np.inf).astype(np.float32)
    distances[both] = np.abs(one.values[both] - other.values[both]).max(axis=1)
    return distances


def on_processor(name: str, model: str, texts: Sequence[str]) -> Matrix:
    """Embeds texts in a process that takes its processor for an older one.

    Args:
        name: a key of `_PROCESSORS`.
        model: name or folder of a student.
        texts: of one line each.

    Returns:
        Shape (n, d); NaN rows of texts that cannot be read.

    Raises:
        ConfigError: the process has failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "texts.txt", Path(folder) / "values.npy"
        source.write_text("\n".join(texts), encoding="utf-8")
        command = [sys.executable, "-m", _MODULE, "--embed", str(source), str(target), model]
        done = subprocess.run(
            command,
            env={**os.environ, **_PROCESSORS[name]},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ConfigError(f"embedding on {name!r} failed: {done.stderr.strip()[-500:]}")
        return np.load(target)


def _embedded(source: str, target: str, model: str) -> None:
    """What `on_processor` runs."""
    texts = Path(source).read_text(encoding="utf-8").split("\n")
    np.save(target, molkd.load(model).embed(texts).values)


def _said(options: argparse.Namespace, texts: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yields what was found, in words, and whether it is right."""
    named = options.model != "none"
    student = molkd.load(options.model) if named else None
    found = compare(student, texts)
    first = f": {', '.join(found.differing[:5])}" if found.differing else ""
    counted = f"{found.texts} texts ({found.unread} cannot be read)"
    words = f"{counted}: {len(found.differing)} have other integers or reasons{first}"
    yield words, not found.differing
    if student is None:
        return
    yield (
        f"embeddings together and alone: {found.largest:.1e} apart at most ({found.worst[:80]})",
        found.largest <= options.tolerance,
    )
    here = student.embed(texts)
    for name in options.processors:
        there = Embeddings(on_processor(name, options.model, texts), here.failures)
        largest = float(apart(here, there).max(initial=0))
        yield f"embeddings here and on {name}: {largest:.1e} apart", largest <= options.tolerance


def main(arguments: Sequence[str] | None = None) -> None:
    """Draws, compares, and says what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--from", dest="source", type=Path)
    parser.add_argument("--count", type=int, help="molecules to draw; all where it is not given")
    parser.add_argument("--model", default=shipped.DEFAULT, help="'none' compares integers alone")
    parser.add_argument("--processors", nargs="*", choices=[*_PROCESSORS], default=[*_PROCESSORS])
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--embed", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.embed:
        _embedded(*options.embed)
        return
    try:
        smiles = list(leakage.molecules(options.source)) if options.source else []
        order = np.random.default_rng(options.seed).permutation(len(smiles))[: options.count]
        texts = with_odd([smiles[row] for row in order.tolist()], options.seed) or [*ODD]
        right = True
        for words, holds in _said(options, texts):
            print(words, flush=True)
            right &= holds
    except MolkdError as error:
        parser.error(str(error))
    if not right:
        parser.exit(1)


if __name__ == "__main__":
    main()
