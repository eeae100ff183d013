"""Options of all commands: several values, former spellings, help that cuts nothing."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from molkd import __version__
from molkd.cli import app, distill, embed
from molkd.cli.options import DEPRECATED, several
from molkd.distillation.settings import DistillSettings
from molkd.embedding import EmbedSettings
from molkd.errors import ConfigError, UnknownNameError
from molkd.formats import READERS, WRITERS


def _named(group: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """All commands and groups by what is typed."""
    yield name, group
    for inner, command in getattr(group, "commands", {}).items():
        yield from _named(command, f"{name} {inner}".strip())


EVERY: dict[str, Any] = dict(_named(typer.main.get_command(app)))
SETTINGS = {
    "distill": (DistillSettings, distill.FLAGS),
    "embed": (EmbedSettings, embed.STUDENT_FLAGS),
    "teachers embed": (EmbedSettings, embed.FLAGS),
}


def _help(command: str) -> str:
    result = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "80"})
    assert result.exit_code == 0
    return result.stdout


def test_several_values_by_commas_and_by_repetition() -> None:
    assert several(["a, b", "c", ""]) == ["a", "b", "c"]
    assert several(None) == []


def test_a_name_with_a_comma_stands_in_quotes() -> None:
    assert several(['"IC50, nM", "the ""best"" one",a', 'b "c']) == [
        *("IC50, nM", 'the "best" one', "a", 'b "c')
    ]
    with pytest.raises(ConfigError, match="names with commas between"):
        several(["a\rb"])


@pytest.mark.parametrize("command", EVERY)
def test_help_at_80_columns_cuts_nothing(command: str) -> None:
    shown = _help(command)
    names = {name for one in EVERY[command].params for name in (*one.opts, *one.secondary_opts)}
    names = {name for name in names if name.startswith("-")}
    assert names <= set(re.split(r"[\s,/]+", shown))
    assert max(map(len, shown.splitlines())) <= 80
    _, _, inner = shown.partition("Commands:")
    assert "..." not in inner


@pytest.mark.parametrize("command", [name for name in EVERY if " " in name or name in SETTINGS])
def test_help_shows_every_default(command: str) -> None:
    texts = _by_option(_help(command))
    kind, flags = SETTINGS.get(command, (None, ()))
    made = {flag.parameter: flag for flag in flags}
    for option in EVERY[command].params:
        text = texts.get(option.opts[-1], texts.get(option.opts[0], ""))
        if option.name in made:
            field = made[option.name].field.split(".")
            default = functools.reduce(getattr, field, kind())
        else:
            default = option.default
        if default is None and option.name in made:
            assert "by default" in text, text
        elif default or (default is not False and default == 0):
            told = option.opts[0].lstrip("-") if default is True else str(default)
            assert re.search(rf"[Dd]efault: \(?{re.escape(told)}", text), text


def _by_option(shown: str) -> dict[str, str]:
    """Option -> all that help says of it, in one line."""
    parts = re.split(r"^  (?=-)", shown.partition("Options:")[2], flags=re.MULTILINE)
    texts = {}
    for part in parts[1:]:
        line = " ".join(part.split())
        texts |= dict.fromkeys(re.findall(r"(?<!\S)--?[\w-]+", line.split(".")[0]), line)
    return texts


def test_a_default_of_zero_is_a_default() -> None:
    assert "dropout and split. Default: 0." in " ".join(_help("distill").split())


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


def test_version_and_help_load_nothing_heavy() -> None:
    code = (
        "import sys; from molkd import cli; sys.argv = ['molkd', sys.argv[1]]\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print([name for name in ('torch', 'pyarrow', 'molfeat', 'pandas') if name in sys.modules])"
    )
    for option, expected in (("--version", f"molkd {__version__}"), ("--help", "embed")):
        done = subprocess.run(
            [sys.executable, "-c", code, option], capture_output=True, text=True, check=True
        )
        assert expected in done.stdout
        assert done.stdout.splitlines()[-1] == "[]"
