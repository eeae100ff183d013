"""Fresh processes: what they are asked, what they answer, and what becomes of those that die."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from molkd.benchmarks.speed import machine, subprocess_
from molkd.benchmarks.speed.records import SpeedRequest
from molkd.benchmarks.speed.subprocess_ import ROOT, CellError, measure, measure_in
from molkd.benchmarks.tasks.modalities import BENCHMARKED
from molkd.items import MODALITIES

REQUEST = SpeedRequest(
    spec="ecfp4",
    work="embedding",
    reads="molecules",
    size=2,
    items="none",
    repeats=2,
    seconds=3.0,
    threads=3,
)


@pytest.fixture
def embedded(tmp_path: Path) -> tuple[str, str]:
    """A file of embeddings, which needs few imports, and one of its molecules and another."""
    table = tmp_path / "embedded.csv"
    table.write_text("smiles,a,b\nCCO,1,2\nCCN,3,4\n")
    molecules = tmp_path / "molecules.txt"
    molecules.write_text("CCO\nCCCCC\nCCN\n")
    return f"file:{table}", str(molecules)


def _request(embedded: tuple[str, str], **changes: Any) -> SpeedRequest:
    spec, molecules = embedded
    fields: dict[str, Any] = {
        "spec": spec,
        "work": "embedding",
        "reads": "molecules",
        "size": 2,
        "items": molecules,
        "repeats": 2,
        "seconds": 1.0,
    }
    return SpeedRequest(**{**fields, **changes})


def test_a_fresh_process_measures_this_molkd(embedded: tuple[str, str]) -> None:
    found = measure(_request(embedded))
    assert (found.count, found.failed) == (2, 1)
    assert found.reason == "embedded.csv has no embedding of it"
    assert set(found.rounds) == {"base", "total", "parse", "check", "rest", "write"}
    assert {len(seconds) for seconds in found.rounds.values()} == {2}
    assert found.startup > 0


@pytest.mark.parametrize(
    ("kind", "spec", "items"),
    [
        ("texts", "hashed-ngrams", ["a text", "and another,\nof two lines"]),
        ("images", "pixels:8", [np.zeros((4, 4, 3), np.uint8), np.ones((9, 5, 3), np.uint8)]),
    ],
)
def test_texts_and_images_are_measured_too(
    tmp_path: Path, kind: str, spec: str, items: list[Any]
) -> None:
    modality = BENCHMARKED[kind]
    path = tmp_path / "items.txt"
    kept = MODALITIES[kind].check(items, "none").items
    path.write_text("".join(f"{modality.line(item)}\n" for item in kept))
    found = measure(_request((spec, str(path)), reads=kind))
    assert (found.count, found.failed, found.parameters) == (2, 0, 0)
    assert min(found.rounds["base"]) > 0


def test_what_an_embedder_raises_is_the_reason(embedded: tuple[str, str]) -> None:
    with pytest.raises(CellError, match=r"^InputError: .*other\.csv"):
        measure(_request(embedded, spec="file:other.csv"))


class Child:
    """Takes the place of the process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **result: Any) -> None:
        fields = {"args": [], "returncode": 0, "stdout": "", "stderr": "a\nthe last line\n"}
        self._done = subprocess.CompletedProcess[str](**{**fields, **result})
        self.calls: list[tuple[list[str], dict[str, Any]]] = []
        monkeypatch.setattr(subprocess, "run", self._run)

    def _run(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        self.calls.append((command, options))
        return self._done


def test_the_process_gets_its_threads_and_its_molkd(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/mine")
    said = {"root": str(tmp_path), "error": "stop here"}
    child = Child(monkeypatch, stdout=json.dumps(said))
    with pytest.raises(CellError, match=r"^stop here$"):
        measure_in(REQUEST, tmp_path)
    ((command, options),) = child.calls
    assert command[1:] == ["-P", "-m", "molkd.benchmarks.speed.worker"]
    assert options["env"]["OMP_NUM_THREADS"] == "3"
    assert options["env"]["PYTHONPATH"].split(":") == [str(tmp_path), "/mine"]
    assert SpeedRequest(**json.loads(options["input"])) == REQUEST
    assert options["timeout"] > 60


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({"returncode": -9}, "killed by signal 9, perhaps for want of memory: the last line"),
        ({"returncode": 1}, "ended with code 1: the last line"),
        ({"returncode": 1, "stderr": ""}, "ended with code 1: it said nothing"),
        ({"stdout": "printed by a library"}, "ended with code 0"),
        ({"stdout": '{"root": "/elsewhere", "error": ""}'}, "the molkd of /elsewhere was measured"),
        ({"stdout": json.dumps({"root": str(ROOT), "measured": {}})}, "ended with code 0"),
    ],
)
def test_a_process_that_does_not_answer_is_an_error(
    monkeypatch: pytest.MonkeyPatch, result: dict[str, Any], message: str
) -> None:
    Child(monkeypatch, **result)
    with pytest.raises(CellError, match=message):
        measure(REQUEST)


def test_a_process_that_takes_far_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, timeout: float, **__: object) -> None:
        raise subprocess.TimeoutExpired("python", timeout)

    monkeypatch.setattr(subprocess_.subprocess, "run", run)
    with pytest.raises(CellError, match="stopped after 660 s"):
        measure(REQUEST)


def test_facts_about_the_machine() -> None:
    found = machine.facts("cpu")
    assert {"processor", "cores", "usable_cores", "device", "python", *machine.PACKAGES} <= set(
        found
    )
    assert found["device"] == "cpu"
    assert found["rdkit"] != "not installed"
    assert found["processor"]
