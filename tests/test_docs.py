"""What the documents say can be done as they say it."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from molkd import students
from molkd.cli import app
from molkd.students import GineSettings
from molkd.students.settings_text import StaticSettings

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("molkd/objectives/README.md")]
)
MODEL = "runs/student"
"""The folder that the documents' Python expects a student in."""

TEXT_MODEL = "runs/text"
"""The one of a text student."""


def _blocks(path: Path, *languages: str) -> Iterator[str]:
    """The fenced blocks of a document in some languages."""
    pattern = rf"^```(?:{'|'.join(languages)})\n(.*?)^```"
    yield from re.findall(pattern, path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def _commands() -> list[str]:
    """All shell lines of all documents, continued lines joined."""
    return [
        line.partition("  #")[0].strip()
        for path in DOCUMENTS
        for block in _blocks(path, "sh", "bash", "console")
        for line in block.replace("\\\n", " ").splitlines()
        if line.strip()
    ]


def _targets() -> set[str]:
    return set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("line", [c for c in _commands() if c.startswith("make ")])
def test_make_targets_exist(line: str) -> None:
    assert set(line.split()[1:]) <= _targets()


@pytest.mark.parametrize("line", [c for c in _commands() if c.startswith("python ")])
def test_scripts_exist(line: str) -> None:
    _, script, *given = line.split()
    assert importlib.util.find_spec(given[0]) if script == "-m" else (ROOT / script).is_file()


@pytest.mark.parametrize("line", [c for c in _commands() if c.startswith("molkd ")])
def test_commands_parse(line: str) -> None:
    command: Any = typer.main.get_command(app)
    words = shlex.split(line.partition("|")[0])[1:]
    while hasattr(command, "commands"):
        assert words[0] in command.commands
        command, words = command.commands[words[0]], words[1:]
    command.make_context(command.name, words)  # raises on an unknown option or a missing value


def test_the_readme_starts_with_its_two_commands() -> None:
    assert {"make demo", "make test"} <= set(_commands())


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_blocks_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = list(_blocks(path, "python"))
    monkeypatch.chdir(tmp_path)
    if blocks:
        students.make(GineSettings(size="tiny")).save_pretrained(MODEL)
        texts = ["Where is my card?", "Where is my money?"]
        wanted = StaticSettings(vocabulary=60, size="static-small")
        students.make(wanted, items=texts).save_pretrained(TEXT_MODEL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(path), "exec"), names)  # noqa: S102  (our own documents)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_files_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    named = re.findall(
        r"`((?:molkd|teachers|featurizers|benchmarks|examples|tests)/[\w/.]+)`", text
    )
    missing = [name for name in links if not (path.parent / name).exists()]
    missing += [name for name in named if not (ROOT / name).exists()]
    assert missing == []
