"""Inputs of probes are standardised by training rows alone, whatever their scale."""

from __future__ import annotations

import numpy as np
import pytest

from molkd.benchmarks.probes.inputs import BLOCK, Scaler
from molkd.errors import ConfigError, InputError, ShapeError


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def rows(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    return (rng.normal(size=(n, d)) * np.linspace(0.01, 100, d) + 7).astype(np.float32)


def distances(x: np.ndarray) -> np.ndarray:
    return np.linalg.norm(x[:, None] - x[None], axis=-1)


def test_training_rows_get_mean_0_and_sd_1(rng: np.random.Generator) -> None:
    x = rows(rng, 200, BLOCK + 3)
    scaled = Scaler.fit(x).transform(x)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=0), 1, atol=1e-5)


@pytest.mark.parametrize("components", [None, 3])
def test_other_rows_are_scaled_by_what_training_rows_say(
    rng: np.random.Generator, components: int | None
) -> None:
    train, other = rows(rng, 300, 6), rows(rng, 40, 6)
    scaler = Scaler.fit(train, components=components)
    alone = scaler.transform(train)
    scaled = scaler.transform(other)
    np.testing.assert_array_equal(scaler.transform(train), alone)
    # the same row gets the same values, whatever comes with it
    far = np.concatenate([other[:5], other * 1000])
    np.testing.assert_allclose(scaler.transform(far)[:5], scaled[:5], rtol=1e-5, atol=1e-6)
    if components is None:
        expected = (other - train.mean(axis=0, dtype=np.float64)) / train.std(
            axis=0, dtype=np.float64
        )
        np.testing.assert_allclose(scaled, expected, rtol=1e-5, atol=1e-5)


def test_training_rows_decide_the_scaler(rng: np.random.Generator) -> None:
    train, test = rows(rng, 60, 4), rows(rng, 60, 4)
    leaking = Scaler.fit(np.concatenate([train, test * 3]))
    assert not np.allclose(Scaler.fit(train).transform(test), leaking.transform(test), rtol=0.05)


def test_constant_columns_become_0_even_where_other_rows_differ(rng: np.random.Generator) -> None:
    x = rows(rng, 50, 3)
    x[:, 1] = np.float32(0.1)  # whose mean in floating point is not exactly 0.1
    scaler = Scaler.fit(x)
    other = rows(rng, 5, 3)
    assert (scaler.transform(x)[:, 1] == 0).all()
    assert (scaler.transform(other)[:, 1] == 0).all()
    assert (scaler.transform(other)[:, [0, 2]] != 0).any()


def test_rows_are_cut_off_where_no_training_row_can_lie(rng: np.random.Generator) -> None:
    train = np.zeros((25, 2), dtype=np.float32)
    train[0, 0] = 1.0  # as far as a training row can be: sqrt(n - 1) sds
    train[:, 1] = rng.normal(size=25)
    scaler = Scaler.fit(train)
    assert scaler.transform(train)[0, 0] == pytest.approx(24**0.5)
    assert scaler.transform(np.array([[3e38, -3e38]], dtype=np.float32)).tolist() == [[5.0, -5.0]]


@pytest.mark.parametrize("size", [1e-38, 1e-20, 1e20, 1e38])
def test_the_ends_of_single_precision_are_standardised(
    rng: np.random.Generator, size: float
) -> None:
    x = (rng.uniform(-1, 1, size=(100, 2)) * size).astype(np.float32)
    scaled = Scaler.fit(x).transform(x)
    np.testing.assert_allclose(scaled.std(axis=0), 1, rtol=1e-4)


def test_a_small_spread_around_a_large_mean_is_not_lost() -> None:
    x = np.array([[16777214.0], [16777215.0], [16777216.0]], dtype=np.float32)
    np.testing.assert_allclose(
        Scaler.fit(x).transform(x)[:, 0], [-(1.5**0.5), 0, 1.5**0.5], rtol=1e-6
    )


def test_all_components_keep_all_distances(rng: np.random.Generator) -> None:
    x = rows(rng, 80, 5)
    kept, plain = (Scaler.fit(x, components=c).transform(x) for c in (5, None))
    ratio = distances(kept)[~np.eye(80, dtype=bool)] / distances(plain)[~np.eye(80, dtype=bool)]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)
    np.testing.assert_allclose(kept.var(axis=0, ddof=1).mean(), 1, rtol=1e-4)


def test_leading_components_hold_what_columns_share(rng: np.random.Generator) -> None:
    shared = rng.normal(size=(500, 1))
    x = (shared + 0.1 * rng.normal(size=(500, 30))).astype(np.float32)
    scaled = Scaler.fit(x, components=2).transform(x)
    assert abs(np.corrcoef(scaled[:, 0], shared[:, 0])[0, 1]) > 0.999
    assert scaled[:, 0].std() > 10 * scaled[:, 1].std()  # proportions are kept


def test_wide_embeddings_are_projected_the_same_way_twice(rng: np.random.Generator) -> None:
    x = rows(rng, 60, 1500)
    first, second = (Scaler.fit(x, components=8).transform(x) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.shape == (60, 8)


@pytest.mark.parametrize(("n", "d", "width"), [(4, 10, 3), (50, 2, 2)])
def test_components_are_no_more_than_the_training_rows_can_tell(
    rng: np.random.Generator, n: int, d: int, width: int
) -> None:
    x = rows(rng, n, d)
    scaler = Scaler.fit(x, components=99)
    assert scaler.transform(x).shape == (n, width)
    assert scaler.transform(x[:0]).shape == (0, width)


def test_what_does_not_vary_is_not_projected() -> None:
    x = np.ones((5, 3), dtype=np.float32)
    np.testing.assert_array_equal(Scaler.fit(x, components=2).transform(x), np.zeros((5, 3)))


def test_bad_embeddings_are_refused(rng: np.random.Generator) -> None:
    x = rows(rng, 5, 3)
    scaler = Scaler.fit(x)
    bad = x.copy()
    bad[3, 1] = np.nan
    with pytest.raises(InputError, match="row 3 of the embeddings holds NaN"):
        Scaler.fit(bad)
    with pytest.raises(InputError, match="row 3"):
        scaler.transform(bad)
    with pytest.raises(InputError, match="at least one row"):
        Scaler.fit(x[:0])
    with pytest.raises(ShapeError, match=r"\(5, 2\).*\(m, 3\)"):
        scaler.transform(x[:, :2])
    with pytest.raises(ShapeError, match=r"\(n, d\)"):
        Scaler.fit(x[0])
    with pytest.raises(ConfigError, match="at least 1"):
        Scaler.fit(x, components=0)
