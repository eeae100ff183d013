"""What expects errors: it finds who errs, knows nothing of the fold it judges, and is shy."""

from __future__ import annotations

import numpy as np
import pytest

from molkd.prediction import difficulty, spaces
from molkd.prediction.validation import HeldOut

RNG = np.random.default_rng(0)
EUCLID = spaces.space_of(RNG.normal(size=(30, 3)).astype(np.float32)).nearest


def _made(count: int, *, repeats: int = 1) -> tuple[np.ndarray, np.ndarray, HeldOut]:
    """Places whose errors grow with the first one, labels, and what was predicted."""
    rng = np.random.default_rng(1)
    places = rng.normal(size=(count, 3)).astype(np.float32)
    values = rng.normal(size=(repeats, count))
    hard = np.exp(places[:, 0])
    y = values[0] + hard * rng.normal(size=count)
    values = np.tile(values[0], (repeats, 1))
    folds = np.stack([rng.permutation(count) % 5 for _ in range(repeats)])
    return places, y, HeldOut(values, folds)


def test_where_errors_are_larger_more_is_expected() -> None:
    places, y, held_out = _made(600)
    found = difficulty.fit(EUCLID, places, y, held_out)
    new = np.array([[-1.5, 0, 0], [1.5, 0, 0]], dtype=np.float32)
    easy, hard = found.of(new, np.zeros(2))[0]
    assert hard > 1.5 * easy > 0


def test_a_small_table_makes_all_alike() -> None:
    spreads = []
    for count in (30, 600):
        places, y, held_out = _made(count)
        spreads.append(np.log(difficulty.crossed(EUCLID, places, y, held_out)).std())
    assert spreads[0] < 0.1 < spreads[1]


def test_repeats_are_no_more_evidence_than_their_compounds() -> None:
    spreads = []
    for repeats in (1, 5):
        places, y, held_out = _made(100, repeats=repeats)
        spreads.append(np.log(difficulty.crossed(EUCLID, places, y, held_out)).std())
    assert spreads[1] < 1.3 * spreads[0]


def test_nothing_of_a_fold_has_a_part_in_its_difficulty() -> None:
    places, y, held_out = _made(100)
    here = held_out.folds[0] == 2
    changed = np.where(here, y + RNG.normal(size=100) * 50, y)
    before, after = (difficulty.crossed(EUCLID, places, each, held_out)[0] for each in (y, changed))
    assert np.array_equal(before[here], after[here])
    assert not np.array_equal(before[~here], after[~here])
    before, after = (
        difficulty.judging(EUCLID, places, each, held_out)[0, 2] for each in (y, changed)
    )
    assert np.array_equal(before, after)


@pytest.mark.parametrize("off", [0.0, 2.0])
def test_compounds_that_are_equally_far_off_are_alike(off: float) -> None:
    places, _, held_out = _made(50)
    found = difficulty.crossed(EUCLID, places, held_out.values[0] + off, held_out)
    np.testing.assert_allclose(found, 1, atol=1e-6)


def test_compounds_that_are_all_the_same_are_alike() -> None:
    x = np.ones((30, 700), dtype=np.float32)
    places = spaces.space_of(x).of(x)
    y = RNG.normal(size=30)
    held_out = HeldOut(np.zeros((1, 30)), (np.arange(30) % 5)[np.newaxis])
    np.testing.assert_allclose(difficulty.crossed(EUCLID, places, y, held_out), 1, atol=0.05)


def test_the_nearest_by_counts_are_those_of_tanimoto(monkeypatch: pytest.MonkeyPatch) -> None:
    known = RNG.poisson(0.5, size=(50, 40)).astype(np.float32)
    x = RNG.poisson(0.5, size=(7, 45)).astype(np.float32)  # five columns are no counts
    monkeypatch.setattr(spaces, "_AT_ONCE", 3)
    space = spaces.space_of(x, 40)
    distances, rows = space.nearest(known, space.of(x), 4)
    both = [(np.minimum(one, other).sum(), np.maximum(one, other).sum())
            for one in x[:, :40] for other in known]  # fmt: skip
    expected = 1 - np.array([low / high for low, high in both]).reshape(7, 50)
    np.testing.assert_allclose(distances, np.sort(expected, axis=1)[:, :4], rtol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(expected, rows, axis=1), distances, rtol=1e-6)


@pytest.mark.parametrize("shape", [(40, 200), (200, 40)])
def test_a_space_keeps_distances_as_far_as_its_components_do(shape: tuple[int, int]) -> None:
    x = (RNG.normal(size=shape) * 5 + 3).astype(np.float32)
    x[:, 0] = 7  # a column that never varies
    space = spaces.space_of(x)
    places = space.of(x)
    assert places.shape == (shape[0], 39)
    z = (x[:, 1:] - x[:, 1:].mean(axis=0)) / x[:, 1:].std(axis=0)
    np.testing.assert_allclose(
        np.linalg.norm(places[0] - places[1]), np.linalg.norm(z[0] - z[1]), rtol=1e-4
    )


def test_a_molecule_beyond_all_measure_has_bounded_difficulty() -> None:
    places, y, held_out = _made(200)
    found = difficulty.fit(EUCLID, places, y, held_out)
    expected, parts = found.of(np.full((1, 3), 1e6, dtype=np.float32), np.array([1e9]))
    assert np.isfinite(expected).all()
    assert np.isfinite(parts).all()
    assert expected < 10
