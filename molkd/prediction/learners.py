"""What is fitted to measured compounds: estimators of scikit-learn, which skops can keep.

The embedding's is chosen by cross-validation within the rows it is given, by scaffold; the forest
on fingerprint and descriptors, the standard to beat, has nothing to choose.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from molkd.benchmarks.probes.forest import Forest
from molkd.benchmarks.tasks.task import Labels
from molkd.prediction.measured import Kind
from molkd.types import Matrix, Rows

ModelOf = Literal["embedding", "forest"]

INNER, OUTER = 4, 5
"""Folds that choose among candidates, and folds that are predicted."""

_ALPHAS = tuple(float(alpha) for alpha in np.logspace(0, 5, 6))
_INVERSES = tuple(float(inverse) for inverse in np.logspace(-5, -1, 5))
_NEIGHBOURS = (5, 10, 20)


def fit(model: ModelOf, x: Matrix, y: Labels, scaffolds: Rows, *, kind: Kind, seed: int) -> Any:
    """Fits an estimator; the same arguments give the same one.

    Args:
        model: which.
        x: shape (n, d), finite.
        y: shape (n,), numbers, or classes 0 and 1, both of which are there.
        scaffolds: shape (n,), equal for compounds of one scaffold.
        kind: of the labels.
        seed: of the forest and of the folds.
    """
    estimator = _forest(kind, seed) if model == "forest" else _chosen(x, y, scaffolds, kind, seed)
    return estimator.fit(x, y)


def predict(estimator: Any, x: Matrix) -> Labels:
    """Returns numbers, or the probability of class 1; shape (m,)."""
    if not len(x):
        return np.empty(0)
    if hasattr(estimator, "predict_proba"):
        return estimator.predict_proba(x)[:, 1].astype(np.float64)
    return np.asarray(estimator.predict(x), dtype=np.float64)


def described(estimator: Any) -> str:
    """Returns what was chosen, in words."""
    last = getattr(estimator, "steps", [("", estimator)])[-1][1]
    names = {"alpha": "alpha", "C": "C", "n_neighbors": "neighbours", "n_estimators": "trees"}
    settings = last.get_params()
    said = [f"{word} {settings[name]:g}" for name, word in names.items() if name in settings]
    return f"{type(last).__name__} ({', '.join(said)})"


def folds(y: Labels, scaffolds: Rows | None, *, kind: Kind, count: int, seed: int) -> Rows:
    """Deals compounds out to folds; those of one scaffold to one, or each on its own.

    Args:
        y: shape (n,); classes are dealt out in equal shares, as far as scaffolds allow it.
        scaffolds: shape (n,), or None for folds at random.
        kind: of the labels.
        count: of folds.
        seed: another one gives other folds.

    Returns:
        Shape (n,): the fold of each, from 0.
    """
    from sklearn import model_selection

    makers: dict[tuple[bool, Kind], Any] = {
        (False, "regression"): model_selection.KFold,
        (False, "classification"): model_selection.StratifiedKFold,
        (True, "regression"): model_selection.GroupKFold,
        (True, "classification"): model_selection.StratifiedGroupKFold,
    }
    maker = makers[scaffolds is not None, kind](count, shuffle=True, random_state=seed)
    found = np.zeros(len(y), dtype=np.int64)
    for place, (_, test) in enumerate(maker.split(y, y, scaffolds)):
        found[test] = place
    return found


def _forest(kind: Kind, seed: int) -> Any:
    """The forest of `molkd bench`, with leaves of one row."""
    from sklearn import ensemble

    maker: Any = ensemble.RandomForestClassifier
    if kind == "regression":
        maker = ensemble.RandomForestRegressor
    settings = Forest()
    return maker(settings.trees, max_features=settings.columns, random_state=seed)


def _chosen(x: Matrix, y: Labels, scaffolds: Rows, kind: Kind, seed: int) -> Any:
    """The candidate with the least loss on scaffolds it has not seen, unfitted."""
    from sklearn.base import clone
    from sklearn.model_selection import cross_val_score

    candidates = _candidates(kind)
    parts = folds(y, scaffolds, kind=kind, count=INNER, seed=seed)
    split = [(np.flatnonzero(parts != one), np.flatnonzero(parts == one)) for one in range(INNER)]
    split = [(a, b) for a, b in split if len(b) and (kind == "regression" or np.ptp(y[a]))]
    scoring = "neg_mean_squared_error" if kind == "regression" else _log_score
    losses = [-cross_val_score(each, x, y, cv=split, scoring=scoring).mean() for each in candidates]
    return clone(candidates[int(np.argmin(losses))])


def _log_score(estimator: Any, x: Matrix, y: Labels) -> float:
    """Less the log-loss, which holds where one class alone is there to score."""
    right = np.where(y > 0, *(estimator.predict_proba(x)[:, place] for place in (1, 0)))
    return float(np.log(np.clip(right, 1e-3, 1)).mean())


def _candidates(kind: Kind) -> list[Any]:
    """Ridge or logistic regression and nearest neighbours; the simpler of equals come first."""
    from sklearn import linear_model, neighbors
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    near = {"metric": "cosine", "weights": "distance"}
    models: list[Any]
    if kind == "regression":
        models = [linear_model.Ridge(alpha) for alpha in reversed(_ALPHAS)]
        models += [neighbors.KNeighborsRegressor(k, **near) for k in reversed(_NEIGHBOURS)]
    else:
        models = [linear_model.LogisticRegression(C=c, max_iter=500) for c in _INVERSES]
        models += [neighbors.KNeighborsClassifier(k, **near) for k in reversed(_NEIGHBOURS)]
    return [make_pipeline(StandardScaler(), model) for model in models]
