"""The training loop: learning, seeds, options, resuming."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from molkd import objectives
from molkd.distillation import checkpoint
from molkd.distillation.schedule import TrainSettings
from molkd.distillation.trainer import Corpus, Distiller
from molkd.errors import ConfigError, CorruptFileError
from tests.fakes.vectors import Vectors, VectorStudent, corpus

PLAN = TrainSettings(epochs=3, batch_size=64, lr=5e-3, ema=0.9)


@pytest.fixture(scope="module")
def digest() -> str:
    """Of the student that PLAN gives."""
    distiller = _distiller()
    distiller.fit(corpus(), progress=False)
    return distiller.student.digest


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of PLAN; tests only read it."""
    folder = tmp_path_factory.mktemp("finished")
    _distiller().fit(corpus(), folder=folder, progress=False)
    return folder


def _distiller(
    plan: TrainSettings = PLAN, objective: str = "mi", data: Corpus[Vectors] | None = None
) -> Distiller:
    torch.manual_seed(plan.seed)
    student = VectorStudent(dropout=0.1)
    specs = (data or corpus()).reader.specs
    settings = objectives.configured(objective, {"head_hidden": 16})
    made = settings.build(student.feature_spec, specs)
    return Distiller(student, made, plan, device="cpu")


@pytest.mark.parametrize("objective", ["mi", "mse", "cosine"])
def test_every_objective_learns(objective: str):
    distiller = _distiller(dataclasses.replace(PLAN, epochs=12), objective)
    history = distiller.fit(corpus(), progress=False)
    assert history[-1]["valid"] < 0.75 * history[0]["valid"]
    assert {"train/one", "train/two", "valid/one", "valid/two"} <= set(history[0])
    assert not distiller.student.training


def test_the_same_seed_gives_the_same_bits_and_leaves_the_global_state_alone(digest: str):
    distiller = _distiller()
    before = torch.get_rng_state()
    distiller.fit(corpus(), progress=False)
    assert torch.equal(before, torch.get_rng_state())
    assert distiller.student.digest == digest


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 4},
        {"batch_size": 32},
        {"lr": 1e-3},
        {"warmup": 0.5},
        {"weight_decay": 0.5},
        {"clip": 0.01},
        {"ema": 0.0},
        {"precision": "bf16"},
        {"seed": 5},
    ],
)
def test_every_number_of_the_plan_changes_the_result(digest: str, change: dict[str, Any]):
    distiller = _distiller(dataclasses.replace(PLAN, **change))
    distiller.fit(corpus(), progress=False)
    assert distiller.student.digest != digest


def test_training_stops_in_time_and_keeps_the_averaged_weights_of_the_best_epoch(
    monkeypatch: pytest.MonkeyPatch,
):
    distiller = _distiller(dataclasses.replace(PLAN, epochs=60, patience=2, lr=0.3, warmup=0.0))
    averages, lasts = [], []
    end = distiller._end_epoch

    def recorded(data: Corpus[Vectors]) -> None:
        end(data)
        averages.append(copy.deepcopy(distiller._average.state_dict()))
        lasts.append(copy.deepcopy(distiller.student.state_dict()))

    monkeypatch.setattr(distiller, "_end_epoch", recorded)
    history = distiller.fit(corpus(rows=80), progress=False)
    best = int(np.argmin([record["valid"] for record in history]))
    assert len(history) - 1 - best == 2
    assert len(history) < 60
    for name, value in distiller.student.state_dict().items():
        assert torch.equal(value, averages[best][name])
        assert not torch.equal(value, lasts[best][name])


class _KilledError(RuntimeError):
    pass


def test_a_killed_run_resumes_to_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    plan = dataclasses.replace(PLAN, checkpoint_minutes=0.0)  # after every step
    whole = _distiller(plan)
    expected = whole.fit(corpus(), folder=tmp_path / "whole", progress=False)
    for steps in (1, 9, 20):  # of 27: at once, after an epoch, within the last one
        killed = _distiller(plan)
        _kill_after(steps, killed, monkeypatch)
        with pytest.raises(_KilledError):
            killed.fit(corpus(), folder=tmp_path / str(steps), progress=False)
        resumed = _distiller()
        assert resumed.fit(corpus(), folder=tmp_path / str(steps), progress=False) == expected
        assert resumed.student.digest == whole.student.digest
    for folder in tmp_path.iterdir():
        lines = (folder / "metrics.jsonl").read_text().splitlines()
        assert [json.loads(line) for line in lines] == expected


def _kill_after(steps: int, distiller: Distiller, monkeypatch: pytest.MonkeyPatch) -> None:
    learn: Callable[..., None] = distiller._learn
    done = 0

    def counted(*args: object) -> None:
        nonlocal done
        if done == steps:
            raise _KilledError
        done += 1
        learn(*args)

    monkeypatch.setattr(distiller, "_learn", counted)


def test_a_finished_run_is_not_trained_again(finished: Path, digest: str):
    plan = dataclasses.replace(PLAN, checkpoint_minutes=9.0)  # how often makes no other run
    again = _distiller(plan)
    (newest, *_) = sorted((finished / "checkpoints").iterdir(), reverse=True)
    written = newest.stat().st_mtime_ns
    assert len(again.fit(corpus(), folder=finished, progress=False)) == PLAN.epochs
    assert again.student.digest == digest
    assert newest.stat().st_mtime_ns == written


