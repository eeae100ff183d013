"""Worlds have the properties that their conditions state."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from molkd.benchmarks.studies.likelihood import conditions, synthetic
from molkd.benchmarks.studies.likelihood.conditions import CONDITIONS, make
from molkd.benchmarks.studies.likelihood.synthetic import World
from molkd.errors import ConfigError, UnknownNameError

ROWS = 8000


def world(condition: str, level: float, seed: int = 0, rows: int = ROWS) -> World:
    return make(condition, level, rows=rows, fresh=50, seed=seed)


def stacked(made: World, what: str = "values") -> np.ndarray:
    return np.stack([getattr(teacher, what) for teacher in made.teachers.values()])


def residual(x: np.ndarray, y: np.ndarray) -> float:
    """Share of the variance of y that no linear map of x explains."""
    inputs = np.column_stack([x, np.ones(len(x))]).astype(np.float64)
    error = y - inputs @ np.linalg.lstsq(inputs, y, rcond=None)[0]
    return float(np.square(error).sum() / np.square(y - y.mean(axis=0)).sum())


CLEAN = stacked(world("clean", 0)).astype(np.float64)


def test_clean_teachers_are_directions_of_the_truth_with_variance_1() -> None:
    made = world("clean", 0)
    assert CLEAN.shape == (synthetic.TEACHERS, ROWS, synthetic.DIM)
    assert CLEAN.var(axis=1) == pytest.approx(1, abs=0.1)
    for values in CLEAN:
        assert residual(made.truth[:ROWS], values) < 1e-9
    assert not stacked(made, "marked").any()


def test_features_show_truth_and_nuisance_but_the_truth_not_linearly() -> None:
    made = world("clean", 0)
    assert made.features.shape == (ROWS + 50, synthetic.FEATURES)
    left = residual(made.features, made.truth)
    assert 1e-3 < left < 0.5


@pytest.mark.parametrize("condition", CONDITIONS)
def test_levels_share_all_but_what_is_spoilt(condition: str) -> None:
    clean = world("clean", 0, rows=200)
    for level in CONDITIONS[condition].levels:
        made, again, other = (world(condition, level, seed, 200) for seed in (0, 0, 1))
        assert np.array_equal(made.truth, clean.truth)
        assert np.array_equal(made.features, clean.features)
        assert np.array_equal(stacked(made), stacked(again))
        assert not np.array_equal(stacked(made), stacked(other))
        shapes = {
            teacher.marked.shape == teacher.values.shape for teacher in made.teachers.values()
        }
        assert shapes == {True}


@pytest.mark.parametrize("level", [0.5, 4.0])
def test_even_noise_has_its_variance_everywhere(level: float) -> None:
    noise = stacked(world("even", level)) - CLEAN
    assert np.square(noise).mean(axis=1) == pytest.approx(level**2, rel=0.1)
    assert np.square(noise).mean() == pytest.approx(level**2, rel=0.02)


@pytest.mark.parametrize("condition", ["rows", "rows-truth"])
def test_noise_of_rows_has_the_stated_mean_and_spread(condition: str) -> None:
    made = world(condition, 1.5)
    variance = np.square(stacked(made) - CLEAN).mean(axis=(0, 2))
    assert variance.mean() == pytest.approx(conditions.NOISE**2, rel=0.15)
    assert np.log(variance).std() == pytest.approx(1.5, rel=0.05)
    by_truth = [abs(np.corrcoef(np.log(variance), u)[0, 1]) for u in made.truth[:ROWS].T]
    assert max(by_truth) < 0.05 or by_truth[0] > 0.95
    assert (by_truth[0] > 0.95) == (condition == "rows-truth")
    assert residual(made.features[:ROWS], np.log(variance)[:, None]) < 0.5
    marked = stacked(made, "marked")
    assert marked.mean() == pytest.approx(0.1, abs=1e-3)
    noisiest = marked[0, :, 0]
    assert variance[noisiest].mean() > 3 * variance[~noisiest].mean()


def test_a_share_of_dimensions_is_noise_and_the_rest_untouched() -> None:
    made = world("dimensions", 0.75)
    marked = stacked(made, "marked")
    assert marked[:, 0].sum(axis=1).tolist() == [12] * synthetic.TEACHERS
    assert (stacked(made) == CLEAN.astype(np.float32))[~marked].all()
    for teacher in made.teachers.values():
        noise = teacher.values[:, teacher.marked[0]]
        assert noise.var() == pytest.approx(1, abs=0.02)
        assert residual(made.truth[:ROWS], noise) > 0.995


@pytest.mark.parametrize("count", [1, 3])
def test_whole_teachers_are_noise(count: int) -> None:
    made = world("teachers", count)
    left = [residual(made.truth[:ROWS], t.values) for t in made.teachers.values()]
    assert sum(one > 0.99 for one in left) == count
    assert sum(one < 1e-9 for one in left) == synthetic.TEACHERS - count
    assert [t.marked.all() for t in made.teachers.values()] == [one > 0.99 for one in left]


@pytest.mark.parametrize("share", [0.3, 0.05, 0.01])
def test_bits_have_their_frequency_and_are_thresholds(share: float) -> None:
    made = world("bits", share)
    bits = stacked(made)
    assert set(np.unique(bits)) == {0.0, 1.0}
    assert bits.mean(axis=1) == pytest.approx(share, abs=2 / ROWS)
    lowest_one = np.where(bits == 1, CLEAN, np.inf).min(axis=1)
    assert (lowest_one > np.where(bits == 0, CLEAN, -np.inf).max(axis=1)).all()
    assert {teacher.support for teacher in made.teachers.values()} == {"bits"}


@pytest.mark.parametrize("dispersion", [0.0, 1.0, 4.0])
def test_counts_have_the_mean_and_variance_of_their_mixture(dispersion: float) -> None:
    counts = stacked(world("counts", dispersion)).astype(np.float64)
    power = conditions.LOG_RATE_SD**2
    mean, square = np.exp(power / 2), np.exp(2 * power)
    assert counts.mean() == pytest.approx(mean, rel=0.03)
    expected = mean + square * (1 + dispersion) - mean**2
    assert counts.var() == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("count", [1, 3, 6])
def test_copies_agree_and_see_another_half_than_the_lone_teacher(count: int) -> None:
    made = world("copies", count)
    lone, *copies = (teacher.values for teacher in made.teachers.values())
    assert len(copies) == count
    truth = made.truth[:ROWS]
    expected = 1 / (1 + conditions.COPY_NOISE**2)
    for one, other in itertools.pairwise(copies):
        for a, b in zip(one.T, other.T, strict=True):
            assert np.corrcoef(a, b)[0, 1] == pytest.approx(expected, abs=1e-3)
    for values, own, others in [(lone, truth[:, 4:], truth[:, :4])] + [
        (copy, truth[:, :4], truth[:, 4:]) for copy in copies
    ]:
        assert residual(own, values) == pytest.approx(1 - expected, abs=2e-3)
        assert residual(others, values) > 0.99


def test_outliers_are_a_share_of_entries_with_their_variance() -> None:
    made = world("outliers", 0.05)
    marked, moved = stacked(made, "marked"), stacked(made) - CLEAN
    assert marked.mean() == pytest.approx(0.05, abs=0.002)
    assert np.abs(moved[~marked]).max() < 1e-6
    assert moved[marked].std() == pytest.approx(conditions.OUTLIER, rel=0.02)


def test_copyable_dimensions_are_linear_in_the_features_and_not_in_the_truth() -> None:
    made = world("copyable", 4)
    for teacher, clean in zip(made.teachers.values(), CLEAN, strict=True):
        easy = teacher.marked[0]
        assert easy.sum() == 4
        assert residual(made.features[:ROWS], teacher.values[:, easy]) < 1e-9
        assert residual(made.truth[:ROWS], teacher.values[:, easy]) > 0.99
        noise = (teacher.values - clean)[:, ~easy]
        assert noise.std() == pytest.approx(conditions.BLUR, rel=0.02)


def test_unknown_conditions_and_too_few_rows_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="copyable"):
        make("copyible", 1, rows=10, fresh=0, seed=0)
    with pytest.raises(ConfigError, match="at least 2 rows"):
        make("clean", 0, rows=1, fresh=0, seed=0)
