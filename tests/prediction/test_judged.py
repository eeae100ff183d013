"""Every compound of a task is held out once, with what was said of it before."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from molkd.benchmarks.tasks.task import Task
from molkd.prediction.judged import Judged, judged
from tests.prediction.compounds import CLASSES, SMILES, VALUES

ERRORS = np.repeat([3.0, 1.0], [10, 90])
SCORES = np.linspace(0, 1, 100)
ONE = Judged(
    name="g:ames",
    kind="regression",
    y=ERRORS,
    predicted=np.zeros(100),
    reliable=SCORES,
    familiar=SCORES,
    similar=-SCORES,
    inside=np.column_stack([SCORES < 0.9, np.arange(100) >= 20]),
    widths=np.tile([1.0, 2.0], (100, 1)),
    fidelity=np.full(100, np.nan),
)
CLASS = np.arange(100.0) % 2
PROBABLE = replace(
    ONE,
    kind="classification",
    y=CLASS,
    predicted=np.where(np.arange(100) < 10, 1 - CLASS, 0.5),  # the first tenth is upside down
    inside=np.ones((100, 2)),
    widths=np.full((100, 2), np.nan),
)


def _task(kind: Literal["regression", "binary"], labels: list[float]) -> Task:
    return Task(
        name="g:own",
        group="g",
        kind=kind,
        metric="R2",
        items=tuple(SMILES),
        labels=np.array(labels)[:, np.newaxis],
        label_names=("y",),
        scale="linear",
        split="scaffold",
        source="",
    )


def test_the_lowest_tenth_is_compared_with_the_rest() -> None:
    assert ONE.ratio(ONE.familiar) == 3
    assert ONE.ratio(ONE.similar) == pytest.approx(1 / (80 + 30) * 90)
    assert PROBABLE.ratio(PROBABLE.reliable) == 4  # squared errors
    assert ONE.hardest.tolist() == [1, 0]


def test_ranks_are_compared_within_the_tenth_and_within_the_rest() -> None:
    assert PROBABLE.misranked(PROBABLE.reliable) == (1, 0.5)
    rare = replace(PROBABLE, y=np.where(np.arange(100) < 7, 0.0, CLASS))
    assert np.isnan(rare.misranked(rare.reliable)[0])  # two of a class in the tenth


def test_every_compound_is_held_out_once() -> None:
    found = judged(50, "molkd-tiny", _task("regression", VALUES))
    assert len(found.errors) == 50
    assert (found.errors >= 0).all()
    for scores in (found.similar, found.reliable, found.familiar):
        assert ((scores >= 0) & (scores <= 1)).all()
    assert set(found.inside.ravel()) <= {0.0, 1.0}
    assert (found.widths > 0).all()
    assert np.isnan(found.fidelity).all()


def test_classes_have_scores_and_no_widths() -> None:
    found = judged(60, "molkd-tiny", _task("binary", [float(one == "active") for one in CLASSES]))
    assert ((found.reliable >= 0) & (found.reliable <= 1)).all()
    assert np.isnan(found.widths).all()
    np.testing.assert_array_equal(found.errors, (found.predicted - found.y) ** 2)
