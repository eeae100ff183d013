"""A score says what share of the measured compounds was expected to err more."""

from __future__ import annotations

from typing import Any

import numpy as np

from molkd.prediction import reliability
from molkd.prediction.validation import HeldOut

KNOWN = np.arange(10.0).reshape(2, 5)


def test_a_score_is_the_share_that_was_expected_to_err_more() -> None:
    found = reliability.scores(np.array([-1, 4.5, 20, np.nan]), KNOWN)
    np.testing.assert_array_equal(found, [1, 0.5, 0, np.nan])


def test_equal_ones_count_half() -> None:
    assert reliability.scores(np.array([4.0]), KNOWN).tolist() == [0.55]
    assert reliability.scores(np.ones(3), np.ones((1, 7))).tolist() == [0.5] * 3
    nearly = reliability.scores(np.array([1.0]), np.array([[0.98, 1.02, 2.0]]), apart=1.05)
    np.testing.assert_allclose(nearly, [2 / 3])


def test_a_low_score_has_the_reason_that_weighs_most() -> None:
    parts = np.array([[0.3, 0.1, 0, 0], [0.1, 0.3, 0, 0], [0.1, 0, -0.3, 0.5], [-1, -1, -1, 0]])
    said = reliability.reasons(np.array([0.1, 0.1, 0.1, 0.1]), parts)
    assert said == {0: reliability.FAR, 1: reliability.BADLY, 2: reliability.SUCH}
    assert reliability.reasons(np.array([0.5, 0.19, np.nan]), None) == {1: reliability.EVEN}


def test_the_lowest_are_compared_with_the_others() -> None:
    errors = np.repeat([3.0, 1.0], [2, 8])
    assert reliability.excess(np.arange(10.0), errors, 0.2) == 3
    assert reliability.lowest(np.arange(10.0)[::-1], 0.01).tolist() == [False] * 9 + [True]


def test_what_is_learnt_speaks_of_new_molecules() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 8)).astype(np.float32)
    far = np.linalg.norm(x, axis=1) > np.quantile(np.linalg.norm(x, axis=1), 0.8)
    values = rng.normal(size=200)
    y = values + np.where(far, 3.0, 0.2) * rng.choice([-1, 1], 200)
    held_out = HeldOut(values[np.newaxis], (np.arange(200) % 5)[np.newaxis])
    learnt = reliability.learn(x, y, held_out)
    new = np.stack([np.zeros(8), np.full(8, 3.0)]).astype(np.float32)
    expected, parts = learnt.of(new, np.zeros(2))
    near, strange = learnt.scores(expected)
    assert near > 0.6
    assert strange < 0.05
    assert reliability.reasons(np.array([near, strange]), parts) == {1: reliability.FAR}


def test_what_shares_nothing_is_as_hard_as_the_hardest_in_whatever_order() -> None:
    rng = np.random.default_rng(0)
    x = np.pad(rng.poisson(0.5, size=(200, 30)), ((0, 0), (0, 10))).astype(np.float32)
    values = rng.normal(size=200)
    y = values + rng.normal(size=200)
    held_out = HeldOut(values[np.newaxis], (np.arange(200) % 5)[np.newaxis])
    new = np.zeros((1, 40), dtype=np.float32)
    new[0, -3:] = 1  # which no compound has
    found: list[float] = []
    for order in (np.arange(200), rng.permutation(200)):
        folds = HeldOut(held_out.values[:, order], held_out.folds[:, order])
        learnt = reliability.learn(x[order], y[order], folds, counted=40)
        expected, parts = learnt.of(new, np.zeros(1))
        assert expected[0] >= learnt.held_out.max()
        assert reliability.reasons(np.array([0.01]), parts) == {0: reliability.FAR}
        found.append(float(learnt.difficulty.of(new, np.zeros(1))[0][0]))
    np.testing.assert_allclose(found[0], found[1], rtol=2e-3)  # other ties are by row


def test_a_small_table_takes_nearly_equal_ones_for_equal() -> None:
    rng = np.random.default_rng(0)
    spreads = []
    for count in (25, 2500):
        known = np.exp(rng.normal(scale=0.05, size=(1, count)))
        nothing: Any = None
        found = reliability.ExpectedErrors(nothing, nothing, known, nothing)
        spreads.append(np.ptp(found.scores(np.array([0.95, 1.05]))))
    assert spreads[0] < 0.3 < spreads[1]
