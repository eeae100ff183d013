"""How familiar molecules are to a student: one score from 0 to 1, with a reason in words.

Two questions are asked of a molecule: how many molecules of the distillation corpus share its atom
environments (circular substructures of radius up to 2), on average; and how near its embedding is
to those of the corpus. What molecules of the corpus itself answer, that were kept apart, makes the
score a share: about that part of the corpus is stranger. What it is worth was measured: see
docs/how-to/check.md.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from molkd.errors import CorruptFileError
from molkd.items.molecules import substructures
from molkd.items.molecules.bonded import Bonded
from molkd.items.molecules.graph import Graphs
from molkd.runtime.arrays import read_arrays
from molkd.types import Matrix, Rows

FILE = "familiarity.npz"
"""Beside a student; about 250 KB. A student without it lacks nothing else."""

UNTOLD = f"the student keeps no {FILE}: only elements, charges and sizes were looked at"
"""Why there is no score of a molecule whose elements, charges and size it knows."""

LEAST = 200
"""Molecules of a corpus below which nothing can be said."""

STRANGE, UNUSUAL = 0.05, 0.2
"""Scores below which a molecule is called so."""

_BUCKETS, _STEPS = 65_536, 12
_COMPONENTS, _PROTOTYPES, _NEAREST = 64, 2000, 5
_MOST_APART = 5000
_RARE = 1e-4
_AT_ONCE = 128
_BLOCK, _REACH = 2048, 8

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What a student says of how well it knows molecules.

    Attributes:
        scores: shape (n,), from 0, never met, to 1; NaN for items that could not be read.
        reasons: one per item, None where there is no score.
    """

    scores: Values
    reasons: Sequence[str | None]


