"""`molkd teachers learn-lsa`."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from molkd import teachers
from molkd.cli import app
from molkd.errors import InputError, OutputError
from tests.fakes.kinds import sentences


def test_a_teacher_from_a_file_of_texts(tmp_path: Path):
    texts = sentences(40)
    (tmp_path / "in.txt").write_text("\n".join([*texts[:20], "", *texts[20:]]) + "\n")
    folder = tmp_path / "lsa"
    arguments = ["teachers", "learn-lsa", "-i", str(tmp_path / "in.txt"), "-o", str(folder)]
    done = CliRunner().invoke(app, [*arguments, "--dim", "5", "--seed", "3"])
    assert done.exit_code == 0, done.output
    assert "5 dimensions from 40 texts" in done.output
    name = done.output.splitlines()[-1]
    assert name == f"lsa:{folder}"
    embedded = teachers.make(name).embed(texts)
    assert embedded.values.shape == (40, 5)
    again = CliRunner().invoke(app, arguments, standalone_mode=False)
    assert isinstance(again.exception, OutputError)
    assert "is not empty" in str(again.exception)


def test_a_file_without_a_column_of_texts(tmp_path: Path):
    (tmp_path / "in.csv").write_text("a,b\n1,2\n")
    arguments = ["teachers", "learn-lsa", "-i", str(tmp_path / "in.csv"), "-o", "x"]
    done = CliRunner().invoke(app, arguments, standalone_mode=False)
    assert isinstance(done.exception, InputError)
    with pytest.raises(InputError, match="no column with a usual name for texts"):
        raise done.exception
