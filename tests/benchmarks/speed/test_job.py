"""All cells of a run: which are asked for, resuming, failures, what is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from molkd.benchmarks.speed import job, records
from molkd.benchmarks.speed.corpus import Library
from molkd.benchmarks.speed.job import SpeedOptions
from molkd.benchmarks.speed.records import SpeedResults
from molkd.errors import ConfigError, CorruptFileError
from tests.fakes.speed import FakeMachine, Named, cell

LIBRARY = Library("drugs.smi", ("C", "CC", "CCC"))
OPTIONS = SpeedOptions(sizes=(10, 2), seconds=1.0, repeats=3)
MACHINE = {"processor": "abacus", "cores": 1}
SETTINGS = job.settings(OPTIONS, LIBRARY)


def _run(
    machine: FakeMachine, path: Path, *, student: str = "student", digest: str = "0"
) -> tuple[SpeedResults, list[str]]:
    said: list[str] = []
    start = job.opened(path, MACHINE, SETTINGS, say=said.append)
    embedders = [
        (Named(student, digest), job.works(OPTIONS, trained=True)),
        (Named("teacher"), job.works(OPTIONS, trained=False)),
    ]
    found = job.run(
        embedders,
        LIBRARY,
        OPTIONS,
        start,
        measure=machine.ask,
        keep=lambda results: records.write(path, results),
        say=said.append,
    )
    return found, said


def test_every_size_and_training_of_students_is_measured(tmp_path: Path) -> None:
    machine = FakeMachine()
    found, _ = _run(machine, tmp_path / "a.json")
    assert [cell.place for cell in found.cells] == [
        ("student", "embedding", 2),
        ("student", "embedding", 10),
        ("student", "training", 10),
        ("teacher", "embedding", 2),
        ("teacher", "embedding", 10),
    ]
    assert machine.asked[0].spec == "spec of student"
    assert (machine.asked[0].repeats, machine.asked[0].seconds) == (3, 1.0)
    assert records.read(tmp_path / "a.json") == found


def test_molecules_repeat_where_the_file_has_fewer(tmp_path: Path) -> None:
    machine = FakeMachine()
    _run(machine, tmp_path / "a.json")
    assert machine.lines[0] == ["C", "CC", "CCC"] * 3 + ["C"]


def test_training_is_not_measured_on_the_largest_library() -> None:
    assert job.works(SpeedOptions(), trained=True)[-1] == ("training", job.TRAINED)


def test_what_is_finished_is_not_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(KeyboardInterrupt):
        _run(FakeMachine(stop_after=2), path)
    assert len(records.read(path).cells) == 2
    second = FakeMachine()
    found, said = _run(second, path)
    assert [(request.work, request.size) for request in second.asked] == [
        ("training", 10),
        ("embedding", 2),
        ("embedding", 10),
    ]
    assert said[0] == "student, embedding of 2: measured already"
    whole, _ = _run(FakeMachine(), tmp_path / "b.json")
    assert found == whole
    assert path.read_bytes() == (tmp_path / "b.json").read_bytes()


def test_an_embedder_that_changed_is_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    _run(FakeMachine(), path)
    machine = FakeMachine()
    found, _ = _run(machine, path, digest="retrained")
    assert {request.spec for request in machine.asked} == {"spec of student"}
    assert len(found.cells) == 5
    assert {cell.digest for cell in found.cells if cell.label == "student"} == {"retrained"}


def test_cells_of_other_embedders_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    _run(FakeMachine(), path)
    found, _ = _run(FakeMachine(), path, student="another")
    assert {cell.label for cell in found.cells} == {"student", "teacher", "another"}


def test_a_cut_file_is_said_and_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    _run(FakeMachine(), path)
    path.write_bytes(path.read_bytes()[:-200])
    machine = FakeMachine()
    _, said = _run(machine, path)
    assert "cannot read" in said[0]
    assert "measured again" in said[0]
    assert len(machine.asked) == 5
    assert len(records.read(path).cells) == 5


def test_a_file_of_something_else_is_not_taken_for_results(tmp_path: Path) -> None:
    for content in ({"cells": 3}, {"cells": [{}]}, {"machine": {}, "settings": {}}):
        path = tmp_path / "a.json"
        path.write_text(json.dumps(content))
        with pytest.raises(CorruptFileError, match=r"a\.json holds no results"):
            records.read(path)


def test_a_failure_is_kept_and_tried_again_and_does_not_stop_others(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    machine = FakeMachine(broken={"spec of student"})
    found, said = _run(machine, path)
    assert [(cell.place, cell.error) for cell in found.cells if cell.error] == [
        (("student", "embedding", 2), "RuntimeError: it raised")
    ]
    assert [request.spec for request in machine.asked] == ["spec of student"] + [
        "spec of teacher"
    ] * 2
    assert "student, embedding of 2 failed: RuntimeError: it raised" in said
    again = FakeMachine()
    found, _ = _run(again, path)
    assert {request.spec for request in again.asked} == {"spec of student"}
    assert not any(cell.error for cell in found.cells)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threads": 2}, "threads: 1 there, 2 now"),
        ({"digest": "x"}, "digest"),
        ({"cores": 64}, "cores: 1 there, 64 now"),
    ],
)
def test_another_machine_or_other_settings_do_not_share_a_file(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    path = tmp_path / "a.json"
    _run(FakeMachine(), path)
    machine = {name: change.get(name, value) for name, value in MACHINE.items()}
    settings = {name: change.get(name, value) for name, value in SETTINGS.items()}
    with pytest.raises(ConfigError, match=message):
        job.opened(path, machine, settings, say=print)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sizes": ()}, "sizes must"),
        ({"sizes": (0,)}, "sizes must"),
        ({"seconds": 0.0}, "seconds must be positive, not 0.0"),
        ({"repeats": 0}, "repeats must"),
        ({"threads": 0}, "threads must"),
    ],
)
def test_options_out_of_range_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SpeedOptions(**change)  # pyright: ignore[reportArgumentType]


def test_the_summary_has_the_largest_size_of_each_embedder() -> None:
    cells = (
        cell("slow", [9.0] * 3, size=100),
        cell("fast", [2.0] * 3, size=1000, count=1000),
        cell("fast", [4.0] * 3, size=10),
        cell("fast", [5.0] * 3, work="training", size=10),
        cell("broken", None),
    )
    found = records.summary(SpeedResults({}, {}, cells))
    assert list(found) == ["slow", "fast"]
    assert found["fast"] == {
        "per_second": 500.0,
        "parameters": 1234,
        "size": 1000,
        "ratio": 2.0,
        "added_mb": 20.0,
        "training_per_second": 20.0,
    }
    assert "training_per_second" not in found["slow"]
