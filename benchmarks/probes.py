"""Linear probes on frozen embeddings: everything is fitted on training rows only."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit
from sklearn.preprocessing import StandardScaler

Values = npt.NDArray[np.floating]
"""Shape (n, d): embeddings, with NaN rows where an embedder failed."""

Labels = npt.NDArray[np.float64]

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Inverse regularisation tried for the logistic regression, on standardised embeddings."""

ALPHAS = tuple(float(alpha) for alpha in np.logspace(-1, 6, 15))
"""Regularisation tried for the ridge regression, on standardised embeddings."""

FOLDED = 2000
"""Up to so many training rows C is chosen by 5-fold cross-validation, above that by one fifth."""


def prepared(train: Values, test: Values) -> tuple[Values, Values]:
    """Fills failed rows with the mean of the training rows, then standardises by these rows.

    Raises:
        ValueError: every training row failed.
    """
    valid = ~np.isnan(train).any(axis=1)
    if not valid.any():
        raise ValueError("the embedder failed on every training row")
    mean = train[valid].mean(axis=0, dtype=np.float64)
    filled = [np.where(np.isnan(rows), mean, rows) for rows in (train, test)]
    scaler = StandardScaler().fit(filled[0])
    return np.asarray(scaler.transform(filled[0])), np.asarray(scaler.transform(filled[1]))


def regress(train: Values, y: Labels, test: Values, *, log: bool = False) -> Labels:
    """Predicts the test rows by ridge regression, alpha by generalised cross-validation.

    Args:
        train: shape (n, d).
        y: shape (n,), targets; standardised by their own mean and sd for the fit.
        test: shape (m, d).
        log: fit the decadic logarithm of y, and map predictions back.

    Returns:
        Shape (m,), in the unit of y.
    """
    x, x_test = prepared(train, test)
    target = np.log10(y) if log else y
    mean, sd = target.mean(), target.std()
    predicted = x_test @ ridge(x, (target - mean) / (sd or 1.0)) * sd + mean
    return 10**predicted if log else predicted


def ridge(x: Values, y: Labels) -> Labels:
    """Fits a ridge regression whose alpha has the least leave-one-out error in closed form.

    Equals scikit-learn's `RidgeCV`, but decomposes the smaller of the two Gram matrices, which
    takes seconds where there are thousands of rows and columns.

    Args:
        x: shape (n, d), columns of mean zero.
        y: shape (n,), of mean zero.

    Returns:
        Shape (d,), the coefficients.
    """
    wide = x.shape[1] > x.shape[0]
    values, vectors = np.linalg.eigh(x @ x.T if wide else x.T @ x)
    kept = values > values[-1] * 1e-10
    values, vectors = values[kept], vectors[:, kept]
    left = vectors if wide else x @ vectors / np.sqrt(values)  # shape (n, r)
    along = left.T @ y
    errors: list[float] = []
    for alpha in ALPHAS:
        shrink = values / (values + alpha)
        leverage = left**2 @ shrink + 1 / len(y)
        errors.append(float(np.mean(((y - left @ (shrink * along)) / (1 - leverage)) ** 2)))
    weights = along * np.sqrt(values) / (values + ALPHAS[int(np.argmin(errors))])
    right = x.T @ vectors / np.sqrt(values) if wide else vectors  # shape (d, r)
    return right @ weights


def classify(train: Values, y: Labels, test: Values, *, seed: int) -> Labels:
    """Predicts the test rows by logistic regression, C by log-loss on held-out training rows.

    Args:
        train: shape (n, d).
        y: shape (n,), 0 or 1.
        test: shape (m, d).
        seed: decides which training rows are held out.

    Returns:
        Shape (m,), log-odds of class 1.
    """
    x, x_test = _single(prepared(train, test))
    losses = np.zeros(len(STRENGTHS))
    for fit, held_out in _inner_splits(y, seed):
        inner, outer = _single(prepared(train[fit], train[held_out]))
        for place, model in enumerate(_path(inner, y[fit])):
            losses[place] += log_loss(y[held_out], model.predict_proba(outer), labels=[0, 1])
    best = STRENGTHS[int(np.argmin(losses))]
    *_, model = _path(x, y, upto=best)
    return model.decision_function(x_test)


def _single(parts: tuple[Values, ...]) -> list[Values]:
    """Single precision: the solver is three times as fast, scores move in the fourth digit."""
    return [part.astype(np.float32) for part in parts]


def _inner_splits(y: Labels, seed: int) -> Iterator[tuple[npt.NDArray[np.int64], ...]]:
    if len(y) <= FOLDED:
        splitter = StratifiedKFold(5, shuffle=True, random_state=seed)
    else:
        splitter = StratifiedShuffleSplit(1, test_size=0.2, random_state=seed)
    yield from splitter.split(np.zeros((len(y), 1)), y)


def _path(x: Values, y: Labels, *, upto: float = np.inf) -> Iterator[LogisticRegression]:
    """Fits one model per strength, each started where the weaker one ended."""
    model = LogisticRegression(warm_start=True, max_iter=300, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 300 steps are part of the probe
        for strength in STRENGTHS:
            if strength <= upto:
                yield model.set_params(C=strength).fit(x, y)
