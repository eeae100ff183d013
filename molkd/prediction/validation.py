"""Cross-validation of measured compounds: by scaffold beside random, models on the same folds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from molkd.benchmarks.tasks.task import Labels
from molkd.errors import InputError
from molkd.prediction import learners
from molkd.prediction.labels import Kind
from molkd.prediction.learners import ModelOf
from molkd.runtime.processes import ordered_map
from molkd.runtime.progress import Progress
from molkd.types import Matrix, Rows

Split = Literal["scaffold", "random"]

SPLITS, MODELS = get_args(Split), get_args(ModelOf)


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """What was predicted of compounds while they were held out.

    Attributes:
        values: shape (r, n), numbers or probabilities of class 1, by repeat.
        folds: shape (r, n), the fold in which each was.
    """

    values: Labels
    folds: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Compounds:
    """What is cross-validated.

    Attributes:
        x: model -> shape (n, d), what it reads.
        y: shape (n,), labels.
        scaffolds: shape (n,), numbers of scaffolds.
        kind: of the labels.
        seed: of folds and forest.
        choose: whether the embedding's model is chosen; else `learners.typical` is taken.
    """

    x: Mapping[ModelOf, Matrix]
    y: Labels
    scaffolds: Rows
    kind: Kind
    seed: int
    choose: bool = True

    def __call__(self, task: tuple[ModelOf, Rows, Rows]) -> Labels:
        """Predicts some compounds by a model of others."""
        model, train, test = task
        estimator = self.fitted(model, train)
        return learners.predict(estimator, self.x[model][test])

    def fitted(self, model: ModelOf, rows: Rows) -> object:
        """Fits a model to some compounds."""
        x, y = self.x[model][rows], self.y[rows]
        groups = self.scaffolds[rows]
        if not self.choose:
            return learners.typical(self.kind, *x.shape).fit(x, y)
        return learners.fit(model, x, y, groups, kind=self.kind, seed=self.seed)


def cross_validate(
    compounds: Compounds,
    *,
    repeats: int,
    splits: Sequence[Split] = SPLITS,
    jobs: int = 1,
    progress: bool = True,
) -> Mapping[tuple[Split, ModelOf], HeldOut]:
    """Predicts every compound by models that have not seen it, nor, by scaffold, its scaffold.

    All models see the same folds. The same arguments give the same bits, whatever `jobs`.

    Raises:
        InputError: there are fewer scaffolds than folds, or a class has too few of them.
    """
    folds = {split: _folds(compounds, split, repeats) for split in splits}
    keys: list[tuple[Split, ModelOf]] = [
        (split, model) for split in splits for model in MODELS if model in compounds.x
    ]
    places = [
        (key, repeat, fold)
        for key in keys
        for repeat in range(repeats)
        for fold in range(learners.OUTER)
    ]

    def tasks() -> Iterator[tuple[ModelOf, Rows, Rows]]:
        for (split, model), repeat, fold in places:
            out = folds[split][repeat] == fold
            yield model, np.flatnonzero(~out), np.flatnonzero(out)

    values = {key: np.empty((repeats, len(compounds.y))) for key in keys}
    jobs = min(jobs, len(places))
    with Progress("cross-validate", len(places), unit="fits", shown=progress) as bar:
        results = ordered_map(compounds, tasks(), jobs=jobs)
        for (key, repeat, fold), predicted in zip(places, results, strict=True):
            values[key][repeat, folds[key[0]][repeat] == fold] = predicted
            bar.update(1)
    return {key: HeldOut(values[key], folds[key[0]]) for key in keys}


def _folds(compounds: Compounds, split: Split, repeats: int) -> npt.NDArray[np.int64]:
    """Shape (r, n)."""
    groups = compounds.scaffolds if split == "scaffold" else None
    there = len(np.unique(compounds.scaffolds))
    if there < learners.OUTER:
        raise InputError(
            f"the compounds have {there} different scaffolds, fewer than the {learners.OUTER} "
            "folds: what a model says of other scaffolds cannot be measured; add compounds"
        )
    y, kind, first = compounds.y, compounds.kind, compounds.seed
    found = np.stack(
        [
            learners.folds(y, groups, kind=kind, count=learners.OUTER, seed=first + repeat)
            for repeat in range(repeats)
        ]
    )
    for parts in found:
        for fold in range(learners.OUTER):
            if kind == "classification" and not np.ptp(y[parts != fold]):
                raise InputError(
                    "all compounds of one class share a scaffold: what a model says of other "
                    "scaffolds cannot be measured; add compounds of this class"
                )
    return found
