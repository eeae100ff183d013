"""How far off a prediction is likely to be, learnt from the errors of cross-validation.

The difficulty of a molecule is its expected absolute error in units of the mean one: exp(w . f) of
four facts f, which are how far its nearest measured compounds are, how far off these were while
they were held out, and the prediction itself with its square. A quasi-Poisson regression finds w:
its mean is the expected error whatever the errors' shape, and it takes errors of zero. Weights are
shrunk as if `ALIKE` more compounds had shown no relation, so that a small table makes all alike.

Facts of a compound are those of the compounds of other folds, as its prediction was, and its
difficulty is that of weights which were fitted without its fold (`crossed`). So difficulties of
held-out compounds relate to their errors as those of a library will.

Source: errors by a model of their own are those of Papadopoulos et al. 2002, ECML,
doi:10.1007/3-540-36755-1_29, and Lei et al. 2018, JASA 113, doi:10.1080/01621459.2017.1307116.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from molkd.benchmarks.tasks.task import Labels
from molkd.prediction.conformal import Folds
from molkd.prediction.spaces import Nearest
from molkd.prediction.validation import HeldOut
from molkd.types import Mask, Matrix

FACTS = ("distance", "neighbours", "prediction", "squared")
"""What difficulty is read from; see `_facts`."""

NEAREST, NEIGHBOURS = 3, 10
"""Compounds whose distance, and whose errors, count."""

ALIKE = 300
"""Compounds that would have shown no relation: 40 measured ones hardly differ, 400 do."""

_FAR, _LARGE, _NEAR = 3.0, 5.0, 0.05
_STEPS = 50


class Known(NamedTuple):
    """Compounds that a difficulty is read from.

    Attributes:
        places: shape (n, k), in a space.
        errors: shape (n,), absolute, while they were held out; in units of their mean.
        predictions: mean and standard deviation of what was predicted of them.
    """

    places: Matrix
    errors: Labels
    predictions: Labels


@dataclass(frozen=True, slots=True, eq=False)
class Difficulty:
    """What expects errors.

    Attributes:
        nearest: finds the nearest compounds, see `spaces`.
        known: the compounds it learnt from.
        standards: shape (2, 4), means and standard deviations of the facts.
        weights: shape (5,), the constant and one of each standardised fact.
    """

    nearest: Nearest
    known: Known
    standards: Labels
    weights: Labels

    def of(self, places: Matrix, predicted: Labels) -> tuple[Labels, Labels]:
        """Expects errors.

        Args:
            places: shape (m, k), of molecules in the space of `known`.
            predicted: shape (m,), what the model says of them.

        Returns:
            Shape (m,), expected errors in units of the mean one, above 0; and shape (m, 4), the
            logarithms of what each fact multiplies them by.
        """
        mean, sd = self.standards
        facts = np.clip(
            (_facts(self.nearest, self.known, places, predicted) - mean) / sd, -_FAR, _FAR
        )
        shares = facts * self.weights[1:]
        return np.exp(self.weights[0] + shares.sum(axis=1)), shares


def fit(nearest: Nearest, places: Matrix, y: Labels, held_out: HeldOut) -> Difficulty:
    """Learns from the errors of held-out compounds.

    Args:
        nearest: of the space that the places are in.
        places: shape (n, k), of the compounds.
        y: shape (n,), numbers.
        held_out: what was predicted of them, by repeat.
    """
    facts, errors = [np.empty((0, len(FACTS)))], [np.empty(0)]
    for values, folds in zip(held_out.values, held_out.folds, strict=True):
        for here, others in _parted(folds):
            known = _known(places[others], y[others], values[np.newaxis, others])
            facts.append(_facts(nearest, known, places[here], values[here]))
            errors.append(np.abs(values - y)[here])
    known, every = _known(places, y, held_out.values), np.concatenate(facts)
    if not len(every):  # of a single fold, nothing was held out from anything
        return Difficulty(nearest, known, np.array([4 * [0.0], 4 * [1.0]]), np.zeros(5))
    mean, sd = every.mean(axis=0), every.std(axis=0)
    sd[sd < 1e-9] = 1.0
    x = np.clip((every - mean) / sd, -_FAR, _FAR)
    found = _weights(x, np.concatenate(errors), len(held_out.values))
    return Difficulty(nearest, known, np.stack([mean, sd]), found)


def crossed(nearest: Nearest, places: Matrix, y: Labels, held_out: HeldOut) -> Labels:
    """Returns the difficulties of held-out compounds, shape (r, n), each by those of other folds.

    See `fit` for arguments.
    """
    found = np.ones_like(held_out.values)
    for repeat, (values, folds) in enumerate(zip(held_out.values, held_out.folds, strict=True)):
        for here, others in _parted(folds):
            fitted = fit(nearest, places[others], y[others], _only(values, folds, others))
            found[repeat, here] = fitted.of(places[here], values[here])[0]
    return found


def judging(nearest: Nearest, places: Matrix, y: Labels, held_out: HeldOut) -> Labels:
    """Returns the difficulties by which each fold is judged, shape (r, f, n).

    For the compounds of fold f, and for those of the other folds, from whose errors intervals are
    made: nothing of fold f has a part in them. See `fit` for arguments.
    """
    count = int(held_out.folds.max()) + 1
    found = np.ones((len(held_out.values), count, len(y)))
    for repeat, (values, folds) in enumerate(zip(held_out.values, held_out.folds, strict=True)):
        for here, others in _parted(folds):
            fold, rest = folds[here][0], _only(values, folds, others)
            fitted = fit(nearest, places[others], y[others], rest)
            found[repeat, fold, here] = fitted.of(places[here], values[here])[0]
            found[repeat, fold, others] = crossed(nearest, places[others], y[others], rest)[0]
    return found


def _parted(folds: Folds) -> Iterator[tuple[Mask, Mask]]:
    """Yields the compounds of a fold and those of the others, if there are others."""
    for fold in np.unique(folds):
        here = folds == fold
        if not here.all():
            yield here, ~here


def _only(values: Labels, folds: Folds, rows: Mask) -> HeldOut:
    return HeldOut(values[np.newaxis, rows], folds[np.newaxis, rows])


def _known(places: Matrix, y: Labels, values: Labels) -> Known:
    errors = np.abs(values - y).mean(axis=0)
    mean = errors.mean()
    relative = errors / mean if mean > 0 else np.ones_like(errors)
    return Known(places, relative, np.array([values.mean(), values.std()]))


def _facts(nearest: Nearest, known: Known, places: Matrix, predicted: Labels) -> Labels:
    """Shape (m, 4), see `FACTS`.

    The logarithm of the mean distance to the nearest compounds, that of the mean error of some
    more (shrunk towards that of all), the prediction in standard deviations, and its square.
    """
    if not len(places):
        return np.empty((0, len(FACTS)))
    near = min(NEIGHBOURS, max(len(known.places) // 3, 1))
    distances, rows = nearest(known.places, places, near)
    distance = distances[:, :NEAREST].mean(axis=1)
    errors = np.where(rows < 0, 1.0, known.errors[rows])
    errors = (errors.sum(axis=1) + near / 2) / (1.5 * near)
    mean, sd = known.predictions
    standing = np.clip((predicted - mean) / (sd or 1.0), -_FAR, _FAR)
    facts = [np.log(np.maximum(distance, _NEAR)), np.log(errors), standing, standing**2]
    return np.stack(facts, axis=1)


def _weights(x: Labels, errors: Labels, repeats: int) -> Labels:
    """Shape (1 + d,), by Newton's method; all compounds alike where they were not off at all."""
    columns = np.column_stack([np.ones(len(x)), x])
    weights = np.zeros(columns.shape[1])
    mean = errors.mean()
    if not mean > 0:
        return weights
    target = np.minimum(errors / mean, _LARGE)  # no single compound decides
    penalty = np.diag([0.0] + [float(ALIKE)] * x.shape[1]) * repeats
    for _ in range(_STEPS):
        expected = np.exp(np.clip(columns @ weights, -_FAR, _FAR))
        slope = columns.T @ (expected - target) + penalty @ weights
        step = np.linalg.solve(columns.T @ (columns * expected[:, np.newaxis]) + penalty, slope)
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    return weights
