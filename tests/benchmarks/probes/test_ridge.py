"""A path of ridge regressions from one decomposition, or from products, is that of fits alone."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from molkd.benchmarks.probes import design as designs
from molkd.benchmarks.probes import krylov, ridge
from molkd.benchmarks.probes.design import Design
from molkd.benchmarks.probes.ridge import Grams, ridge_path
from molkd.benchmarks.probes.standardised import Standardised, by_training_rows
from tests.benchmarks.probes.synthetic import gaussian_line

PENALTIES = (1e6, 10.0, 0.1)
SIZES = [(40, 1), (40, 2), (2, 3), (90, 40), (40, 90)]


def rows_of(n: int, d: int) -> tuple[np.ndarray, np.ndarray, Standardised]:
    x, y = gaussian_line(n, d, r2=0.7)
    x[:, : 3 * d // 4] = x[:, : 3 * d // 4] > 1.8
    return x, y, Standardised.plain(Design.of(x), np.arange(n), np.arange(0))


def equals_fits_alone(x: np.ndarray, y: np.ndarray, rows: Standardised) -> None:
    coefficients, intercepts = ridge_path(rows, y, PENALTIES)
    for column, penalty in enumerate(PENALTIES):
        model = Ridge(penalty).fit(x[:, rows.design.order].astype(np.float64), y)
        np.testing.assert_allclose(coefficients[:, column], model.coef_, atol=1e-8)
        assert intercepts[column] == pytest.approx(model.intercept_, abs=1e-8)


@pytest.mark.parametrize(("n", "d"), SIZES)
def test_every_penalty_is_fitted_as_alone(n: int, d: int) -> None:
    equals_fits_alone(*rows_of(n, d))


@pytest.mark.parametrize("steps", [1000, 3])
@pytest.mark.parametrize(("n", "d"), SIZES)
def test_wide_ones_too_whether_or_not_products_do(
    n: int, d: int, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (designs, ridge):
        monkeypatch.setattr(module, "NARROW", 0)
    monkeypatch.setattr(krylov, "_STEPS", steps)
    equals_fits_alone(*rows_of(n, d))


def test_what_explains_nothing_has_no_coefficients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ridge, "NARROW", 0)
    x, y = np.ones((20, 3), dtype=np.float32), np.arange(20.0)
    rows = Standardised.plain(Design.of(x), np.arange(20), np.arange(0))
    coefficients, intercepts = ridge_path(rows, y, PENALTIES)
    np.testing.assert_allclose(coefficients, 0, atol=1e-12)
    np.testing.assert_allclose(intercepts, y.mean())


@pytest.mark.parametrize("share", [0.9, 0.2])
def test_a_gram_matrix_is_that_of_the_training_rows(share: float) -> None:
    x, _ = gaussian_line(100, 7, r2=0.7)
    train = np.arange(int(share * 100))
    (rows,) = by_training_rows(x, Design.of(x), [(train, np.arange(95, 100))]) or ()
    z = rows.matrix(train)
    np.testing.assert_allclose(Grams().of(rows), z.T @ z, atol=1e-10)
