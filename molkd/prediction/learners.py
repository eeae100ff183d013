"""What is fitted to measured compounds: estimators of scikit-learn, which skops can keep.

The embedding's is chosen by cross-validation within the rows it is given, by scaffold, and so is
the penalty of ECFP4 by Tanimoto similarity. The forest on fingerprint and descriptors has nothing
to choose. These two are the standards to beat.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from molkd.benchmarks.probes.forest import Forest
from molkd.benchmarks.probes.kernel import LANDMARKS
from molkd.benchmarks.tasks.task import Labels
from molkd.prediction.labels import Kind
from molkd.types import Matrix, Rows

ModelOf = Literal["embedding", "forest", "tanimoto"]

INNER, OUTER = 4, 5
"""Folds that choose among candidates, and folds that are predicted."""

_ALPHAS = (1e5, 1e4, 1e3, 1e2, 1e1)
_INVERSES = (1e-4, 1e-3, 1e-2, 1e-1)
_PENALTIES = (1.0, 3.0)
_KERNEL_INVERSES = (0.1, 1.0, 10.0)
_NOISES = (10.0, 3.0, 1.0, 0.3, 0.1, 0.03)
_TANIMOTO_INVERSES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_NEIGHBOURS = (20, 10, 5)

_LANDMARKS = 400
"""Compounds that stand for all in the kernel, at most (Williams and Seeger 2001)."""


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
    if model == "forest":
        return _forest(kind, seed).fit(x, y)
    if model == "tanimoto":
        return _tanimoto(x, y, scaffolds, kind, seed).fit(x, y)
    return _chosen(_candidates(kind, *x.shape), x, y, scaffolds, kind, seed).fit(x, y)


def predict(estimator: Any, x: Matrix) -> Labels:
    """Returns numbers, or the probability of class 1; shape (m,)."""
    if not len(x):
        return np.empty(0)
    double: Any = x.astype(np.float64)  # labels that are far from zero would lose their digits
    if hasattr(estimator, "predict_proba"):
        return estimator.predict_proba(double)[:, 1].astype(np.float64)
    return np.asarray(estimator.predict(double), dtype=np.float64)


def described(estimator: Any) -> str:
    """Returns what was chosen, in words."""
    last = getattr(estimator, "steps", [("", estimator)])[-1][1]
    last = getattr(last, "regressor_", last)
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
    with warnings.catch_warnings():  # fewer of a class than folds: some folds do without it
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
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


def _tanimoto(x: Matrix, y: Labels, scaffolds: Rows, kind: Kind, seed: int) -> Any:
    """The penalty is chosen on the features of all rows, which know no label."""
    from sklearn import linear_model

    from molkd.prediction import tanimoto

    _, features = tanimoto.features_of(x, most=LANDMARKS, seed=seed)
    settings: dict[str, int] = {"landmarks": LANDMARKS, "random_state": seed}
    if kind == "regression":
        ridges = [linear_model.Ridge(alpha) for alpha in _NOISES]
        alpha = _chosen(ridges, features(x), y, scaffolds, kind, seed).alpha
        return tanimoto.TanimotoRidge(alpha, **settings)
    logistic = [
        linear_model.LogisticRegression(C=c, max_iter=tanimoto.STEPS) for c in _TANIMOTO_INVERSES
    ]
    found = _chosen(logistic, features(x), y, scaffolds, kind, seed).C
    return tanimoto.TanimotoClassifier(found, **settings)


def _chosen(
    candidates: Sequence[Any], x: Matrix, y: Labels, scaffolds: Rows, kind: Kind, seed: int
) -> Any:
    """The candidate with the least loss on scaffolds it has not seen, unfitted."""
    from sklearn.base import clone
    from sklearn.exceptions import FitFailedWarning
    from sklearn.model_selection import cross_val_score

    split = _inner(y, scaffolds, kind, seed)
    if not split:  # all but one fold have a single scaffold, or label
        return candidates[0]
    if kind == "regression":
        y = y - y.mean()  # as `predict`
    scoring = "neg_mean_squared_error" if kind == "regression" else _log_score
    with warnings.catch_warnings():  # more neighbours than a fold leaves: a candidate less
        warnings.simplefilter("ignore", FitFailedWarning)
        warnings.filterwarnings("ignore", "Scoring failed", UserWarning)
        warnings.filterwarnings("ignore", "n_components > n_samples", UserWarning)
        losses = np.array(
            [-cross_val_score(each, x, y, cv=split, scoring=scoring).mean() for each in candidates]
        )
    return clone(candidates[int(np.argmin(np.where(np.isfinite(losses), losses, np.inf)))])


def _inner(y: Labels, scaffolds: Rows, kind: Kind, seed: int) -> list[tuple[Rows, Rows]]:
    """Folds by scaffold, as many as there can be, of which the others have more than one label."""
    members = np.unique(y, return_counts=True)[1].min() if kind == "classification" else len(y)
    count = min(INNER, len(np.unique(scaffolds)), int(members))
    if count < 2:
        return []
    parts = folds(y, scaffolds, kind=kind, count=count, seed=seed)
    split = [(np.flatnonzero(parts != one), np.flatnonzero(parts == one)) for one in range(count)]
    return [(a, b) for a, b in split if len(a) and len(b) and np.ptp(y[a]) > 0]


def _log_score(estimator: Any, x: Matrix, y: Labels) -> float:
    """Less the log-loss, which holds where one class alone is there to score."""
    right = np.where(y > 0, *(estimator.predict_proba(x)[:, place] for place in (1, 0)))
    return float(np.log(np.clip(right, 1e-3, 1)).mean())


def typical(kind: Kind, rows: int, width: int) -> Any:
    """Returns the candidate that is chosen most often, unfitted: for studies of many tasks."""
    candidates = _candidates(kind, rows, width)
    linear = len(_ALPHAS) if kind == "regression" else len(_INVERSES)
    return candidates[linear if kind == "regression" else linear + 1]


def _of_any_unit(regressor: Any) -> Any:
    """A regressor whose labels are standardised; single precision holds none that are far off."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler

    return TransformedTargetRegressor(regressor, transformer=StandardScaler())


def _candidates(kind: Kind, rows: int, width: int) -> list[Any]:
    """Linear, of kernels and of neighbours; of equally good ones the first is taken."""
    from sklearn import linear_model, neighbors, svm
    from sklearn.kernel_approximation import Nystroem
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from molkd.prediction.tanimoto import STEPS

    kernel = Nystroem(gamma=1 / width, n_components=min(_LANDMARKS, rows // 2), random_state=0)
    near: dict[str, Any] = {"metric": "cosine", "weights": "distance"}
    neighbours = [k for k in _NEIGHBOURS if k <= rows // 3]  # fewer are there within folds
    models: list[list[Any]]
    if kind == "regression":
        vectors: Any = svm.SVR  # its types know no number for gamma
        models = [[_of_any_unit(linear_model.Ridge(alpha))] for alpha in _ALPHAS]
        models += [[_of_any_unit(vectors(C=c, gamma=1 / width))] for c in _PENALTIES]
        models += [[neighbors.KNeighborsRegressor(k, **near)] for k in neighbours]
    else:
        models = [[linear_model.LogisticRegression(C=c, max_iter=STEPS)] for c in _INVERSES]
        models += [
            [kernel, linear_model.LogisticRegression(C=c, max_iter=STEPS)] for c in _KERNEL_INVERSES
        ]
        models += [[neighbors.KNeighborsClassifier(k, **near)] for k in neighbours]
    return [make_pipeline(StandardScaler(), *steps) for steps in models]
