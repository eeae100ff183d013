"""The program that says what familiarity and intervals are worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from molkd.benchmarks.tasks.task import Task
from molkd.prediction import calibration
from molkd.prediction.calibration import Judged
from tests.prediction.compounds import SMILES, VALUES

ERRORS = np.repeat([3.0, 1.0], [10, 90])
SCORES = np.linspace(0, 1, 100)
ONE = Judged("g:ames", "regression", ERRORS, SCORES, -SCORES, SCORES < 0.9, np.full(100, np.nan))


def test_the_lowest_tenth_is_compared_with_the_rest() -> None:
    assert ONE.ratio(ONE.familiar) == 3
    assert ONE.ratio(ONE.similar) == pytest.approx(1 / (80 + 30) * 90)


def test_the_report_tells_tasks_of_the_choice_from_others() -> None:
    known = replace(ONE, fidelity=ERRORS)
    every = [known, known, replace(known, name="g:hia_hou"), replace(known, name="g:caco2_wang")]
    page = calibration.report(every)
    assert "| ames | 3.00 | 0.82 | 90.0 |" in page
    assert "| hia_hou (held back) |" in page
    assert "| chosen on (2) | 3.00 [3.00, 3.00] |" in page
    assert "held back: 3.00 [3.00, 3.00], larger than 1 in 2." in page
    assert "held 90.0 % on average over 4 tasks (90.0 to 90.0); 4 are within 3 points." in page


def test_every_compound_is_held_out_once() -> None:
    task = Task(
        name="g:own",
        group="g",
        kind="regression",
        metric="R2",
        items=tuple(SMILES),
        labels=np.array(VALUES)[:, np.newaxis],
        label_names=("y",),
        scale="linear",
        split="scaffold",
        source="",
    )
    found = calibration.judged(50, "molkd-tiny", task)
    assert len(found.errors) == 50
    assert (found.errors >= 0).all()
    assert ((found.similar >= 0) & (found.similar <= 1)).all()
    assert set(found.inside) <= {0.0, 1.0}
    assert np.isnan(found.fidelity).all()
