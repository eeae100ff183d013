"""`molkd bench speed`, with a machine that measures nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from molkd.benchmarks import embedders
from molkd.benchmarks.embedders import peers
from molkd.benchmarks.speed import commits, models, records, subprocess_
from molkd.cli import INTERRUPTED
from molkd.cli import speed as cli
from molkd.errors import (
    ConfigError,
    InputError,
    MissingExtraError,
    MolkdError,
    UnknownNameError,
)
from tests.fakes.speed import FakeMachine, Named, measured

QUICK = ("--sizes", "10,20", "--seconds", "1", "--repeats", "5")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> FakeMachine:
    """Answers instead of fresh processes; every name is an embedder, "s" a student."""
    fake = FakeMachine()

    def make(text: str, **_: object) -> Named:
        if text == "mistyped":
            raise UnknownNameError("unknown teacher 'mistyped'")
        return Named(text, modality="texts" if text == "ngrams" else "molecules")

    monkeypatch.setattr(subprocess_, "measure", fake.ask)
    monkeypatch.setattr(embedders, "make", make)
    monkeypatch.setattr(models, "can_be_trained", lambda one: one.label == "s")
    return fake


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _run(*arguments: str) -> tuple[list[list[str]], str]:
    app = typer.Typer()
    app.command()(cli.speed)
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return [line.split("\t") for line in result.stdout.splitlines()], result.stderr


def test_one_table_for_all_and_two_files(machine: FakeMachine) -> None:
    (header, *lines), said = _run("-e", "s", "-e", "t", *QUICK)
    assert header[:4] == ["embedder", "parameters", "work", "molecules"]
    assert [(line[0], line[2], line[3]) for line in lines] == [
        ("s", "embedding", "10"),
        ("s", "embedding", "20"),
        ("s", "training", "20"),
        ("t", "embedding", "10"),
        ("t", "embedding", "20"),
    ]
    assert set(records.summary(records.read(Path("speed.json")))) == {"s", "t"}
    page = Path("speed.md").read_text()
    assert "| s | 1,234 | embedding | 10 |" in page
    assert "- processor: " in page
    assert "t, embedding of 20 ..." in said
    assert {(r.threads, r.device, r.seconds) for r in machine.asked} == {(1, "cpu", 1.0)}


def test_options_reach_the_measurement(machine: FakeMachine, tmp_path: Path) -> None:
    molecules = tmp_path / "mine.smi"
    molecules.write_text("CCO\nCCN\n")
    _, said = _run(
        *("-e", "s", "-i", str(molecules), "--sizes", "5", "--threads", "2", "--no-training"),
        *("-o", "out/mine.json"),
    )
    (request,) = machine.asked
    assert (request.threads, request.size, request.work) == (2, 5, "embedding")
    assert sorted(set(machine.lines[0])) == ["CCN", "CCO"]
    assert "mine.smi has 2 molecules: they repeat at 5." in said
    assert "they repeat at 5" in Path("out/mine.md").read_text()


def test_the_same_command_goes_on_and_overwrite_begins_anew(machine: FakeMachine) -> None:
    machine.stop_after = 1
    app = typer.Typer()
    app.command()(cli.speed)
    assert CliRunner().invoke(app, ["-e", "t", *QUICK]).exit_code == INTERRUPTED
    machine.stop_after = None
    _, said = _run("-e", "t", *QUICK)
    assert "t, embedding of 10: measured already" in said
    assert len(machine.asked) == 2
    _run("-e", "t", *QUICK, "--overwrite")
    assert len(machine.asked) == 4


def test_a_failure_is_said_and_others_are_measured(machine: FakeMachine) -> None:
    machine.broken = {"spec of bad"}
    (_, *lines), said = _run("-e", "bad", "-e", "t", *QUICK)
    assert [line[-1] for line in lines if line[0] == "bad"] == ["failed: RuntimeError: it raised"]
    assert "bad, embedding of 10 failed: RuntimeError: it raised" in said
    assert [line[0] for line in lines].count("t") == 2
    with pytest.raises(MolkdError, match="nothing could be measured"):
        _run("-e", "bad", *QUICK, "-o", "other.json")


def test_a_baseline_is_compared_and_only_a_limit_makes_it_fail(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run("-e", "t", *QUICK, "-o", "old.json")
    monkeypatch.setattr(
        subprocess_, "measure", lambda request: measured([4.0] * 5, count=request.size)
    )
    compare = ("-e", "t", *QUICK, "--baseline", "old.json")
    lines, _ = _run(*compare)
    changes = [line for line in lines if line[0] == "t"][2:]
    assert [(line[2], line[5], line[7]) for line in changes] == [
        ("10", "2.00", "slower"),
        ("20", "2.00", "slower"),
    ]
    _run(*compare, "--fail-above", "2.5")
    with pytest.raises(MolkdError, match=r"more than 1.5, or failed: t \(embedding of 10: slower"):
        _run(*compare, "--fail-above", "1.5")


def test_a_baseline_of_other_molecules_is_refused_before_measuring(
    machine: FakeMachine, tmp_path: Path
) -> None:
    _run("-e", "t", *QUICK, "-o", "old.json")
    asked = len(machine.asked)
    molecules = tmp_path / "mine.smi"
    molecules.write_text("CCO\n")
    with pytest.raises(ConfigError, match="baseline cannot be compared: digest"):
        _run("-e", "t", *QUICK, "-i", str(molecules), "--baseline", "old.json")
    assert len(machine.asked) == asked


def test_a_baseline_of_another_machine_is_said(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run("-e", "t", *QUICK, "-o", "old.json")
    old = Path("old.json")
    old.write_text(old.read_text().replace('"cores": ', '"cores": 10'))
    _, said = _run("-e", "t", *QUICK, "--baseline", "old.json")
    assert "cores is another one than the baseline's" in said


def test_two_commits_are_measured_by_turns(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    class Trees:
        def __init__(self, _root: Path, names: tuple[str, ...]) -> None:
            asked.append(names)

        def __enter__(self) -> list[Path]:
            return [Path("old"), Path("new")]

        def __exit__(self, *_: object) -> None: ...

    def ask_in(request: records.SpeedRequest, root: Path) -> records.SpeedMeasurement:
        return measured([2.0 if root.name == "old" else 1.0], count=request.size)

    monkeypatch.setattr(commits, "trees", Trees)
    monkeypatch.setattr(subprocess_, "measure_in", ask_in)
    lines, _ = _run("-e", "t", *QUICK, "--against", "v1")
    assert asked == [("v1", ".")]
    assert [line[6] for line in lines[1:3]] == ["1.00"] * 2  # what the new one takes
    assert [(line[5], line[7]) for line in lines[4:]] == [("0.50", "faster")] * 2
    assert machine.asked == []
    assert records.summary(records.read(Path("speed.json")))["t"]["ratio"] == 1.0
    with pytest.raises(ConfigError, match=r"speed.json exists: give another, or --overwrite"):
        _run("-e", "t", *QUICK, "--against", "v1")


def test_peers_join_and_one_that_is_not_installed_is_named(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(text: str, **_: object) -> Named:
        if text == "peer:skfp-ecfp4":
            raise MissingExtraError("peer skfp-ecfp4 is not measured: it is not installed")
        return Named(text)

    monkeypatch.setattr(embedders, "make", make)
    (_, *lines), said = _run("-e", "t", *QUICK, "--peers")
    there = {f"peer:{name}" for name in peers.PEERS} - {"peer:skfp-ecfp4"}
    assert {line[0] for line in lines} == {"t", *there}
    assert "peer skfp-ecfp4 is not measured: it is not installed" in said


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("-e", "mistyped"), UnknownNameError, "unknown teacher"),
        (("-e", "t", "-e", "t"), ConfigError, "one label: t; write LABEL=EMBEDDER"),
        (("-e", "t", "-e", "ngrams"), ConfigError, r"ngrams \(texts\) read different things"),
        (("-e", "ngrams"), InputError, "no sample of texts: give a file with --input"),
        (("-e", "t", "--sizes", "1k"), ConfigError, "--sizes: expected whole numbers"),
        (("-e", "t", "--sizes", ""), ConfigError, "--sizes: expected whole numbers"),
        (("-e", "t", "--fail-above", "2"), ConfigError, "needs --baseline or --against"),
        (("-e", "t", "--baseline", "a", "--against", "b"), ConfigError, "give one of them"),
        (("-e", "t", "--baseline", "speed.json"), ConfigError, "is the baseline itself"),
        (("-e", "t", "--baseline", "none.json"), MolkdError, "cannot read none.json"),
    ],
)
def test_bad_options_are_refused_before_anything_is_measured(
    machine: FakeMachine, arguments: tuple[str, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        _run(*arguments)
    assert machine.asked == []
