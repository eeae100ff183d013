"""Does a student know the chemistry of a library? A score and a reason for every molecule."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from molkd.embedding.encoders import KnowingEncoder
from molkd.errors import ConfigError
from molkd.library.table import Library, refuse_incomplete
from molkd.runtime import files
from molkd.runtime.processes import ordered_map
from molkd.students.familiarity import (
    STRANGE,
    UNTOLD,
    UNUSUAL,
    Environments,
    Familiarity,
    Known,
)

if TYPE_CHECKING:  # it loads torch
    from molkd.students import Student

SUFFIXES = (".csv", ".parquet")

_CHUNK = 1024
_SHOWN = 10


@dataclass(frozen=True, eq=False)
class Checked:
    """How familiar the molecules of a library are to a student.

    Attributes:
        library: the molecules.
        known: their scores, with reasons.
    """

    library: Library
    known: Known

    def write(self, path: str | Path) -> None:
        """Writes a row per molecule, in the library's order, as CSV or Parquet.

        Raises:
            ConfigError: the suffix is another one.
            OutputError: the file cannot be written.
        """
        path = Path(path)
        check_suffix(path)
        library, scores = self.library, self.known.scores
        table = pa.table(
            {
                "id": list(library.ids),
                "smiles": list(library.smiles),
                "familiarity": pa.array(scores, mask=~np.isfinite(scores)),
                "familiarity_reason": pa.array(self.known.reasons, pa.string()),
                "valid": library.valid,
                "error": pa.array(
                    [library.reasons.get(row) for row in range(len(library))], pa.string()
                ),
            }
        )
        with files.atomic_path(path) as temporary:
            write = pc.write_csv if path.suffix == ".csv" else pq.write_table
            write(table, temporary)

    def describe(self) -> str:
        """Returns what was found, in sentences."""
        scores = self.known.scores[np.isfinite(self.known.scores)]
        failed = len(self.library) - int(self.library.valid.sum())
        if not len(scores):
            if UNTOLD in self.known.reasons:
                return f"no score: {UNTOLD}"
            return f"{failed} molecules, none of which has an embedding"
        met = int((scores == 0).sum())
        strange = int((scores < STRANGE).sum()) - met
        unusual = int((scores < UNUSUAL).sum()) - met - strange
        lines = [
            (
                f"{len(scores)} molecules: {len(scores) - met - strange - unusual} familiar, "
                f"{unusual} unusual (below {UNUSUAL:g}), {strange} strange (below {STRANGE:g}), "
                f"{met} with something that the student never met (0)"
            ),
            f"median {np.median(scores):.2f}; a library like the distillation corpus has 0.5",
        ]
        never = Counter(why for why in self.known.reasons if why and why.startswith("never met"))
        lines += [f"  {count} {why}" for why, count in never.most_common(5)]
        if failed:
            lines.append(f"{failed} have no embedding, see the column 'error'")
        if UNTOLD in self.known.reasons:
            lines.append(f"no score of the others: {UNTOLD}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        order = np.argsort(self.known.scores, kind="stable")[:_SHOWN].tolist()
        rows = "".join(
            f"<tr><td>{html.escape(str(self.library.ids[row]))}</td>"
            f"<td>{html.escape(str(self.library.smiles[row]))}</td>"
            f"<td>{self.known.scores[row]:.3f}</td>"
            f"<td>{html.escape(self.known.reasons[row] or '')}</td></tr>"
            for row in order
        )
        head = "<tr><th>id</th><th>smiles</th><th>familiarity</th><th>reason</th></tr>"
        said = html.escape(self.describe()).replace("\n", "<br>")
        return f"<p>{said}</p><p>The strangest:</p><table>{head}{rows}</table>"


def check(library: Library, student: Student[Any, Any, Any], *, jobs: int = 1) -> Checked:
    """Scores how familiar every molecule is to the student that embedded it.

    Args:
        library: molecules with that student's embeddings.
        student: see `molkd.library.student_of`.
        jobs: processes.

    Raises:
        ConfigError: the student reads no molecules.
        CorruptFileError: what it keeps of its corpus is damaged.
    """
    if not isinstance(student, KnowingEncoder):
        raise ConfigError("familiarity is that of a student of molecules")
    refuse_incomplete(library, student.embedding_dim, "familiarity")
    knowing: Any = student
    read = partial(_read, knowing.featurize, type(knowing).graphs_of, knowing.familiarity)
    starts = range(0, len(library), _CHUNK)
    chunks = (_readable(library, start) for start in starts)
    scores: list[Any] = [np.empty(0)]
    reasons: list[str | None] = []
    jobs = jobs if len(starts) > 2 else 1
    for start, (prepared, environments) in zip(
        starts, ordered_map(read, chunks, jobs=jobs), strict=True
    ):
        known = knowing.known(prepared, library.values[start : start + _CHUNK], environments)
        scores.append(known.scores)
        reasons += known.reasons
    return Checked(library, Known(np.concatenate(scores), reasons))


def check_suffix(path: Path) -> None:
    """Refuses a file of another format before anything is computed.

    Raises:
        ConfigError: scores are written as CSV and Parquet alone.
    """
    if path.suffix not in SUFFIXES:
        raise ConfigError(f"{path}: scores are written as {' or '.join(SUFFIXES)}")


def _readable(library: Library, start: int) -> Sequence[str | None]:
    texts = library.smiles[start : start + _CHUNK]
    return [text if library.valid[start + row] else None for row, text in enumerate(texts)]


def _read(
    featurize: Any, graphs_of: Any, familiarity: Familiarity | None, smiles: Sequence[str | None]
) -> tuple[Any, Environments | None]:
    """Reads molecules, and their atom environments, in a worker process."""
    prepared = featurize(smiles)
    return prepared, familiarity and familiarity.environments(graphs_of(prepared))
