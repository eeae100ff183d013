"""The program that says what scores and intervals are worth."""

from __future__ import annotations

from dataclasses import replace

from molkd.prediction import calibration
from tests.prediction.test_judged import ERRORS, ONE, PROBABLE


def test_the_report_tells_tasks_of_the_choice_from_others() -> None:
    known = replace(ONE, fidelity=ERRORS)
    every = [known, known, replace(known, name="g:hia_hou"), replace(known, name="g:caco2_wang")]
    page = calibration.report(every)
    assert "| ames | 3.00 | 3.00 | 0.82 | 90.0 | 80.0 | 0.500 |" in page
    assert "| hia_hou (held back) |" in page
    assert "| chosen on (2) | 3.00 [3.00, 3.00] |" in page
    assert "| held back, values (2) | 3.00 [3.00, 3.00] |" in page
    assert "3.00 [3.00, 3.00] | 0.82 [0.82, 0.82] | 2, 2 of 2 |" in page
    assert "over those of the rest: 3.00 [3.00, 3.00], larger than 1 in 2." in page
    assert (
        "held back: intervals are 0.50 [0.50, 0.50] times as wide as equally wide ones and held "
        "90.0 % (equally wide ones 80.0 %); of the least reliable fifth 100.0 % (0.0 %)."
    ) in page
    assert "held 90.0 % on average over 4 tasks (90.0 to 90.0); 4 are within 3 points." in page


def test_the_report_says_how_classes_are_ranked() -> None:
    page = calibration.report([PROBABLE, PROBABLE])
    assert "| ames | 4.00 | 4.00 | 0.75 | 100.0 | | |" in page
    assert "by reliability 1.000 and 0.500, 2.00 [2.00, 2.00] times (2 tasks)" in page
    assert "intervals are" not in page
