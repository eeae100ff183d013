from __future__ import annotations

import comparison
import numpy as np
import pytest


def test_holm_on_a_worked_example() -> None:
    corrected = comparison.holm({"a": 0.04, "b": 0.01, "c": 0.03})
    assert corrected == pytest.approx({"a": 0.06, "b": 0.03, "c": 0.06})


def test_holm_never_exceeds_one() -> None:
    assert comparison.holm({"a": 0.6, "b": 0.7}) == {"a": 1.0, "b": 1.0}


def test_mean_ranks_share_ties() -> None:
    scores = np.array([[0.9, 0.5, 0.5], [0.1, 0.2, 0.3]])
    np.testing.assert_allclose(comparison.mean_ranks(scores), [2.0, 2.25, 1.75])


def test_against_counts_wins_and_tests_pairs() -> None:
    rng = np.random.default_rng(0)
    own = rng.uniform(size=22)
    better = own - np.linspace(0.01, 0.05, 22)
    scores = np.column_stack([own, better, own])
    found = comparison.against(scores, ["own", "worse", "same"], "own")
    assert list(found) == ["worse", "same"]
    assert (found["worse"]["wins"], found["worse"]["losses"]) == (22, 0)
    assert found["worse"]["mean_difference"] == pytest.approx(0.03)
    assert found["worse"]["p"] == pytest.approx(2 / 2**22)  # all signs alike, exact test
    assert found["worse"]["p_holm"] == pytest.approx(4 / 2**22)
    assert (found["same"]["wins"], found["same"]["losses"], found["same"]["p"]) == (0, 0, 1.0)