@pytest.mark.parametrize(
    "other",
    [
        {"plan": dataclasses.replace(PLAN, lr=1e-4)},
        {"objective": "mse"},
        {"data": corpus(seed=1)},
    ],
)
def test_checkpoints_of_another_run_are_refused(finished: Path, other: dict[str, Any]):
    data = other.get("data", corpus())
    with pytest.raises(ConfigError, match="other settings, teachers or items"):
        _distiller(**other).fit(data, folder=finished, progress=False)


def test_a_loss_that_is_not_finite_is_reported():
    data = corpus()
    data.reader._values["one"][:] = float("inf")
    with pytest.raises(ConfigError, match=r"loss is .* in epoch 0"):
        _distiller(data=data).fit(data, progress=False)


@pytest.mark.parametrize("objective", ["mi", "mse"])
def test_a_validation_row_that_is_out_of_bounds_is_reported(objective: str):
    data = corpus()
    data.reader._values["one"][data.valid[0]] = 1e25
    with pytest.raises(ConfigError, match=r"not finite in epoch 0 \(one\)"):
        _distiller(data=data, objective=objective).fit(data, progress=False)


def test_rows_must_be_there_and_disjoint():
    good = corpus()
    with pytest.raises(ConfigError, match="no valid rows"):
        dataclasses.replace(good, valid=good.valid[:0])
    with pytest.raises(ConfigError, match="overlap"):
        dataclasses.replace(good, valid=good.train[:3])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1, not 0"),
        ({"lr": 0.0}, "lr must be positive"),
        ({"warmup": 1.0}, r"warmup must lie in \[0, 1\)"),
        ({"precision": "fp8"}, "precision: expected one of"),
    ],
)
def test_impossible_plans_are_refused(change, message: str):
    with pytest.raises(ConfigError, match=message):
        TrainSettings(**change)


def test_the_learning_rate_rises_and_falls():
    plan = TrainSettings(warmup=0.5)
    factors = [plan.lr_factor(step, 4) for step in range(4)]
    assert factors == pytest.approx([0.25, 0.75, 0.5 + 0.125**0.5, 0.5 - 0.125**0.5])


def test_no_step_teaches_nothing():
    for steps in (1, 2, 10):
        assert all(TrainSettings().lr_factor(step, steps) > 0 for step in range(steps))


def test_a_training_of_one_step_changes_the_student():
    distiller = _distiller(dataclasses.replace(PLAN, epochs=1, batch_size=100_000))
    before = distiller.student.digest
    assert len(distiller.fit(corpus(), progress=False)) == 1
    assert distiller._step == 1
    assert distiller.student.digest != before


class TestCheckpoint:
    def _saved(self, folder: Path) -> Path:
        for step in (1, 2, 3):
            checkpoint.save(folder, step, {"step": step, "w": torch.ones(3)}, digest="d")
        return folder

    def test_the_last_two_are_kept_and_the_newest_is_read(self, tmp_path: Path):
        folder = self._saved(tmp_path)
        assert [p.name for p in sorted(folder.iterdir())] == ["step-000000002", "step-000000003"]
        state = checkpoint.load_latest(folder, digest="d")
        assert state is not None
        assert state["step"] == 3

    def test_a_damaged_one_costs_a_warning_and_the_one_before_is_read(self, tmp_path: Path):
        folder = self._saved(tmp_path)
        state = folder / "step-000000003" / "state.pt"
        state.write_bytes(state.read_bytes()[:-10])
        with pytest.warns(UserWarning, match="cut or changed; trying the checkpoint before"):
            found = checkpoint.load_latest(folder, digest="d")
        assert found is not None
        assert found["step"] == 2

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x02c"])
    def test_one_of_another_content_is_damaged(self, tmp_path: Path, content: bytes):
        folder = self._saved(tmp_path)
        path = folder / "step-000000003"
        (path / "state.pt").write_bytes(content)
        header = json.loads((path / "state.json").read_text())
        header["sha256"] = hashlib.sha256(content).hexdigest()
        (path / "state.json").write_text(json.dumps(header))
        with pytest.warns(UserWarning, match=r"state\.pt is no checkpoint"):
            found = checkpoint.load_latest(folder, digest="d")
        assert found is not None
        assert found["step"] == 2

    def test_all_damaged_is_an_error(self, tmp_path: Path):
        folder = self._saved(tmp_path)
        for path in folder.glob("*/state.json"):
            path.write_text("{")
        with (
            pytest.warns(UserWarning, match="trying"),
            pytest.raises(CorruptFileError, match="are damaged: remove it"),
        ):
            checkpoint.load_latest(folder, digest="d")

    def test_what_a_kill_has_left_goes_with_the_next(self, tmp_path: Path):
        (tmp_path / ".step-000000002.partial").mkdir()
        assert len([*self._saved(tmp_path).iterdir()]) == 2

    def test_nothing_there(self, tmp_path: Path):
        assert checkpoint.load_latest(tmp_path / "absent", digest="d") is None

    def test_a_full_disk_leaves_the_earlier_ones(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        folder = self._saved(tmp_path)

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="disk is full: free some space"):
            checkpoint.save(folder, 4, {"step": 4}, digest="d")
        monkeypatch.undo()
        assert [p.name for p in sorted(folder.iterdir())] == ["step-000000002", "step-000000003"]
