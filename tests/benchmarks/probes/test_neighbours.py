"""Nearest neighbours on a few points, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from molkd.benchmarks.probes import Part
from molkd.benchmarks.probes.neighbours import Neighbours


def part(x: list[list[float]], y: list[float]) -> Part:
    return Part(np.array(x, dtype=np.float32), np.array(y))


LINE = part([[0.0], [1.0], [3.0], [7.0]], [0.0, 2.0, 10.0, 50.0])


def only(k: int, valid: Part, kind: str = "regression", train: Part = LINE) -> tuple:
    fitted = Neighbours(neighbours=(k,)).fit(train, valid, kind=kind, seed=0)
    return fitted, dict(fitted.chosen)


def test_the_mean_of_the_nearest_rows_is_predicted() -> None:
    fitted, chosen = only(2, part([[0.4], [2.0]], [1.0, 6.0]))
    assert chosen == {"directions": 0.0, "k": 2.0, "weighted": 0.0}
    np.testing.assert_allclose(
        fitted.predict(np.array([[-5.0], [6.5]], dtype=np.float32)), [1.0, 30.0]
    )


def test_near_rows_may_weigh_more() -> None:
    fitted, chosen = only(2, part([[0.25], [1.5]], [0.5, 4.0]))
    assert chosen["weighted"] == 1.0
    predicted = fitted.predict(np.array([[0.25], [1.0]], dtype=np.float32))
    np.testing.assert_allclose(predicted, [0.5, 2.0], atol=1e-3)  # at a row, that row decides


def test_probabilities_count_one_average_neighbour() -> None:
    train = part([[0.0], [1.0], [3.0], [7.0]], [0.0, 0.0, 0.0, 1.0])
    fitted, _ = only(2, part([[6.0], [0.0]], [1.0, 0.0]), "classification", train)
    predicted = fitted.predict(np.array([[0.5], [5.5]], dtype=np.float32))
    np.testing.assert_allclose(predicted[0], (0 + 0.25) / 3)
    assert 0.25 < predicted[1] < 0.75


def test_directions_are_compared_where_they_tell_more() -> None:
    rng = np.random.default_rng(0)
    angle, length = rng.uniform(0, 2 * np.pi, 500), 10 ** rng.uniform(-2, 2, 500)
    x = np.column_stack([np.cos(angle), np.sin(angle)]) * length[:, None]
    train, valid = (
        Part(x[rows].astype(np.float32), np.sin(angle[rows]))
        for rows in (slice(400), slice(400, 500))
    )
    fitted = Neighbours().fit(train, valid, kind="regression", seed=0)
    assert fitted.chosen["directions"] == 1.0
    np.testing.assert_allclose(fitted.predict(valid.x), valid.y, atol=0.1)
    narrow = Part(train.x, length[:400]), Part(valid.x, length[400:])
    assert Neighbours().fit(*narrow, kind="regression", seed=0).chosen["directions"] == 0.0


@pytest.mark.parametrize("weighted", [0.0, 1.0])
def test_no_more_neighbours_are_asked_than_there_are(weighted: float) -> None:
    train = part([[0.0], [1.0]], [0.0, 1.0])
    valid = part([[0.9]], [0.5 if weighted == 0 else 0.9])
    fitted = Neighbours(neighbours=(50, 2)).fit(train, valid, kind="regression", seed=0)
    assert fitted.chosen == {"directions": 0.0, "k": 2.0, "weighted": weighted}
    assert only(50, valid, train=train)[1]["k"] == 2.0
