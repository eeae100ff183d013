"""`molkd teachers list` and `show`, for people and for pipes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from molkd import teachers
from molkd.cli import teachers as cli
from molkd.errors import UnknownNameError


def _run(*arguments: str) -> str:
    result = CliRunner().invoke(cli.app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_list_is_one_line_per_teacher_in_a_pipe() -> None:
    header, *lines = [line.split("\t") for line in _run("list").splitlines()]
    assert header == list(cli.COLUMNS)
    assert [line[0] for line in lines] == teachers.names()
    ecfp4 = next(line for line in lines if line[0] == "ecfp4")
    assert ecfp4[1:5] == ["molecules", "fingerprint", "2048", "bits"]
    assert ecfp4[-1] == "ready"


def test_list_says_which_weights_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOLKD_HOME", str(tmp_path))
    monkeypatch.delenv("MOLKD_WEIGHTS_DIR", raising=False)
    entries = {entry["name"]: entry for entry in json.loads(_run("list", "--json"))}
    assert entries["molclr-gcn"]["readiness"] == "weights missing"
    (name,) = teachers.make("molclr-gcn").card.sha256
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_bytes(b"")
    found = json.loads(_run("list", "--json", "--weights-dir", str(tmp_path)))
    assert {e["name"] for e in found if e["readiness"] == "weights missing"} == {
        e["name"] for e in entries.values() if e["readiness"] == "weights missing"
    } - {"molclr-gcn"}


def test_list_tells_what_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teachers, "names", lambda: ["ecfp4", "gone"])
    result = CliRunner().invoke(cli.app, ["list"])
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].split("\t")[-1] == "broken"
    assert "unknown teacher 'gone'" in result.stderr


def test_show_prints_the_whole_card() -> None:
    card = teachers.make("rdkit2d").card
    lines = dict(line.split("\t") for line in _run("show", "rdkit2d").splitlines())
    assert lines["dim"] == str(card.dim)
    assert lines["limits"] == card.limits
    assert lines["digest"] == card.digest


def test_show_as_json() -> None:
    shown = json.loads(_run("show", "molfeat:secfp", "--json"))
    assert shown["support"] == "bits"
    assert shown["digest"] == teachers.make("molfeat:secfp").card.digest


def test_show_of_an_unknown_name() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown teacher 'efcp4'. Did you mean .*'ecfp4'"):
        _run("show", "efcp4")


def test_a_terminal_gets_a_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    cli.print_table(("field", "value"), [["name", "[bold]ecfp4"], ["dim", "2048"]])
    printed = capsys.readouterr().out
    assert "\t" not in printed
    assert "[bold]ecfp4" in printed
