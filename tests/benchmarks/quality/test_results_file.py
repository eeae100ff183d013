"""The file of results is written by one run at a time, and read back whatever labels hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from molkd.benchmarks import records
from molkd.benchmarks.quality.evaluation import RESULTS
from molkd.errors import OutputError
from molkd.runtime import locks
from tests.fakes import letters


def test_a_separator_in_a_name_ends_no_line(tmp_path: Path) -> None:
    odd = replace(letters.task(), name="pIC50\u2028(nM)\x85")
    written = letters.run(tmp_path, [odd])
    read = records.read(tmp_path / RESULTS)
    assert {score.task for score in read.scores} == {odd.name}
    assert read.scores == written.scores
    assert letters.run(tmp_path, [odd]).scores == written.scores


def test_a_second_run_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with (
        locks.held(tmp_path),
        pytest.raises(OutputError, match="another process is writing"),
    ):
        letters.run(tmp_path)
    letters.run(tmp_path)
