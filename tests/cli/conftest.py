"""A small student, a file of molecules, and the command line as it is typed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from molkd import cli
from molkd.students import GineSettings, make

GOOD = ["CCO", "c1ccccc1", "[Na+].[Cl-]", "C", "C[C@H](O)F", "F/C=C/F"]
Molkd = Callable[..., tuple[int, str]]


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    make(GineSettings(size="tiny")).save_pretrained(folder)
    return folder


@pytest.fixture
def molkd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Molkd:
    """Runs the command line; returns the exit code and what it said on standard error."""

    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["molkd", *map(str, arguments)])
        monkeypatch.chdir(tmp_path)
        try:
            cli.main()
        except SystemExit as stop:
            return int(stop.code or 0), capsys.readouterr().err
        return 0, capsys.readouterr().err

    return run


@pytest.fixture
def smi(tmp_path: Path) -> Path:
    path = tmp_path / "in.smi"
    path.write_text("\n".join([*GOOD, "bad molecule"]))
    return path
