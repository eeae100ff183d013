from __future__ import annotations

import numpy as np
import probes
import pytest
from sklearn.linear_model import RidgeCV
from sklearn.metrics import roc_auc_score


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_regress_recovers_a_linear_law(rng: np.random.Generator) -> None:
    x, law = rng.normal(size=(400, 20)) * 7 + 3, rng.normal(size=20)
    y = x @ law + 100
    predicted = probes.regress(x[:300], y[:300], x[300:])
    np.testing.assert_allclose(predicted, y[300:], atol=0.02 * y.std())


def test_regress_with_log_recovers_a_law_of_decades(rng: np.random.Generator) -> None:
    x = rng.normal(size=(400, 5))
    y = 10 ** (x @ rng.normal(size=5))
    predicted = probes.regress(x[:300], y[:300], x[300:], log=True)
    np.testing.assert_allclose(np.log10(predicted), np.log10(y[300:]), atol=0.02)


@pytest.mark.parametrize("shape", [(60, 12), (40, 90)])
def test_ridge_equals_that_of_scikit_learn(
    rng: np.random.Generator, shape: tuple[int, int]
) -> None:
    x = rng.normal(size=shape)
    y = x @ rng.normal(size=shape[1]) + 5 * rng.normal(size=shape[0])
    x, y = x - x.mean(axis=0), y - y.mean()
    expected = RidgeCV(probes.ALPHAS).fit(x, y)
    np.testing.assert_allclose(probes.ridge(x, y), expected.coef_, rtol=1e-6, atol=1e-9)


def test_regress_on_noise_predicts_the_mean(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(200, 400)), rng.normal(size=200) + 50
    predicted = probes.regress(x[:150], y[:150], x[150:])
    np.testing.assert_allclose(predicted, y[:150].mean(), atol=0.3)


def test_classify_separates_what_a_plane_separates(rng: np.random.Generator) -> None:
    x = rng.normal(size=(300, 10))
    y = (x[:, 0] > 0.3).astype(np.float64)
    predicted = probes.classify(x[:200], y[:200], x[200:], seed=0)
    assert roc_auc_score(y[200:], predicted) > 0.98


@pytest.mark.parametrize("rows", [200, 2400])
def test_classify_chooses_strong_regularisation_for_noise(
    rng: np.random.Generator, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: list[float] = []
    path = probes._path

    def spy(x: np.ndarray, y: np.ndarray, *, upto: float = np.inf) -> object:
        if np.isfinite(upto):
            chosen.append(upto)
        return path(x, y, upto=upto)

    monkeypatch.setattr(probes, "_path", spy)
    y = rng.integers(0, 2, size=rows).astype(np.float64)
    probes.classify(rng.normal(size=(rows, 50)), y, rng.normal(size=(5, 50)), seed=0)
    assert chosen[0] <= 1e-2
    informative = np.column_stack([y * 20, rng.normal(size=rows)])
    probes.classify(informative, y, informative[:5], seed=0)
    assert chosen[1] == probes.STRENGTHS[-1]


def test_the_scaler_sees_training_rows_only(rng: np.random.Generator) -> None:
    train, test = rng.normal(size=(50, 4)), rng.normal(size=(20, 4))
    own, _ = probes.prepared(train, test)
    shifted, moved = probes.prepared(train, test * 1000 + 5000)
    np.testing.assert_array_equal(own, shifted)
    np.testing.assert_allclose(own.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(own.std(axis=0), 1)
    assert abs(moved.mean()) > 100


def test_predictions_of_a_row_do_not_depend_on_other_test_rows(rng: np.random.Generator) -> None:
    x, test = rng.normal(size=(100, 6)), rng.normal(size=(10, 6))
    y = (x[:, 0] + rng.normal(size=100) > 0).astype(np.float64)
    outliers = np.concatenate([test, test * 1e4])
    for fit in (probes.regress, lambda *parts: probes.classify(*parts, seed=3)):
        np.testing.assert_allclose(fit(x, y, outliers)[:10], fit(x, y, test), rtol=1e-5)


def test_failed_rows_become_the_mean_of_the_training_rows() -> None:
    train = np.array([[0.0, 2.0], [4.0, 6.0], [np.nan, np.nan]])
    test = np.array([[np.nan, np.nan], [100.0, 100.0]])
    x, x_test = probes.prepared(train, test)
    np.testing.assert_allclose(x[2], 0, atol=1e-12)
    np.testing.assert_allclose(x_test[0], 0, atol=1e-12)


def test_an_embedder_that_failed_on_all_training_rows_is_refused() -> None:
    nothing = np.full((3, 2), np.nan)
    with pytest.raises(ValueError, match="failed on every training row"):
        probes.prepared(nothing, np.zeros((1, 2)))