@dataclass(frozen=True, slots=True, eq=False)
class Environments:
    """What of molecules' atom environments is asked for; all of shape (n,).

    Attributes:
        commonness: mean logarithm, base 2, of the share of the corpus that has an environment.
        rare: how many are in fewer than `_RARE` of the corpus.
        total: how many there are; 0 for an item that failed.
    """

    commonness: Values
    rare: Rows
    total: Rows

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Returns several parts, one after the other."""
        names = ("commonness", "rare", "total")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


_NOTHING = Environments(np.empty(0), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Familiarity:
    """What is kept of a corpus.

    Attributes:
        counts: shape (65536,), uint8: 12 log2(1 + molecules that have an environment of this hash).
        molecules: how many were counted.
        middle: shape (d,), of their embeddings.
        axes: shape (d, c): projects embeddings on principal components, standardised before.
        prototypes: shape (p, c), int8: directions of some of them there.
        reference: shape (2, 2): mean and standard deviation, of commonness and nearness.
        spread: standard deviation of the sum of both, standardised.
        student: digest of the student.
        reach: magnitude that few values of an embedding exceed; NaN in files of older versions.
    """

    counts: npt.NDArray[np.uint8]
    molecules: int
    middle: Matrix
    axes: Matrix
    prototypes: npt.NDArray[np.int8]
    reference: Values
    spread: float
    student: str
    reach: float = np.nan

    @classmethod
    def of(cls, graphs: Graphs, embeddings: Matrix, student: str, *, seed: int = 0) -> Self | None:
        """Learns from a corpus; None where it has fewer than `LEAST` molecules.

        Args:
            graphs: n molecules.
            embeddings: shape (n, d), the student's; NaN rows are left out.
            student: its digest.
            seed: of what is kept apart, and of the prototypes.
        """
        there = np.flatnonzero(np.isfinite(embeddings).all(axis=1))
        if len(there) < LEAST:
            return None
        rows = np.random.default_rng(seed).permutation(there)
        apart = rows[: min(_MOST_APART, len(rows) // 10)]
        counted = rows[len(apart) :]
        counts = _counted(graphs.select(counted))
        middle, axes, reach = _axes(embeddings[counted].astype(np.float64))
        near = _directions(embeddings[counted[:_PROTOTYPES]], middle, axes)
        made = cls(
            counts=np.minimum(np.rint(np.log2(counts + 1) * _STEPS), 255).astype(np.uint8),
            molecules=len(counted),
            middle=middle,
            axes=axes,
            prototypes=np.rint(near * 127).astype(np.int8),
            reference=np.array([[0.0, 1.0], [0.0, 1.0]]),
            spread=1.0,
            student=student,
            reach=reach,
        )
        commonness = made.environments(graphs.select(apart)).commonness
        found = np.stack([commonness, made.nearness(embeddings[apart])])
        reference = np.stack([found.mean(axis=1), np.maximum(found.std(axis=1), 1e-6)], axis=1)
        both = ((found - reference[:, :1]) / reference[:, 1:]).sum(axis=0)
        return replace(made, reference=reference, spread=max(float(both.std()), 1e-6))

    def environments(self, graphs: Graphs) -> Environments:
        """Asks for the atom environments of molecules."""
        shares = (np.exp2(self.counts / _STEPS) - 0.5) / self.molecules
        logs, seldom = np.log2(shares), shares < _RARE
        parts: list[Environments] = []
        for start in range(0, len(graphs), _AT_ONCE):
            some = graphs.select(np.arange(start, min(start + _AT_ONCE, len(graphs))))
            owners, buckets = _environments(some)
            total = np.bincount(owners, minlength=len(some))
            commonness = np.bincount(owners, logs[buckets], minlength=len(some))
            rare = np.bincount(owners[seldom[buckets]], minlength=len(some))
            parts.append(Environments(commonness / np.maximum(total, 1), rare, total))
        return Environments.concatenate(parts) if parts else _NOTHING

    def nearness(self, embeddings: Matrix) -> Values:
        """Returns the mean cosine to the nearest prototypes, shape (n,); NaN of NaN."""
        found = np.full(len(embeddings), np.nan)
        prototypes = self.prototypes.astype(np.float32) / 127
        nearest = min(_NEAREST, len(prototypes))
        for start in range(0, len(embeddings), _BLOCK):
            rows = slice(start, start + _BLOCK)
            cosines = _directions(embeddings[rows], self.middle, self.axes) @ prototypes.T
            found[rows] = np.partition(cosines, -nearest, axis=1)[:, -nearest:].mean(axis=1)
        return found

    def known(
        self,
        environments: Environments,
        embeddings: Matrix,
        outside: Mapping[int, tuple[str, ...]],
    ) -> Known:
        """Returns the scores of molecules, with reasons.

        Args:
            environments: of n molecules.
            embeddings: shape (n, d), of the same.
            outside: row -> elements, charges and sizes that the student never met: its score is 0.
        """
        from scipy.special import ndtr  # a student that only embeds needs no SciPy

        both = np.stack([environments.commonness, self.nearness(embeddings)])
        standard = (both - self.reference[:, :1]) / self.reference[:, 1:]
        scores = ndtr(standard.sum(axis=0) / self.spread)
        scores[list(outside)] = np.where(np.isfinite(scores[list(outside)]), 0.0, np.nan)
        shares = 100 * ndtr(standard[1])
        reasons = [
            self._reason(float(score), int(rare), int(total), float(share), outside.get(row))
            for row, (score, rare, total, share) in enumerate(
                zip(scores, environments.rare, environments.total, shares, strict=True)
            )
        ]
        return Known(scores, reasons)

    def _reason(
        self, score: float, rare: int, total: int, share: float, outside: tuple[str, ...] | None
    ) -> str | None:
        if np.isnan(score):
            return None
        if outside is not None:
            return never_met(outside)
        word = "strange" if score < STRANGE else "unusual" if score < UNUSUAL else "familiar"
        return (
            f"{word}: {rare} of {total} atom environments are in fewer than 1 of "
            f"{round(1 / _RARE):,} molecules of the corpus; "
            f"embedding nearer to it than {share:.0f} % of it"
        )

    def as_bytes(self) -> bytes:
        """Returns it as files hold it."""
        stream = io.BytesIO()
        np.savez_compressed(
            stream,
            counts=self.counts,
            molecules=self.molecules,
            middle=self.middle.astype(np.float16),
            axes=self.axes.astype(np.float16),
            prototypes=self.prototypes,
            reference=self.reference,
            spread=self.spread,
            student=np.array(self.student),
            reach=self.reach,
        )
        return stream.getvalue()

    @classmethod
    def read(cls, path: Path, student: str) -> Self:
        """Reads what `as_bytes` wrote for a student of this digest.

        Raises:
            CorruptFileError: it is damaged, or was made for another student.
        """
        arrays = read_arrays(path)
        try:
            width, depth = arrays["axes"].shape
            made = cls(
                counts=arrays["counts"].astype(np.uint8),
                molecules=int(arrays["molecules"]),
                middle=arrays["middle"].astype(np.float32).reshape(width),
                axes=arrays["axes"].astype(np.float32),
                prototypes=arrays["prototypes"].astype(np.int8).reshape(-1, depth),
                reference=arrays["reference"].astype(np.float64).reshape(2, 2),
                spread=float(arrays["spread"]),
                student=str(arrays["student"]),
                reach=float(arrays.get("reach", np.nan)),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise CorruptFileError(f"{path} says nothing of a corpus: {error}") from error
        if made.student != student or made.counts.shape != (_BUCKETS,) or made.molecules < 1:
            raise CorruptFileError(f"{path} belongs to another student: copy the folder again")
        return made


def never_met(what: Sequence[str]) -> str:
    """Returns the reason of what lies outside a corpus."""
    return f"never met: {', '.join(what)}"


def _environments(graphs: Graphs) -> tuple[Rows, Rows]:
    """The molecule of each atom environment, and its bucket."""
    atoms, hashes = substructures.circular(Bonded.of(graphs))
    owners = np.repeat(np.arange(len(graphs)), graphs.sizes)
    return owners[atoms], (hashes % np.uint32(_BUCKETS)).astype(np.int64)


def _counted(graphs: Graphs) -> Rows:
    """Shape (65536,): how many molecules have an environment of each bucket."""
    counts = np.zeros(_BUCKETS, dtype=np.int64)
    for start in range(0, len(graphs), _AT_ONCE):
        owners, buckets = _environments(
            graphs.select(np.arange(start, min(start + _AT_ONCE, len(graphs))))
        )
        once = np.unique(owners * _BUCKETS + buckets)
        counts += np.bincount(once % _BUCKETS, minlength=_BUCKETS)
    return counts


def _axes(embeddings: Values) -> tuple[Matrix, Matrix, float]:
    """The middle of embeddings, what projects on components of the standardised ones, the reach."""
    middle, sd = embeddings.mean(axis=0), np.maximum(embeddings.std(axis=0), 1e-9)
    scaled = (embeddings - middle) / sd
    components = np.linalg.eigh(scaled.T @ scaled)[1][:, ::-1][:, :_COMPONENTS]
    axes = components / sd[:, np.newaxis]
    reach = float(np.max(np.abs(middle) + _REACH * sd))  # see docs/how-to/embed.md
    # In the precision of a file, so that reading one changes no score:
    middle, axes = (one.astype(np.float16).astype(np.float32) for one in (middle, axes))
    return middle, axes, reach


def _directions(embeddings: Matrix, middle: Matrix, axes: Matrix) -> Matrix:
    """Shape (n, c), of length 1."""
    projected = (embeddings - middle) @ axes
    return projected / np.maximum(np.linalg.norm(projected, axis=1, keepdims=True), 1e-9)
