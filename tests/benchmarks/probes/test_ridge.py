"""A path of ridge regressions from one decomposition is that of fits one by one."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from molkd.benchmarks.probes.ridge import ridge_path, shifted_solutions
from tests.benchmarks.probes.synthetic import gaussian_line


@pytest.mark.parametrize(("n", "d"), [(40, 1), (40, 2), (1, 3), (2, 3), (90, 40), (40, 90)])
def test_every_penalty_is_fitted_as_alone(n: int, d: int) -> None:
    x, y = gaussian_line(n, d, r2=0.7)
    x[:, : 3 * d // 4] = x[:, : 3 * d // 4] > 1.8
    penalties = (1e6, 10.0, 0.1)
    coefficients, intercepts = ridge_path(x, y, penalties)
    for column, penalty in enumerate(penalties):
        model = Ridge(penalty).fit(x.astype(np.float64), y)
        np.testing.assert_allclose(coefficients[:, column], model.coef_, atol=1e-10)
        assert intercepts[column] == pytest.approx(model.intercept_, abs=1e-10)


@pytest.mark.parametrize("size", [1, 2, 3, 70])
def test_shifts_are_solved_where_the_matrix_is_singular(size: int) -> None:
    factor = np.random.default_rng(0).normal(size=(size, max(size // 2, 1)))
    matrix, right = factor @ factor.T, np.arange(1.0, size + 1)
    found = shifted_solutions(matrix.copy(order="F"), right, (5.0, 0.1))
    for column, shift in enumerate((5.0, 0.1)):
        expected = np.linalg.solve(matrix + shift * np.eye(size), right)
        np.testing.assert_allclose(found[:, column], expected, rtol=1e-8)
