"""A library in many files, here or in a store, embeds as one file does."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from molkd.embedding import embed_file
from molkd.embedding.extent import Extent
from molkd.embedding.merging import merge
from molkd.errors import ConfigError, InputError, OutputError
from molkd.formats.columns import Columns
from molkd.formats.readers import read
from molkd.items import MODALITIES
from tests.embedding.jobs import SMILES, embed
from tests.fakes.fake_encoders import FakeEncoder

STYLE = MODALITIES["molecules"].style


def _cut(folder: Path, rows: Sequence[str], bounds: Sequence[int]) -> str:
    for start, stop in itertools.pairwise(bounds):
        (folder / f"part-{start:03d}.smi").write_text("\n".join(rows[start:stop]))
    return str(folder / "part-*.smi")


@pytest.mark.parametrize("place", ["here", "memory"])
@pytest.mark.parametrize("bounds", [[0, 100], [0, 16, 100], [0, 1, 2, 37, 99, 100]])
def test_the_bytes_do_not_depend_on_the_files(
    tmp_path: Path, source: Path, expected: bytes, bounds: list[int], place: str
) -> None:
    pattern = _cut(tmp_path, SMILES, bounds)
    if place == "memory":
        memory = fsspec.filesystem("memory")
        if memory.exists("/cut"):
            memory.rm("/cut", recursive=True)
        memory.put(f"{tmp_path}/part-*.smi", "/cut/")
        pattern = "memory://cut/part-*.smi"
    embed(FakeEncoder(), pattern, tmp_path / "out.npy")
    assert (tmp_path / "out.npy").read_bytes() == expected
    assert embed(FakeEncoder(), source, tmp_path / "out.npy").already_done


def test_an_interrupted_job_goes_on_in_the_file_where_it_stopped(
    tmp_path: Path, expected: bytes
) -> None:
    pattern = _cut(tmp_path, SMILES, [0, 30, 70, 100])
    with pytest.raises(KeyboardInterrupt):
        embed(FakeEncoder(stop=SMILES[50]), pattern, tmp_path / "out.npy")
    encoder = FakeEncoder()
    assert embed(encoder, pattern, tmp_path / "out.npy").resumed == 48
    assert encoder.asked == SMILES[48:]
    assert (tmp_path / "out.npy").read_bytes() == expected


def test_a_bad_file_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    pattern = _cut(tmp_path, SMILES, [0, 50, 100])
    (tmp_path / "part-090.smi").write_bytes(b"")
    encoder = FakeEncoder()
    with pytest.raises(InputError, match=r"part-090\.smi is empty"):
        embed(encoder, pattern, tmp_path / "out.npy")
    assert encoder.asked == []
    assert not (tmp_path / "out.npy").exists()


def test_the_output_is_none_of_the_inputs(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("smiles\nC\n")
    (tmp_path / "b.csv").write_text("smiles\nC\n")
    with pytest.raises(
        ConfigError, match=r"b\.csv is one of the input files: give the output anot"
    ):
        embed(FakeEncoder(), tmp_path / "*.csv", tmp_path / "b.csv")


@pytest.mark.parametrize(("output", "rows"), [("p.npy", None), ("p", 1)])
def test_a_pattern_that_matches_what_is_written_is_refused(
    tmp_path: Path, output: str, rows: int | None
) -> None:
    pq.write_table(pa.table({"smiles": ["C", "CC"]}), tmp_path / "pa.parquet")
    pattern = tmp_path / "**" / "*.parquet"
    embed(FakeEncoder(), pattern, tmp_path / output, rows_per_file=rows)
    with pytest.raises(ConfigError, match=r"p\.npy\.ids\.parquet|p/0+-0+1\.parquet, which belongs"):
        embed(FakeEncoder(), pattern, tmp_path / output, rows_per_file=rows)


@pytest.mark.parametrize("rows", [None, 10])
@pytest.mark.parametrize("output", ["s3://b/out.parquet", "memory://out.npy"])
def test_nothing_is_written_to_a_store(source: Path, output: str, rows: int | None) -> None:
    with pytest.raises(OutputError, match=f"{output}: nothing is written to a store"):
        embed_file(FakeEncoder(), source, output, name="fake", rows_per_file=rows)
    with pytest.raises(OutputError, match=f"{output}: nothing is written to a store"):
        merge(Path(output))
    assert Path(output).parts[0] not in {path.name for path in Path().iterdir()}


def test_standard_output_takes_no_embeddings(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"a file, no pipe: name one, such as out\.parquet"):
        embed_file(FakeEncoder(), source, "-", name="fake")
    assert not (tmp_path / "-").exists()


@pytest.mark.parametrize("suffix", ["smi", "parquet"])
def test_the_rows_of_all_files_are_known_or_estimated(tmp_path: Path, suffix: str) -> None:
    for number, rows in enumerate([4000, 1, 16_000, 2000]):
        path = tmp_path / f"{number}.{suffix}"
        if suffix == "smi":
            path.write_text("CCOC(=O)C\n" * rows)
        else:
            pq.write_table(pa.table({"smiles": ["CCO"] * rows}), path)
    extent = Extent(str(tmp_path / f"*.{suffix}"), None, STYLE)
    assert extent.rows == (22_001 if suffix == "parquet" else None)
    spans = [range(1000, 2000), range(9000, 22_001)]
    for chunk in extent.chunks(read, Columns(), 1000, spans):
        read_ahead = 2 * 8192 / len("CCOC(=O)C\n") + 1000
        assert abs((extent.rows or 0) - 22_001) < 22_001 * read_ahead / (chunk.row0 + 1000)
    assert abs((extent.rows or 0) - 22_001) < 300
