"""Does a student know the chemistry of a library? A score and a reason for every molecule."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from molkd.embedding.encoders import ChunkFeaturizer, KnowingEncoder
from molkd.errors import ConfigError
from molkd.formats.chunks import Chunk
from molkd.library.cards import Card, Section
from molkd.library.given import of
from molkd.library.makers import student_of
from molkd.library.results import ResultTable, shown
from molkd.library.table import Library, refuse_incomplete
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

_CHUNK = 1024
_SHOWN = 20


@dataclass(frozen=True, eq=False, repr=False)
class Checked(ResultTable):
    """How familiar the molecules of a library are to a student.

    Attributes:
        library: the molecules.
        known: their scores, with reasons.
    """

    library: Library
    known: Known

    title: ClassVar[str] = "How familiar molecules are"

    @cached_property
    def table(self) -> Any:
        """An Arrow table of all rows: id, smiles, familiarity, familiarity_reason, valid, error."""
        library, scores = self.library, self.known.scores
        errors = [library.reasons.get(row) for row in range(len(library))]
        return pa.table(
            {
                "id": pa.array(library.ids, pa.string()),
                "smiles": pa.array(library.smiles, pa.string()),
                "familiarity": pa.array(scores, mask=~np.isfinite(scores)),
                "familiarity_reason": pa.array(self.known.reasons, pa.string()),
                "valid": library.valid,
                "error": pa.array(errors, pa.string()),
            }
        )

    def __str__(self) -> str:
        return self.describe().partition("\n")[0]

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

    def sections(self, most: int) -> list[Section]:
        """Returns the strangest molecules."""
        order: list[int] = np.argsort(self.known.scores, kind="stable").tolist()
        cards = [
            Card(
                self.library.smiles[row],
                self.library.ids[row],
                (
                    ("familiarity", f"{self.known.scores[row]:.3f}"),
                    *((("", shown(why)),) if (why := self.known.reasons[row]) else ()),
                ),
            )
            for row in order[: min(most, _SHOWN)]
            if np.isfinite(self.known.scores[row])
        ]
        return [Section("The strangest", cards=tuple(cards))] if cards else []


def check(library: Any, student: Student[Any, Any, Any] | None = None, *, jobs: int = 1) -> Checked:
    """Scores how familiar every molecule is to the student that embedded it.

    Args:
        library: molecules with that student's embeddings, or what `molkd.library.of` takes.
        student: by default the one that the library names; see `molkd.library.student_of`.
        jobs: processes.

    Raises:
        ConfigError: the student reads no molecules.
        CorruptFileError: what it keeps of its corpus is damaged.
    """
    library = of(library)
    student = student or student_of(library)
    if not isinstance(student, KnowingEncoder):
        raise ConfigError("familiarity is that of a student of molecules")
    refuse_incomplete(library, student.embedding_dim, "familiarity")
    knowing: Any = student
    featurize = ChunkFeaturizer[Any](knowing.featurize, knowing.modality, library.standardize)
    read = partial(_read, featurize, type(knowing).graphs_of, knowing.familiarity)
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


def _readable(library: Library, start: int) -> Chunk:
    texts = library.smiles[start : start + _CHUNK]
    items = [text if library.valid[start + row] else None for row, text in enumerate(texts)]
    return Chunk(start, [None] * len(items), items)


def _read(
    featurize: ChunkFeaturizer[Any], graphs_of: Any, familiarity: Familiarity | None, chunk: Chunk
) -> tuple[Any, Environments | None]:
    """Reads molecules as they were embedded, and their atom environments, in a worker process."""
    prepared = featurize(chunk).packed
    return prepared, familiarity and familiarity.environments(graphs_of(prepared))
