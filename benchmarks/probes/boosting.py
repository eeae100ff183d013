"""The probe of trees: gradient boosting on histograms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import logit

from molkd.benchmarks.probes.base import LINKS, LOSSES, Fitted, Part, about, check, spread
from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import Labels
from molkd.errors import InputError
from molkd.types import Matrix

if TYPE_CHECKING:
    from lightgbm import Booster, Dataset

_OBJECTIVES: Mapping[Kind, str] = {
    "classification": "binary",
    "multiclass": "multiclass",
    "regression": "regression",
}
"""Kind -> LightGBM's name of what is minimised, on training and on validation rows."""


@dataclass(frozen=True, kw_only=True)
class Boosting:
    """Gradient-boosted trees whose size and number have least loss on the validation rows.

    Grown by LightGBM (Ke et al., NeurIPS 2017), which bundles columns that are rarely set together:
    on fingerprints it takes a twentieth of the time of scikit-learn's booster.

    Attributes:
        leaves: most leaves per tree, each in turn.
        lr: what each tree counts.
        trees: most trees.
        patience: trees without less loss on the validation rows after which no more are grown;
            predictions use those up to the least loss.
        least_rows: rows that a leaf holds at least.
    """

    leaves: tuple[int, ...] = (8, 31)
    lr: float = 0.1
    trees: int = 300
    patience: int = 10
    least_rows: int = 20

    @property
    def about(self) -> dict[str, object]:
        """See `Probe.about`."""
        return about(self, "boosting", ["lightgbm", "numpy"])

    def fit(self, train: Part, valid: Part, *, kind: Kind, seed: int) -> Fitted:
        """See `Probe.fit`; the seed decides which rows place the bins, where rows are very many.

        Of equal candidates the smaller and fewer trees win.
        """
        from lightgbm import Dataset

        check(train, valid, kind)
        classes = np.unique(train.y)
        y, held = train.y, valid
        if kind != "regression":
            y = np.searchsorted(classes, train.y).astype(np.float64)
            held = _of_known_classes(valid, classes)
        options = self._options(kind, len(classes), seed)
        rows = Dataset(train.x, y, params=options)
        others = Dataset(held.x, held.y, params=options, reference=rows)
        models = [self._grown(options, leaves, rows, others) for leaves in self.leaves]
        losses = [next(iter(model.best_score["valid_0"].values())) for model in models]
        best = int(np.argmin(losses))
        without = _without_trees(y, kind)
        trees = models[best].best_iteration
        if losses[best] >= LOSSES[kind](held.y, np.full((len(held.y), *without.shape), without)):
            trees = 0

        def predict(x: Matrix) -> Labels:
            outputs = np.full((len(x), *without.shape), without)
            if trees and len(x):
                raw = models[best].predict(x, raw_score=True, num_iteration=trees, num_threads=1)
                outputs = np.asarray(raw)
            if kind == "multiclass":
                outputs = spread(outputs, classes, absent=-np.inf)
            return LINKS[kind](outputs)

        return Fitted(predict, {"leaves": float(self.leaves[best]), "trees": float(trees)})

    def _options(self, kind: Kind, classes: int, seed: int) -> dict[str, Any]:
        """As LightGBM takes them: one thread, and the same bits each time."""
        options = {
            "objective": _OBJECTIVES[kind],
            "learning_rate": self.lr,
            "min_data_in_leaf": self.least_rows,
            "seed": seed,
            "num_threads": 1,
            "deterministic": True,
            "force_col_wise": True,
            "verbose": -1,
        }
        return options | ({"num_class": classes} if kind == "multiclass" else {})

    def _grown(self, options: dict[str, Any], leaves: int, rows: Dataset, held: Dataset) -> Booster:
        from lightgbm import early_stopping, train

        return train(
            options | {"num_leaves": leaves},
            rows,
            self.trees,
            valid_sets=[held],
            callbacks=[early_stopping(self.patience, verbose=False)],
        )


def _of_known_classes(valid: Part, classes: Labels) -> Part:
    """Validation rows of classes that were trained, by place: the trees know no others."""
    rows = np.flatnonzero(np.isin(valid.y, classes))
    if not len(rows):
        raise InputError("no class of the validation rows is among those of the training rows")
    return Part(valid.x[rows], np.searchsorted(classes, valid.y[rows]).astype(np.float64))


def _without_trees(y: Labels, kind: Kind) -> Labels:
    """What every row gets without a tree: the mean, its log-odds, or logarithms of shares."""
    if kind == "multiclass":
        return np.log(np.bincount(y.astype(int)) / len(y))
    return np.array(logit(y.mean()) if kind == "classification" else y.mean())
