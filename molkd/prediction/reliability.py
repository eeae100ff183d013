"""How reliable a prediction is: the share of measured compounds that were expected to err more.

The expected error of a value is its `difficulty`; that of a probability p is p (1 - p), its
squared error if p is right. They are ranked among those of the compounds that were measured, as
they were while their scaffold was held out: 0.1 means that nine in ten were expected to be nearer.
Expected errors of values that n compounds cannot tell apart count as equal: a mean of n errors is
uncertain by about one part in the root of n. So a table that is too small gives about one half.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from molkd.benchmarks.tasks.task import Labels
from molkd.prediction import difficulty
from molkd.prediction.difficulty import Difficulty
from molkd.prediction.spaces import CountSpace, Space, space_of
from molkd.prediction.validation import HeldOut
from molkd.types import Mask, Matrix

LOW = 0.2
"""A score below which there is a reason."""

FAR = "far from all measured compounds"
BADLY = "the measured compounds nearest to it were predicted badly while they were held out"
SUCH = "compounds with such a predicted value were farther off while they were held out"
EVEN = "its probability is nearer to one half than most"


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedErrors:
    """How far off predictions of numbers are expected to be, in units of the mean error.

    Attributes:
        space: where distances are measured.
        difficulty: what expects errors.
        held_out: shape (r, n), difficulties of the measured compounds while they were held out.
        judging: shape (r, f, n), those by which each fold is judged; see `difficulty.judging`.
    """

    space: Space | CountSpace
    difficulty: Difficulty
    held_out: Labels
    judging: Labels

    def scores(self, expected: Labels) -> Labels:
        """Returns scores of expected errors."""
        return scores(expected, self.held_out, apart=1 + self.held_out.shape[1] ** -0.5)

    def of(self, x: Matrix, predicted: Labels) -> tuple[Labels, Labels]:
        """Returns difficulties and their parts; of rows (m, d) that the model reads.

        What lies beyond all measured compounds is as hard as the hardest of them at least: of its
        kind no error was seen.
        """
        places = self.space.of(x)
        expected, parts = self.difficulty.of(places, predicted)
        if np.isfinite(self.space.beyond) and len(places):
            known = self.difficulty.known.places
            alone = self.difficulty.nearest(known, places, 1)[0][:, 0] > self.space.beyond
            expected[alone] = np.maximum(expected[alone], self.held_out.max())
            parts[alone] = (1.0, 0.0, 0.0, 0.0)
        return expected, parts


def learn(x: Matrix, y: Labels, held_out: HeldOut, *, counted: int = 0) -> ExpectedErrors:
    """Learns from the errors of held-out compounds, of the rows that the model reads.

    Args:
        x: shape (n, d), finite.
        y: shape (n,), numbers.
        held_out: what was predicted of them, by repeat.
        counted: see `spaces.space_of`.
    """
    space = space_of(x, counted)
    places = space.of(x)
    return ExpectedErrors(
        space,
        difficulty.fit(space.nearest, places, y, held_out),
        difficulty.crossed(space.nearest, places, y, held_out),
        difficulty.judging(space.nearest, places, y, held_out),
    )


def uncertain(probability: Labels) -> Labels:
    """Returns the squared error that a probability expects of itself."""
    return probability * (1 - probability)


def scores(expected: Labels, known: Labels, *, apart: float = 1.0) -> Labels:
    """Returns the share of known expected errors that are larger; of equal ones half count.

    Args:
        expected: shape (m,), NaN where nothing is predicted.
        known: shape (r, n), those of the measured compounds while they were held out.
        apart: what one must be of another to be larger.
    """
    ordered = np.sort(known, axis=None)
    smaller = np.searchsorted(ordered, expected / apart, side="left")
    upto = np.searchsorted(ordered, expected * apart, side="right")
    found = 1 - (smaller + upto) / (2 * len(ordered))
    return np.where(np.isfinite(expected), found, np.nan)


def reasons(found: Labels, parts: Labels | None) -> Mapping[int, str]:
    """Returns row -> why its score is low.

    Args:
        found: shape (m,), scores.
        parts: shape (m, 4), see `Difficulty.of`; None for probabilities.
    """
    low = np.flatnonzero(found < LOW).tolist()
    if parts is None:
        return dict.fromkeys(low, EVEN)
    grouped = np.column_stack([parts[:, :2], parts[:, 2:].sum(axis=1)])
    largest, words = grouped.argmax(axis=1), (FAR, BADLY, SUCH)
    return {row: words[largest[row]] for row in low if grouped[row, largest[row]] > 0}


def lowest(found: Labels, share: float) -> Mask:
    """Returns the rows with the lowest scores, shape (n,): a share of all, and one at least."""
    rows = np.argsort(found, kind="stable")[: max(round(share * len(found)), 1)]
    return np.isin(np.arange(len(found)), rows)


def excess(found: Labels, errors: Labels, share: float) -> float:
    """Returns the mean error of the rows with the lowest scores, over that of the others.

    Args:
        found: shape (n,), scores.
        errors: shape (n,), absolute or squared.
        share: of the rows that counts as the lowest.
    """
    low = lowest(found, share)
    return float(errors[low].mean() / errors[~low].mean())
