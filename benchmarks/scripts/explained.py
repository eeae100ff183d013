"""Measures how much of what its teachers say a student explains, on molecules of tasks.

    python -m molkd.benchmarks.scripts.explained runs/bank molkd-base -o components.parquet

Of all teachers of a bank side by side, principal components are fitted on the bank's molecules,
each teacher with the same total variance. The file holds them for the tasks' molecules, so that
`molkd bench quality -e teachers=file:components.parquet` compares what a student could be with
what it is. The table is the R2 of a linear map from a student's embedding to these components: the
share of their variance that it explains. No label is read.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from molkd.bank import Bank
from molkd.benchmarks import embedders
from molkd.benchmarks import tasks as registry
from molkd.benchmarks.embedders import Embedder, store
from molkd.errors import MolkdError
from molkd.formats import WRITERS
from molkd.formats.encodings import Encoding
from molkd.formats.writers.table import EmbeddedChunk, Result
from molkd.information.estimate import linear_r2
from molkd.runtime import files
from molkd.targets.joint import JointReader, fit_joint
from molkd.types import Embeddings, Matrix, Rows

FITTED_ON = 20_000
"""Molecules of the bank that a linear map is fitted on, at most, at even distances."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Shares of the components' variance on the tasks' molecules, by a linear map.

    Attributes:
        corpus: fitted on molecules of the bank.
        others: fitted on every other one of the tasks' molecules, read on the rest.
    """

    corpus: float
    others: float


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Molecules with what the teachers say of them.

    Attributes:
        items: SMILES.
        components: shape (n, q), each as long as its variance is large; NaN where a teacher failed.
    """

    items: Sequence[str]
    components: Matrix


@dataclass(frozen=True, slots=True)
class Cached:
    """Embeds through the stores of a cache."""

    folder: Path
    jobs: int

    def embed(self, embedder: Embedder, items: Sequence[str]) -> Embeddings:
        """Returns the embeddings of items, each computed once for ever."""
        embedder.fill(items, cache=self.folder, jobs=self.jobs, progress=True)
        return store.read(self.folder, embedder.digests, items)


def components_of(
    bank: Bank, items: Sequence[str], cached: Cached, *, count: int, weights_dir: Path | None = None
) -> tuple[JointReader, Matrix]:
    """Fits components on a bank's molecules and returns them for others.

    Args:
        bank: holds the teachers.
        items: n SMILES.
        cached: computes what the teachers say of these.
        count: components.
        weights_dir: of pretrained teachers.

    Returns:
        What reads the bank, and shape (n, q), variance 1 over the bank; NaN where a teacher failed.
    """
    reader = fit_joint(bank, list(bank.cards), np.arange(len(bank)), count)
    values = {
        name: cached.embed(embedders.make(name, weights_dir=weights_dir), items).values
        for name in bank.cards
    }
    return reader, reader.components(values)


def explained(student: Embedder, corpus: Part, tasks: Part, cached: Cached) -> Explained:
    """Returns what a student explains linearly."""
    (z, t), (z_tasks, t_tasks) = (_complete(student, part, cached) for part in (corpus, tasks))
    half = np.arange(len(z_tasks)) % 2 == 0
    return Explained(
        corpus=linear_r2(*_scaled(z, z_tasks, t, t_tasks)),
        others=linear_r2(*_scaled(z_tasks[half], z_tasks[~half], t_tasks[half], t_tasks[~half])),
    )


def write(path: Path, tasks: Part) -> None:
    """Writes components as a file of embeddings."""
    there = np.asarray(np.isfinite(tasks.components).all(axis=1))
    ids = [str(row) for row in range(len(tasks.items))]
    reasons = [None if known else "a teacher failed on it" for known in there.tolist()]
    chunk = EmbeddedChunk(ids, list(tasks.items), reasons, tasks.components)
    result = Result(
        rows=len(ids),
        column="smiles",
        encoding=Encoding("float32", tasks.components.shape[1]),
        metadata={},
        chunks=[chunk],
    )
    with files.atomic_path(path) as temporary:
        WRITERS["parquet"](temporary, result, final=path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the components and prints a row per student."""
    parser = argparse.ArgumentParser(description="What students explain of their teachers.")
    parser.add_argument("bank", type=Path, help="folder of the teachers' embeddings of the corpus")
    parser.add_argument("students", nargs="*", help="folders or names")
    parser.add_argument("-o", "--output", type=Path, help="file of the components, .parquet")
    parser.add_argument("--tasks", default="tdc-admet,moleculeace")
    parser.add_argument("--components", type=int, default=512)
    parser.add_argument("--data", type=Path, help="folder of benchmark data")
    parser.add_argument("--cache", type=Path, help="folder of embeddings")
    parser.add_argument("--weights-dir", type=Path, help="folder of pretrained weights")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args(arguments)
    try:
        _report(options)
    except MolkdError as error:
        parser.error(str(error))


def _report(options: argparse.Namespace) -> None:
    bank = Bank.open(options.bank)
    cached = Cached(store.cache_dir(options.cache), options.jobs)
    items = _molecules(options.tasks.split(","), options.data)
    reader, found = components_of(
        bank, items, cached, count=options.components, weights_dir=options.weights_dir
    )
    if options.output:
        write(options.output, Part(items, found))
    tasks = Part(items, found * reader.sds.astype(np.float32))
    corpus = _corpus(bank, reader)
    print(f"{len(items)} molecules of {options.tasks}, {found.shape[1]} components")
    print(f"{'student':30s}{'from the corpus':>18s}{'from the others':>18s}")
    for name in options.students:
        shares = explained(embedders.make(f"molkd:{name}"), corpus, tasks, cached)
        print(f"{name:30s}{shares.corpus:18.3f}{shares.others:18.3f}", flush=True)


def _molecules(names: Sequence[str], data: Path | None) -> list[str]:
    """SMILES of tasks, each once."""
    present, _ = registry.present(names, data=data)
    tasks = registry.load(present, data=data)
    return list(dict.fromkeys(str(item) for task in tasks for item in task.items))


def _corpus(bank: Bank, reader: JointReader) -> Part:
    rows: Rows = np.linspace(0, len(bank) - 1, min(len(bank), FITTED_ON)).astype(np.int64)
    targets = reader.targets(rows)
    ((values, present),) = (
        (targets.values[name].numpy(), targets.present[name].numpy()) for name in reader.specs
    )
    kept = rows[present]
    items = [bank.items[int(row)] for row in kept]
    return Part(items, values[present] * reader.sds.astype(np.float32))


def _complete(student: Embedder, part: Part, cached: Cached) -> tuple[Matrix, Matrix]:
    """Embeddings and components of the molecules that have both."""
    values = cached.embed(student, part.items).values
    both = np.isfinite(values).all(axis=1) & np.isfinite(part.components).all(axis=1)
    return values[both], part.components[both]


def _scaled(
    z: Matrix, z_valid: Matrix, t: Matrix, t_valid: Matrix
) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    """Embeddings standardised by those to fit on, in the order that `linear_r2` asks for."""
    mean, sd = z.mean(axis=0), z.std(axis=0)
    sd[sd == 0] = 1
    return (z - mean) / sd, t, (z_valid - mean) / sd, t_valid


if __name__ == "__main__":
    main()
