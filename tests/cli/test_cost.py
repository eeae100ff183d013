"""`molkd bench cost`, with a machine that measures nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from molkd.benchmarks import cost as costs
from molkd.benchmarks.cost.records import CostMeasurement, CostRequest
from molkd.benchmarks.speed.subprocess_ import CellError
from molkd.cli import app
from molkd.errors import ConfigError, MolkdError, UnknownNameError

ABLATION = """
question = "What does it cost?"
reference = "mse"
settings = { teachers = ["maccs"], student = { size = "tiny" }, train = { batch_size = 4 } }
[variants]
mse = { settings = { objective = { name = "mse" } } }
mi = { settings = { objective = { name = "mi" } } }
[scales.minute]
items = 30
seeds = 1
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[CostRequest]:
    """What fresh processes would have been asked, in a folder with an ablation and a corpus."""
    seen: list[CostRequest] = []

    def ask(request: CostRequest) -> CostMeasurement:
        seen.append(request)
        cost = 2.0 if request.variant.settings["objective"]["name"] == "mi" else 1.0
        return CostMeasurement(
            batch=4,
            seconds=(cost,) * request.repeats,
            reference=(1.0,) * request.repeats,
            added_mb=12.0,
            objective=345,
            student=678,
        )

    monkeypatch.setattr(costs, "measure", ask)
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(ABLATION)
    Path("mine.smi").write_text("".join("C" * n + "O\n" for n in range(1, 31)))
    return seen


def _run(*more: str, name: str = "mine.toml") -> tuple[list[list[str]], str]:
    given = ["bench", "cost", name, "-i", "mine.smi", "-o", "out", "--device", "cpu", "-j", "1"]
    result = CliRunner().invoke(app, [*given, *more], catch_exceptions=False)
    assert result.exit_code == 0
    return [line.split("\t") for line in result.stdout.splitlines()], result.stderr


def test_a_table_and_two_files(asked: list[CostRequest]) -> None:
    more = ("--steps", "5", "--repeats", "2", "--threads", "2", "--weights-dir", "weights")
    (header, *lines), said = _run(*more)
    assert header[:4] == ["variant", "rows per step", "s per step", "x reference"]
    assert [line[:5] for line in lines] == [
        ["mse", "4", "1.00", "1.00", "1.00-1.00"],
        ["mi", "4", "2.00", "2.00", "2.00-2.00"],
    ]
    assert {(one.steps, one.repeats, one.threads, one.device) for one in asked} == {
        (5, 2, 2, "cpu")
    }
    assert {one.weights_dir for one in asked} == {"weights"}
    assert "| mi | 4 | 2.00 | 2.00 |" in Path("out/cost.md").read_text()
    assert "table: out/cost.md" in said
    _, said = _run(*more)
    assert "mi: measured already" in said
    assert len(asked) == 2


def test_errors_are_said(asked: list[CostRequest], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown ablation 'objectiv'.*objective"):
        _run(name="objectiv")
    with pytest.raises(UnknownNameError, match="unknown scale 'hour'"):
        _run("--scale", "hour")
    with pytest.raises(ConfigError, match=r"50 steps of 4 rows need 211 .* fewer --steps"):
        _run("--steps", "50")
    assert not asked

    def fails(_request: CostRequest) -> CostMeasurement:
        raise CellError("RuntimeError: it raised")

    monkeypatch.setattr(costs, "measure", fails)
    with pytest.raises(MolkdError, match="no variant could be measured"):
        _run("--steps", "5")
