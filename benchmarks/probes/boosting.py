"""The probe of trees: gradient boosting on histograms."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from threadpoolctl import threadpool_limits

from molkd.benchmarks.probes.base import Fitted, Part, about, check, spread
from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import Labels
from molkd.errors import InputError
from molkd.types import Matrix

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    Model = HistGradientBoostingClassifier | HistGradientBoostingRegressor


@dataclass(frozen=True, kw_only=True)
class Boosting:
    """Gradient-boosted trees whose size and number have least loss on the validation rows.

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
        return about(self, "boosting", ["scikit-learn", "numpy"])

    @threadpool_limits.wrap(limits=1)
    def fit(self, train: Part, valid: Part, *, kind: Kind, seed: int) -> Fitted:
        """See `Probe.fit`; the seed decides which rows place the bins, where rows are very many.

        Of equal candidates the smaller and fewer trees win.
        """
        check(train, valid, kind)
        valid = _of_known_classes(train, valid) if kind == "multiclass" else valid
        models = [self._grown(train, valid, leaves, kind, seed) for leaves in self.leaves]
        scores = [float(np.max(model.validation_score_)) for model in models]  # minus the loss
        best = models[int(np.argmax(scores))]
        trees = int(np.argmax(best.validation_score_))  # entry 0 is the loss without a tree
        fallback = _fallback(train.y, kind)

        @threadpool_limits.wrap(limits=1)
        def predict(x: Matrix) -> Labels:
            return _predicted(best, x, trees, fallback, kind)

        return Fitted(
            predict,
            {"leaves": float(self.leaves[int(np.argmax(scores))]), "trees": float(trees)},
        )

    def _grown(self, train: Part, valid: Part, leaves: int, kind: Kind, seed: int) -> Model:
        from sklearn import ensemble

        makers: dict[Kind, Any] = {
            "classification": ensemble.HistGradientBoostingClassifier,
            "multiclass": ensemble.HistGradientBoostingClassifier,
            "regression": ensemble.HistGradientBoostingRegressor,
        }
        model = makers[kind](
            learning_rate=self.lr,
            max_iter=self.trees,
            max_leaf_nodes=leaves,
            min_samples_leaf=self.least_rows,
            early_stopping=True,
            n_iter_no_change=self.patience,
            tol=0.0,
            random_state=seed,
        )
        return model.fit(train.x, train.y, X_val=valid.x, y_val=valid.y)


def _of_known_classes(train: Part, valid: Part) -> Part:
    """Validation rows of classes that were trained: the trees know no others."""
    rows = np.flatnonzero(np.isin(valid.y, train.y))
    if not len(rows):
        raise InputError("no class of the validation rows is among those of the training rows")
    return Part(valid.x[rows], valid.y[rows])


def _fallback(y: Labels, kind: Kind) -> Labels:
    """What is predicted of every row without a tree: the mean, or the share of each class."""
    if kind != "multiclass":
        return np.array(y.mean())
    return np.bincount(y.astype(int)) / len(y)


def _predicted(model: Model, x: Matrix, trees: int, fallback: Labels, kind: Kind) -> Labels:
    """Predicts with the first trees alone; without any, the same for every row."""
    if not trees or not len(x):
        return np.full((len(x), *fallback.shape), fallback)
    if kind == "regression":
        return next(islice(model.staged_predict(x), trees - 1, None))
    classifier = cast("Any", model)
    probabilities: Labels = next(islice(classifier.staged_predict_proba(x), trees - 1, None))
    if kind == "classification":
        return probabilities[:, 1]
    return spread(probabilities, classifier.classes_, absent=0.0)
