"""A path of ridge regressions from one decomposition is that of fits one by one."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from molkd.benchmarks.probes.ridge import ridge_path
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
