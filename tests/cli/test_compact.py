"""`molkd bench compact`: a table of ways to store a library, or a reason."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from molkd.cli import app
from molkd.errors import InputError
from tests.fakes import libraries


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return libraries.embedded(tmp_path_factory.mktemp("compact"))


def _bench(*arguments: object) -> tuple[list[list[str]], str]:
    texts = ["bench", "compact", *map(str, arguments)]
    done = CliRunner().invoke(app, texts, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return [line.split("\t") for line in done.stdout.splitlines()], done.stderr


def test_every_way_is_a_row(file: Path) -> None:
    (header, *rows), _ = _bench(file, "--dimensions", "32,64", "--queries", 10)
    assert header == ["dtype", "dimensions", "bytes", "queries", "recall@10", "recall@100"]
    assert [row[:4] for row in rows[:5]] == [
        ["float16", "128", "256", "float32"],
        ["int8", "128", "128", "float32"],
        ["int8", "128", "128", "the same"],
        ["binary", "128", "16", "float32"],
        ["binary", "128", "16", "the same"],
    ]
    assert [row[:3] for row in rows[5:7]] == [["float32", "32", "128"], ["float16", "32", "64"]]
    assert len(rows) == 17
    assert rows[0][4].startswith("1.000 (")


def test_a_file_that_names_no_student_has_no_int8(file: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.parquet"
    pq.write_table(pq.read_table(file).replace_schema_metadata(None), bare)
    rows, said = _bench(bare, "--queries", 10)
    assert {row[0] for row in rows[1:]} == {"float16", "binary"}
    assert said.startswith("int8 is left out")
    assert "int8" in {row[0] for row in _bench(bare, "--model", libraries.STUDENT)[0]}


def test_a_file_that_is_compact_already_is_refused(file: Path, tmp_path: Path) -> None:
    runner, small = CliRunner(), str(tmp_path / "small.parquet")
    source = str(file.with_name("molecules.csv"))
    command = ["embed", source, "-o", small, "--dtype", "int8", "-m", libraries.STUDENT]
    assert runner.invoke(app, [*command, "-j", "1"], catch_exceptions=False).exit_code == 0
    with pytest.raises(InputError, match="holds int8 already"):
        _bench(small)
