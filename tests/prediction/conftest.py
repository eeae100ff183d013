"""One trial of values and one of classes, for all tests here."""

from __future__ import annotations

import pytest

import molkd
from molkd import prediction
from molkd.benchmarks.probes.forest import Forest
from molkd.prediction import learners
from molkd.prediction.trial import Trial
from molkd.prediction.validation import MODELS
from molkd.students import Student
from tests.prediction import compounds


@pytest.fixture(scope="session")
def student() -> Student:
    return molkd.load("molkd-tiny")


@pytest.fixture(scope="session")
def trials(
    student: Student, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], Trial]:
    """(kind, model) -> trial with few trees."""
    folder = tmp_path_factory.mktemp("measured")
    labels = {"regression": compounds.VALUES, "classification": compounds.CLASSES}
    found: dict[tuple[str, str], Trial] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learners, "Forest", lambda: Forest(trees=10))
        for kind, values in labels.items():
            table = compounds.table(folder / f"{kind}.csv", "y", values)
            for model in MODELS:
                settings = prediction.TrialSettings(model_of=model, repeats=2)
                measured = prediction.read_measured(table, "y")
                found[kind, model] = prediction.run(
                    measured, student, settings, name="molkd-tiny-1", progress=False
                )
    return found
