"""Conformal intervals and sets: from how far off predictions were for compounds held out.

Errors are those of cross-validation, of all repeats, about the prediction of one model of all
compounds. The share that is promised holds for compounds that relate to the measured ones as one
held-out fold does to the others: of new scaffolds where folds are by scaffold. What they held
there is measured with the errors of the other folds alone, see `held`. Intervals are as wide as a
molecule is difficult: the errors that are ranked are those over their difficulty.

Source: Vovk, Gammerman & Shafer 2005, Algorithmic Learning in a Random World; as "CV" in Barber et
al. 2021, Ann. Statist. 49(1), doi:10.1214/20-AOS1965; locally weighted as in Lei et al. 2018, JASA
113, doi:10.1080/01621459.2017.1307116. Sets of classes are those of Vovk's Mondrian predictors, one
class at a time.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from molkd.benchmarks.tasks.task import Labels
from molkd.types import Mask

Folds = npt.NDArray[np.int64]


def width(errors: Labels, count: int, confidence: float) -> float:
    """Returns how far an interval reaches to either side.

    Args:
        errors: shape (e,), absolute, of `count` compounds, each as often as there are repeats.
        count: different compounds, which decide how exact a share can be.
        confidence: the share that shall be held, between 0 and 1.

    Returns:
        The error of that rank among count + 1; infinity where there are too few for it.
    """
    rank = math.ceil(confidence * (count + 1) / count * len(errors) - 1e-9)
    return float(np.sort(errors)[rank - 1]) if rank <= len(errors) else math.inf


def sets(
    probability: Labels, held_out: Labels, y: Labels, confidence: float, *, repeats: int = 1
) -> Mask:
    """Returns the classes that cannot be ruled out, shape (m, 2): one at least.

    Where neither fits, as happens to a model that is right more often than was asked, the one that
    fits better stays.

    Args:
        probability: shape (m,), of class 1.
        held_out: shape (n,), probabilities of class 1 of compounds that were held out.
        y: shape (n,), their classes.
        confidence: the share of each class whose set shall hold it.
        repeats: how often each compound is among them; it counts as one.
    """
    fits = np.zeros((len(probability), 2))
    for place, (new, old) in enumerate(((1 - probability, 1 - held_out), (probability, held_out))):
        known = np.sort(old[y == place])
        as_strange = np.searchsorted(known, new, side="right")  # known ones that fit no better
        fits[:, place] = (as_strange / repeats + 1) / (len(known) / repeats + 1)
    return (fits > 1 - confidence) | (fits == fits.max(axis=1, keepdims=True))


def bounds(
    values: Labels,
    held_out: Labels,
    y: Labels,
    confidence: float,
    *,
    classes: bool,
    difficulty: tuple[Labels, Labels] | None = None,
) -> Labels:
    """Returns what is promised of new predictions.

    Args:
        values: shape (m,), predictions; NaN where there is none.
        held_out: shape (r, n), predictions of compounds that were held out, by repeat.
        y: shape (n,), their labels.
        confidence: the share that shall be held.
        classes: whether labels are classes.
        difficulty: of numbers: shape (m,), expected errors of new compounds, and shape (r, n), of
            those held out, in one unit; without it intervals are equally wide.

    Returns:
        Shape (m, 2): ends of intervals, or 1 and 0 for whether a class cannot be ruled out.
    """
    found = np.full((len(values), 2), np.nan)
    there = np.isfinite(values)
    if classes:
        repeats = len(held_out)
        known = np.tile(y, repeats)
        found[there] = sets(values[there], held_out.ravel(), known, confidence, repeats=repeats)
    else:
        new, known = difficulty or (np.ones(len(values)), np.ones_like(held_out))
        unit = width((np.abs(held_out - y) / known).ravel(), len(y), confidence)
        reach = unit * new[there]
        found[there] = np.column_stack([values[there] - reach, values[there] + reach])
    return found


def held(
    y: Labels,
    held_out: Labels,
    folds: Folds,
    confidence: float,
    *,
    classes: bool,
    difficulty: Labels | None = None,
) -> Labels:
    """Measures what intervals or sets held, each fold by the errors of the others.

    Args:
        y: shape (n,), labels.
        held_out: shape (r, n), predictions of compounds that were held out, by repeat.
        folds: shape (r, n), the fold in which each was.
        confidence: what is promised.
        classes: whether labels are classes.
        difficulty: shape (r, f, n), expected errors of numbers, by the fold that is judged; without
            it intervals are equally wide.

    Returns:
        Shape (n,): the share of the repeats in which the compound's label was in.
    """
    inside = np.zeros_like(held_out)
    for repeat, (predicted, fold) in enumerate(zip(held_out, folds, strict=True)):
        for number in np.unique(fold):
            here, others = fold == number, fold != number
            if classes:
                fits = sets(predicted[here], predicted[others], y[others], confidence)
                inside[repeat, here] = fits[np.arange(len(fits)), y[here].astype(int)]
            else:
                scale = np.ones_like(y) if difficulty is None else difficulty[repeat, number]
                errors = np.abs(y - predicted) / scale
                reach = width(errors[others], int(others.sum()), confidence)
                inside[repeat, here] = errors[here] <= reach
    return inside.mean(axis=0)
