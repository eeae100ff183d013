"""Options of all commands: several values, former spellings, help that cuts nothing."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from molkd.cli import app
from molkd.cli.options import DEPRECATED, several
from molkd.errors import UnknownNameError
from molkd.formats import READERS, WRITERS

COMMANDS = ("distill", "embed", "truncate", "teachers embed", "bench quality", "bench speed")


def _help(command: str) -> str:
    result = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "80"})
    assert result.exit_code == 0
    return result.stdout


def test_several_values_by_commas_and_by_repetition() -> None:
    assert several(["a, b", "c", ""]) == ["a", "b", "c"]
    assert several(None) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_help_at_80_columns_cuts_no_name(command: str) -> None:
    root = typer.main.get_command(app)
    for name in command.split():
        root = root.commands[name]  # type: ignore[attr-defined]
    shown = _help(command)
    names = {name for option in root.params for name in option.opts if name.startswith("--")}
    assert names <= set(shown.replace(",", " ").split())
    assert max(map(len, shown.splitlines())) <= 80


def test_help_lists_the_formats_and_the_defaults_there_are() -> None:
    shown = " ".join(_help("embed").split())
    assert f"Of the input: {', '.join(READERS)}; by default its suffix." in shown
    assert f"Of the output: {', '.join(WRITERS)}; by default its suffix." in shown
    assert "Of the input" in " ".join(_help("teachers embed").split())
    assert "[default: auto]" in shown


def test_an_unknown_format_is_answered_as_any_unknown_name() -> None:
    given = ["teachers", "embed", "maccs", "-i", "a.smi", "-o", "o.npz", "--format", "parket"]
    with pytest.raises(UnknownNameError, match=r"output format 'parket'\. Did you mean 'parquet'"):
        CliRunner().invoke(app, given, catch_exceptions=False)


@pytest.mark.parametrize(("former", "present"), DEPRECATED.items())
def test_former_spellings_are_told(former: str, present: str) -> None:
    commands = {
        "--max-invalid-frac": "embed",
        "--smiles-column": "embed",
        "--task": "bench quality",
    }
    given = [*commands.get(former, "").split(), former]
    result = CliRunner().invoke(app, [*given, "--help"])
    assert f"{former} is now {present}" in result.stderr
    assert former not in result.stdout
