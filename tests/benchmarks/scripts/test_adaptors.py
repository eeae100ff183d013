"""What a probe keeps that an adaptor feeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from molkd import teachers
from molkd.benchmarks.scripts import adaptors
from molkd.benchmarks.scripts.adaptors import compare, training_rows
from molkd.benchmarks.tasks.task import Task
from molkd.types import Embeddings

ROWS = 80


@pytest.fixture
def task() -> Task:
    rings = [f"C1{'C' * n}C1{tail}" for n in range(1, 41) for tail in "ON"]
    return Task(
        name="toy",
        group="own",
        kind="regression",
        metric="MAE",
        items=(*rings, "CCO", "CCN"),
        labels=np.append(_values()[:, 0], [1e9, -1e9])[:, None].astype(np.float64),
        split="given",
        test=np.arange(ROWS + 2) >= ROWS,
    )


def _values() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(ROWS, 4)).astype(np.float32)


def test_test_rows_are_left_out(task: Task) -> None:
    rest = training_rows(task)
    assert rest.items == task.items[:ROWS]
    assert len(rest.labels) == ROWS
    assert rest.test is None


def test_a_probe_is_fed_with_predictions(task: Task) -> None:
    rest, real = training_rows(task), _values()
    same = compare(rest, real, real, probe="linear", seeds=[0])
    assert same is not None
    assert same.real == same.predicted > 0.95
    noise = np.random.default_rng(1).normal(size=real.shape).astype(np.float32)
    worse = compare(rest, real, real + noise, probe="linear", seeds=[0, 1])
    assert worse is not None
    assert 0.4 < worse.predicted < 0.9 < worse.real
    real[0] = np.nan  # a row that the teacher failed on
    assert compare(rest, real, noise, probe="linear", seeds=[0]) is not None
    real[:] = np.nan
    assert compare(rest, real, noise, probe="linear", seeds=[0]) is None


class Perfect:
    """A student whose adaptor predicts what the teacher says."""

    def predict_teacher(self, items: Sequence[str], teacher: str) -> Prediction:
        return Prediction(teachers.make(teacher).embed(items))


class Prediction:
    def __init__(self, embedded: Embeddings) -> None:
        self.mean = embedded.values


def test_the_program_prints_what_is_kept(
    shared: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(adaptors.students, "load", lambda _: Perfect())
    given = ["student", "--teachers", "maccs", "--tasks", "dili", "--seeds", "1"]
    with pytest.raises(SystemExit):
        adaptors.main([*given, "--data", str(shared / "nowhere")])
    given[given.index("dili")] = "tdc-admet:dili"
    adaptors.main([*given, "--data", str(shared / "data")])
    header, row, mean = (line.split() for line in capsys.readouterr().out.splitlines())
    assert header == ["teacher", "task", "metric", "teacher", "adaptor", "kept"]
    assert row[:3] == ["maccs", "dili", "AUROC"]
    assert mean[:4] == ["maccs", "mean", "of", "1"]
    assert row[3] == row[4] == mean[4] > "0.600"
    assert row[-1] == mean[-1] == "1.000"
