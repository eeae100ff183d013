"""A script that cannot do what it is asked says so in one line, and ends with 2."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from molkd.benchmarks.scripts import compare_builds, compare_linear
from molkd.prediction import calibration


@pytest.mark.parametrize(
    ("main", "arguments", "message"),
    [
        (compare_linear.main, ["--tasks", "nope"], "unknown task 'tdc-admet:nope'"),
        (compare_builds.main, ["HEAD", "--tasks", "nope", "--cache", "."], "unknown task 'nope'"),
        (calibration.main, [], "no table of tdc-single is in"),
    ],
)
def test_an_error_is_one_line(
    main: Callable[[], None],
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["script", "--data", str(tmp_path), *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
