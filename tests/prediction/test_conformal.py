"""Conformal intervals and sets hold what they promise where rows can change places."""

from __future__ import annotations

import numpy as np
import pytest

from molkd.prediction import conformal


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95])
def test_intervals_hold_their_share_of_new_rows(confidence: float) -> None:
    rng = np.random.default_rng(0)
    inside = [
        np.mean(np.abs(rng.normal(size=50)) <= conformal.width(
            np.abs(rng.normal(size=60)), 60, confidence
        ))
        for _ in range(400)
    ]  # fmt: skip
    assert np.mean(inside) == pytest.approx(confidence, abs=0.02)


def test_too_few_rows_promise_nothing() -> None:
    assert conformal.width(np.ones(10), 10, 0.95) == np.inf
    assert conformal.width(np.arange(10.0), 10, 0.9) == 9


def test_repeats_do_not_make_shares_more_exact_than_their_compounds() -> None:
    errors = np.arange(10.0)
    assert conformal.width(np.tile(errors, 50), 10, 0.9) == 9
    assert conformal.width(np.tile(errors, 50), 10, 0.95) == np.inf
    asked, known = np.linspace(0, 1, 11), np.linspace(0.05, 0.95, 8)
    once = conformal.sets(asked, known, np.ones(8), 0.9)
    again = conformal.sets(asked, np.tile(known, 5), np.ones(40), 0.9, repeats=5)
    assert once.tolist() == again.tolist()
    assert once[:, 1].all()  # eight compounds rule nothing out at .9


@pytest.mark.parametrize(("count", "share", "rank"), [(19, 0.9, 18), (99, 0.9, 90), (9, 0.8, 8)])
def test_the_error_of_that_rank_is_taken(count: int, share: float, rank: int) -> None:
    assert conformal.width(np.arange(count) + 1.0, count, share) == rank


def test_sets_hold_their_share_of_each_class() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 4000).astype(float) * (rng.random(4000) < 0.3)
    probability = 1 / (1 + np.exp(-rng.normal(y - 0.5, 1)))
    known, new = slice(0, 2000), slice(2000, None)
    found = conformal.sets(probability[new], probability[known], y[known], 0.8)
    for place in (0, 1):
        of_class = y[new] == place
        assert found[of_class, place].mean() == pytest.approx(0.8, abs=0.05)


def test_a_set_is_never_empty() -> None:
    y = np.repeat([0.0, 1.0], 100)
    found = conformal.sets(np.array([0.5, 0.4, 0.99]), np.repeat([0.01, 0.98], 100), y, 0.9)
    assert found.any(axis=1).all()
    assert found[2].tolist() == [False, True]


def test_what_was_held_is_measured_with_the_errors_of_other_folds() -> None:
    y = np.zeros(20)
    predicted = np.repeat([0.0, 1.0], 10)[np.newaxis]  # the second fold errs, the first does not
    folds = np.repeat([0, 1], 10)[np.newaxis]
    inside = conformal.held(y, predicted, folds, 0.8, classes=False)
    assert inside.tolist() == [1.0] * 10 + [0.0] * 10


def test_intervals_are_as_wide_as_a_compound_is_difficult() -> None:
    rng = np.random.default_rng(0)
    hard = rng.choice([1.0, 4.0], 4000)
    off = hard * rng.normal(size=4000)
    known, new = slice(0, 2000), slice(2000, None)
    found = conformal.bounds(
        np.zeros(2000),
        np.zeros((1, 2000)),
        off[known],
        0.9,
        classes=False,
        difficulty=(3 * hard[new], 3 * hard[np.newaxis, known]),
    )
    inside = (found[:, 0] <= off[new]) & (off[new] <= found[:, 1])
    for level in (1.0, 4.0):
        assert inside[hard[new] == level].mean() == pytest.approx(0.9, abs=0.03)
    equal = conformal.bounds(np.zeros(1), np.zeros((1, 2000)), off[known], 0.9, classes=False)
    assert np.ptp(equal) > np.diff(found[hard[new] == 1]).max()


def test_what_was_held_counts_difficulties_by_the_fold_that_is_judged() -> None:
    y, predicted = np.zeros(20), np.repeat([1.0, 2.0], 10)[np.newaxis]
    folds = np.repeat([0, 1], 10)[np.newaxis]
    alike = np.ones((1, 2, 20))
    known = np.stack([np.repeat([1.0, 2.0], 10), np.ones(20)])[np.newaxis]
    held = [
        conformal.held(y, predicted, folds, 0.8, classes=False, difficulty=difficulty).tolist()
        for difficulty in (alike, known)
    ]
    assert held[0] == [1.0] * 10 + [0.0] * 10
    assert held[1] == [1.0] * 10 + [0.0] * 10
    known[0, 1] = known[0, 0]
    assert conformal.held(y, predicted, folds, 0.8, classes=False, difficulty=known).all()
