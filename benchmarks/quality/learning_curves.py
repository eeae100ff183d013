"""Learning curves: few labelled rows, drawn from all that are not for test.

Who has N labels has no others to choose settings by. So the N rows are cut into `FOLDS` parts; for
each of them the probe is fitted on the others and chosen on this one, and what the fitted probes
predict is averaged: a committee of cross-validation (Krogh and Vedelsby 1995, "Neural network
ensembles, cross validation, and active learning", NIPS 7). Every label serves to fit and to choose,
none of them both at once, and no probe needs another rule than that of all benchmarks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from molkd.benchmarks.tasks.kinds import KINDS, Kind
from molkd.benchmarks.tasks.task import Labels
from molkd.errors import ConfigError
from molkd.types import Rows

FOLDS = 5
"""Parts that choose, each for the others."""

LEAST = 10
"""Labelled rows below which there is no curve: two in each part."""

LEAST_OF_CLASS = 2
"""Rows of both classes that every draw holds: one to fit where the other one chooses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningCurve:
    """What is asked of few labels.

    Attributes:
        labelled: numbers of labelled rows; kept ascending, each once.
        draws: seeds, one per draw.

    Raises:
        ConfigError: there is no draw, or a number is below `LEAST`.
    """

    labelled: tuple[int, ...]
    draws: Sequence[int]

    def __post_init__(self) -> None:
        few = [count for count in self.labelled if count < LEAST]
        if few:
            raise ConfigError(f"{few[0]} labelled rows are too few: give at least {LEAST}")
        if not self.draws:
            raise ConfigError("draws must be at least 1")
        object.__setattr__(self, "labelled", tuple(sorted(set(self.labelled))))

    def rows(self, y: Labels, pool: Rows, kind: Kind) -> Iterator[tuple[int, int, Rows]]:
        """Yields draw, number and rows of every labelled part that can be drawn.

        Within a draw the smaller parts are beginnings of the larger ones.

        Args:
            y: shape (n,), labels of all rows of the task.
            pool: rows to draw from.
            kind: of the task.
        """
        for draw in self.draws:
            order = shuffled(y, pool, kind, self.labelled[0], seed=draw)
            for count in self.labelled:
                if count <= len(order):
                    yield draw, count, order[:count]


def shuffled(y: Labels, pool: Rows, kind: Kind, first: int, *, seed: int) -> Rows:
    """Returns the pool in the order in which rows are labelled.

    The order is random; of two classes, each has `LEAST_OF_CLASS` among the first `first` rows at
    least: where it has fewer, its next ones change places with the last there of the other class.
    Rows that are added to the pool or leave it do not change the order of the others.

    Args:
        y: shape (n,), labels of all rows of the task.
        pool: rows to draw from.
        kind: of the task.
        first: the smallest labelled part.
        seed: of the draw.
    """
    order = np.random.default_rng(seed).permutation(len(y))
    order = order[np.isin(order, pool)]
    if KINDS[kind].classes != 2:
        return order
    for label in (0, 1):
        here = np.flatnonzero(y[order] == label)
        coming = here[here >= first][: max(0, LEAST_OF_CLASS - int((here < first).sum()))]
        if len(coming):
            going = np.flatnonzero(y[order[:first]] != label)[-len(coming) :]
            order[going], order[coming] = order[coming], order[going]
    return order


def folds(y: Labels, rows: Rows, kind: Kind) -> tuple[Rows, ...]:
    """Cuts labelled rows into parts with labels as alike as can be; each chooses for the others.

    Rows are dealt out in the order of their labels. A part is left out where the others could not
    be fitted without it, for their labels are all equal, or where it could not choose, for they
    hold none of its classes.

    Args:
        y: shape (n,), labels of all rows of the task.
        rows: the labelled ones.
        kind: of the task.

    Returns:
        Up to `FOLDS` parts, ascending; none where all are left out.
    """
    dealt = rows[np.argsort(y[rows], kind="stable")]
    parts = [np.sort(dealt[start::FOLDS]) for start in range(FOLDS)]
    return tuple(part for part in parts if _serves(y, np.setdiff1d(rows, part), part, kind))


def _serves(y: Labels, others: Rows, part: Rows, kind: Kind) -> bool:
    varies = y[others].min() < y[others].max()
    known = kind == "regression" or bool(np.isin(y[part], y[others]).any())
    return bool(varies) and known
