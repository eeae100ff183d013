"""Measures of likeness against closed forms, slow references and their invariances."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.neighbors import NearestNeighbors

from molkd.benchmarks.diagnostics import linear_map
from molkd.benchmarks.diagnostics.linear_map import Parts, linear_r2
from molkd.errors import ShapeError
from molkd.targets import similarity

RNG = np.random.default_rng


def _rotation(rng: np.random.Generator, width: int) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(width, width)))[0]


def _slow_hsic(x: np.ndarray, y: np.ndarray) -> float:
    """Equation 5 of Song et al., 2012, letter by letter."""
    n, ones = len(x), np.ones(len(x))
    k, l = x @ x.T, y @ y.T  # noqa: E741
    np.fill_diagonal(k, 0)
    np.fill_diagonal(l, 0)
    inside = (
        np.trace(k @ l)
        + (ones @ k @ ones) * (ones @ l @ ones) / ((n - 1) * (n - 2))
        - 2 / (n - 2) * (ones @ k @ l @ ones)
    )
    return inside / (n * (n - 3))


@pytest.mark.parametrize("n", [12, 300], ids=["more columns", "more rows"])
def test_cka_equals_its_definition(n: int) -> None:
    rng = RNG(0)
    x = rng.normal(size=(n, 40)) + 3
    y = np.column_stack([x[:, :5] + rng.normal(size=(n, 5)), rng.normal(size=(n, 60)) - 1])
    expected = _slow_hsic(x, y) / np.sqrt(_slow_hsic(x, x) * _slow_hsic(y, y))
    found = similarity.cka([x, y])
    assert found[0, 1] == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(np.diagonal(found), 1)
    assert found[0, 1] == found[1, 0]


def test_cka_is_blind_to_rotation_scale_and_shift_and_to_nothing_else() -> None:
    rng = RNG(1)
    x = rng.normal(size=(200, 6)) * [5, 3, 2, 1, 1, 1]
    turned = 7 * x @ _rotation(rng, 6) + rng.normal(size=6)
    stretched = x * [1, 1, 1, 1, 1, 40]
    found = similarity.cka([x, turned, stretched])
    assert found[0, 1] == pytest.approx(1, abs=1e-9)
    assert found[0, 2] < 0.3


def test_cka_of_independent_wide_embeddings_is_about_zero() -> None:
    rng = RNG(2)
    x, y = rng.normal(size=(100, 2000)), rng.normal(size=(100, 2000))
    biased = np.square(x.T @ y).sum() / np.sqrt(np.square(x.T @ x).sum() * np.square(y.T @ y).sum())
    assert biased > 0.9  # why it is debiased
    found = [similarity.cka([rng.normal(size=(100, 500)), y])[0, 1] for _ in range(5)]
    assert abs(np.mean(found)) < 0.1


def test_cka_of_gaussians_tends_to_the_closed_form() -> None:
    """For y = a x + noise, isotropic in d dimensions: a² / (a² + 1), by the covariances."""
    rng = RNG(3)
    x = rng.normal(size=(20_000, 4))
    y = 0.8 * x + rng.normal(size=x.shape)
    assert similarity.cka([x, y])[0, 1] == pytest.approx(0.64 / 1.64, abs=0.02)


def test_cka_of_what_does_not_vary_is_nan_and_few_rows_are_refused() -> None:
    assert np.isnan(similarity.cka([np.ones((9, 2)), RNG(0).normal(size=(9, 2))])[0, 1])
    with pytest.raises(ShapeError, match="at least 4 rows, not 3"):
        similarity.cka([np.ones((3, 2)), np.ones((3, 2))])


def test_neighbours_are_those_of_scikit_learn() -> None:
    values = RNG(4).normal(size=(700, 12)).astype(np.float32) * np.arange(1, 13, dtype=np.float32)
    scaled = (values - values.mean(0)) / values.std(0)
    expected = NearestNeighbors(n_neighbors=6).fit(scaled).kneighbors(return_distance=False)
    found = similarity.neighbours(values, "real", k=6)
    np.testing.assert_array_equal(found, np.sort(expected, axis=1))


def test_neighbours_of_bits_are_by_tanimoto_and_of_equal_ones_the_first() -> None:
    rng = RNG(5)
    values = (rng.random((600, 30)) < 0.2).astype(np.float32)
    values[:3] = 0  # no bit at all: alike, and unlike all others
    found = similarity.neighbours(values, "bits", k=2)
    common = values @ values.T
    union = values.sum(1)[:, None] + values.sum(1) - common
    tanimoto = np.where(union > 0, common / np.maximum(union, 1), 1)
    np.fill_diagonal(tanimoto, -1)
    expected = np.sort(np.argsort(-tanimoto, axis=1, kind="stable")[:, :2], axis=1)
    np.testing.assert_array_equal(found, expected)
    assert found[0].tolist() == [1, 2]


def test_overlap_is_one_for_the_same_and_chance_for_independent_embeddings() -> None:
    rng = RNG(6)
    values, others = rng.normal(size=(2, 1500, 8)).astype(np.float32)
    near = similarity.neighbours(values, "real")
    assert similarity.overlap(near, near) == 1
    moved = similarity.neighbours(values * 3 + 1, "real")
    assert similarity.overlap(near, moved) > 0.999
    chance = similarity.overlap(near, similarity.neighbours(others, "real"))
    assert chance == pytest.approx(10 / 1499, rel=0.3)
    assert similarity.overlap(np.array([[0, 1, 2]]), np.array([[1, 2, 7]])) == pytest.approx(2 / 3)


def test_neighbours_need_more_rows_than_neighbours() -> None:
    with pytest.raises(ShapeError, match="10 neighbours need at least 11 rows, not 10"):
        similarity.neighbours(np.zeros((10, 2), dtype=np.float32), "real")


def test_effective_rank_is_the_width_of_isotropic_and_one_of_a_line() -> None:
    rng = RNG(7)
    isotropic = np.linalg.qr(rng.normal(size=(50, 8)))[0]
    isotropic = np.linalg.qr(isotropic - isotropic.mean(0))[0] * 5 + 2
    for values in (isotropic, isotropic @ _rotation(rng, 8)):
        assert similarity.effective_rank(values) == pytest.approx(8)
        assert similarity.participation_ratio(values) == pytest.approx(8)
    line = np.outer(rng.normal(size=50), rng.normal(size=60)) + 1
    assert similarity.effective_rank(line) == pytest.approx(1)
    assert similarity.participation_ratio(line) == pytest.approx(1)


def test_effective_rank_of_a_known_spectrum() -> None:
    basis = np.linalg.qr(RNG(8).normal(size=(40, 3)))[0]
    basis = np.linalg.qr(basis - basis.mean(0))[0]
    share = np.array([3, 2, 1]) / 6
    entropy = -(share * np.log(share)).sum()
    values = basis * [3, 2, 1]
    assert similarity.effective_rank(values) == pytest.approx(np.exp(entropy))
    assert similarity.participation_ratio(values) == pytest.approx(14**2 / (81 + 16 + 1))
    assert np.isnan(similarity.effective_rank(np.ones((5, 3))))
    assert np.isnan(similarity.participation_ratio(np.zeros((5, 0))))


def test_prepared_scales_real_columns_only_and_drops_constant_ones() -> None:
    values = RNG(9).normal(size=(80, 3)).astype(np.float32) * 100 + 7
    values[:, 1] = 4
    real = similarity.prepared(values, "real")
    assert real.shape == (80, 2)
    np.testing.assert_allclose(real.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(real.std(0), 1)
    counts = np.abs(values).round()
    logarithms = np.log1p(counts.astype(np.float64))[:, [0, 2]]
    expected = logarithms - logarithms.mean(axis=0)
    np.testing.assert_allclose(similarity.prepared(counts, "counts"), expected, atol=1e-12)
    bits = (values > 7).astype(np.float32)
    found = similarity.prepared(bits, "bits")
    np.testing.assert_allclose(found.var(axis=0), bits.var(axis=0)[[0, 2]], rtol=1e-6)
    with pytest.raises(ShapeError, match="no rows"):
        similarity.prepared(values[:0], "real")


def test_groups_and_order_put_like_beside_like() -> None:
    alike = np.eye(5)
    for a, b, value in ((0, 3, 0.95), (1, 4, 0.92), (0, 2, 0.5), (2, 3, 0.5)):
        alike[a, b] = alike[b, a] = value
    assert similarity.groups(alike, least=0.9) == [[0, 3], [1, 4], [2]]
    assert similarity.groups(alike, least=0.4) == [[0, 2, 3], [1, 4]]
    placed = similarity.order(alike)
    assert sorted(placed) == [0, 1, 2, 3, 4]
    assert abs(placed.index(0) - placed.index(3)) == 1
    assert abs(placed.index(1) - placed.index(4)) == 1
    assert similarity.groups(np.ones((1, 1)), least=0.9) == [[0]]
    alike[0, :] = alike[:, 0] = np.nan
    assert [0] in similarity.groups(alike, least=0.9)


def _parts(n: int, seed: int = 0) -> Parts:
    return Parts.of([f"item {row}" for row in range(n)], seed=seed)


def test_parts_are_disjoint_seeded_and_keep_equal_keys_together() -> None:
    keys = [f"{row % 150}" for row in range(300)]
    parts = Parts.of(keys, seed=3)
    joined = np.concatenate([parts.fit, parts.choose, parts.test])
    np.testing.assert_array_equal(np.sort(joined), np.arange(300))
    np.testing.assert_array_equal(np.sort(np.concatenate([parts.fit, parts.choose])), parts.train)
    assert len(parts.test) == 90
    for here, there in ((parts.train, parts.test), (parts.fit, parts.choose)):
        assert not {keys[row] for row in here} & {keys[row] for row in there}
    assert Parts.of(keys, seed=4).test.tolist() != parts.test.tolist()


def test_r2_is_one_for_a_linear_image_and_not_above_zero_for_noise() -> None:
    rng = RNG(10)
    x = rng.normal(size=(600, 20))
    image, noise = x @ rng.normal(size=(20, 7)) + 4, rng.normal(size=(600, 7))
    one, none, constant = linear_r2(x, [image, noise, np.ones((600, 2))], _parts(600))
    assert one == pytest.approx(1, abs=1e-6)
    assert -0.05 < none < 0.02
    assert np.isnan(constant)


def test_r2_approaches_the_closed_form() -> None:
    """Columns with variances 9 and 1, of which the shares .8 and .2 are explained: .74 of all."""
    rng = RNG(11)
    x = rng.normal(size=(6000, 2))
    part = np.array([0.8, 0.2])
    y = (np.sqrt(part) * x + np.sqrt(1 - part) * rng.normal(size=x.shape)) * [3, 1]
    assert linear_r2(x, [y], _parts(6000))[0] == pytest.approx(0.74, abs=0.02)


@pytest.mark.parametrize("width", [15, 500], ids=["more rows", "more columns"])
def test_r2_is_that_of_scikit_learn_with_the_penalty_chosen_on_training_rows(width: int) -> None:
    rng = RNG(12)
    x = rng.normal(size=(200, width))
    y = x[:, :10] @ rng.normal(size=(10, 3)) + 2 * rng.normal(size=(200, 3))
    parts = _parts(200)

    def fitted(rows: np.ndarray, strength: float) -> Ridge:
        s = np.linalg.svd(x[rows] - x[rows].mean(0), compute_uv=False)
        return Ridge(alpha=strength * np.square(s).mean()).fit(x[rows], y[rows])

    def loss(strength: float) -> float:
        guess = fitted(parts.fit, strength).predict(x[parts.choose])
        return np.square(guess - y[parts.choose]).sum()

    guess = fitted(parts.train, min(linear_map.STRENGTHS, key=loss)).predict(x[parts.test])
    expected = r2_score(y[parts.test], guess, multioutput="variance_weighted")
    assert linear_r2(x, [y], parts)[0] == pytest.approx(expected, rel=1e-6)


def test_r2_does_not_read_the_test_rows() -> None:
    rng = RNG(13)
    x = rng.normal(size=(200, 150))
    y = rng.normal(size=(200, 2))
    parts = _parts(200)
    leaking = Parts(parts.fit, parts.choose, np.arange(200), parts.test)
    assert linear_r2(x, [y], parts)[0] < 0.05
    y_all = x[:, :2] * 1e-3
    y_all[parts.test] = y[parts.test]  # only the test rows could teach this
    assert linear_r2(x, [y_all], parts)[0] < 0.05
    assert linear_r2(x, [y_all], leaking)[0] > 0.05
