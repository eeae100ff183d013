"""`molkd embed --shard` and `molkd merge`, as they are typed."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from molkd import cli
from molkd.errors import ConfigError, InputError, OutputError
from molkd.students import GineSettings, make

SMILES = [f"{'C' * (1 + row % 9)}{'N' * (row // 9)}" for row in range(50)]


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.smi").write_text("".join(f"{text}\n" for text in [*SMILES, "bad"]))
    make(GineSettings(size="tiny")).save_pretrained(tmp_path / "model")
    return "in.smi"


def _molkd(*arguments: str) -> None:
    cli.app(arguments, standalone_mode=False)


def _embed(source: str, *options: str) -> None:
    _molkd("embed", source, "-m", "model", "--jobs", "1", *options)


def test_shards_are_embedded_merged_and_joined(
    source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2, 3):
        _embed(source, "-o", "out", "--rows-per-file", "20", "--shard", f"{number}/3")
    _embed(source, "-o", "alone.parquet")
    capsys.readouterr()
    _molkd("merge", "out", "-o", "all.parquet", "--jobs", "1")
    said = capsys.readouterr().err
    assert "50 of 51 embedded by" in said
    assert "3 files, none missing: out/_manifest.json" in said
    assert "1 SMILES syntax error" in said
    joined = pq.read_table(tmp_path / "all.parquet")
    alone = pq.read_table(tmp_path / "alone.parquet")
    assert joined["smiles"].to_pylist() == alone["smiles"].to_pylist()
    with pytest.raises(OutputError, match="exists: give --overwrite"):
        _molkd("merge", "out", "-o", "all.parquet", "--jobs", "1")


def test_where_one_file_of_all_cannot_lie_is_known_before_the_files_are_read(
    source: str, tmp_path: Path
) -> None:
    _embed(source, "-o", "out", "--rows-per-file", "20")
    (tmp_path / "out" / "000000000000-000000000020.parquet").unlink()
    with pytest.raises(ConfigError, match="names no format"):
        _molkd("merge", "out", "-o", "all.xyz")
    with pytest.raises(ConfigError, match="would lie in out"):
        _molkd("merge", "out", "-o", "out/all.parquet")
    with pytest.raises(OutputError, match="out is a folder"):
        _molkd("merge", "out", "-o", "out")


def test_a_shard_that_gets_nothing_is_told_so(
    source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _embed(source, "-o", "out", "--shard", "2/2")  # a million rows to a file
    assert "no rows fall to shard 2/2: there are more shards than" in capsys.readouterr().err
    with pytest.raises(InputError, match="not finished: 1/2"):
        _molkd("merge", "out")


def test_what_is_no_shard_is_refused(source: str) -> None:
    with pytest.raises(ConfigError, match="expected I/N"):
        _embed(source, "-o", "out", "--shard", "4/3")


@pytest.mark.parametrize("options", [("--rows-per-file", "0"), ("--shard", ""), ("--shard", "/2")])
def test_what_a_script_leaves_empty_is_no_single_file(
    source: str, tmp_path: Path, options: tuple[str, str]
) -> None:
    with pytest.raises(ConfigError, match=r"rows_per_file must be at least 1|expected I/N"):
        _embed(source, "-o", "out", *options)
    assert not (tmp_path / "out").exists()


def test_of_several_processes_each_embeds_its_shard(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        monkeypatch.setenv("LOCAL_RANK", rank)
        _embed(source, "-o", "out", "--rows-per-file", "30", "--device", "cpu")
    assert [pq.read_metadata(path).num_rows for path in sorted((tmp_path / "out").glob("0*"))] == [
        30,
        21,
    ]
    _molkd("merge", "out", "--jobs", "1")
    assert (tmp_path / "out" / "_manifest.json").exists()
