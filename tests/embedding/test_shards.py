"""Files named by their rows: shards, kills and a merge give the bytes of one run."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rdkit import Chem

from molkd import students
from molkd.embedding import EmbedSettings, Shard, embed_file
from molkd.embedding.joining import join
from molkd.embedding.layout import RECORDS, Layout
from molkd.embedding.merging import merge, read_manifest
from molkd.errors import ConfigError, OutputError
from molkd.formats.embeddings import read
from molkd.runtime import locks
from tests.embedding.jobs import SMILES, embed, in_shards
from tests.fakes.fake_encoders import FakeEncoder


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("rows", [1, 16, 20, 48, 100, 1000])
@pytest.mark.parametrize("count", [2, 3, 7])
def test_any_number_of_shards_gives_the_bytes_of_one_run(
    tmp_path: Path, source: Path, rows: int, count: int
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    embed(FakeEncoder(), source, whole, rows_per_file=rows)
    in_shards(source, parts, count, rows)
    merge(parts)
    assert _files(parts) == _files(whole)
    assert len(_files(whole)) == -(-100 // rows) + 1


def test_every_file_has_as_many_rows_as_asked_and_its_name_says_which(
    tmp_path: Path, source: Path
) -> None:
    embed(FakeEncoder(), source, tmp_path / "out", rows_per_file=40)
    stored = {path.name: read(path).items for path in sorted((tmp_path / "out").glob("*.parquet"))}
    assert stored == {
        "000000000000-000000000040.parquet": SMILES[:40],
        "000000000040-000000000080.parquet": SMILES[40:80],
        "000000000080-000000000120.parquet": SMILES[80:],
    }
    assert pq.read_table(tmp_path / "out").num_rows == 100  # a folder is a table to others


@pytest.mark.parametrize("kind", ["parquet", "npz", "npy", "csv"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("drop", [False, True])
def test_one_file_of_all_is_the_one_that_a_single_job_writes(
    tmp_path: Path, kind: str, dtype: str, drop: bool
) -> None:
    source = tmp_path / "in.csv"
    lines = [f"{smiles},{row},{row / 2},n{row}" for row, smiles in enumerate(SMILES)]
    lines[3], lines[70] = "bad,007,,", ",,x,"
    source.write_text("smiles,number,half,note\n" + "\n".join(lines) + "\n")
    some = {"dtype": dtype, "keep": ("number", "half", "note")}
    some["on_invalid"] = "drop" if drop else "null"
    alone, joined = tmp_path / f"alone.{kind}", tmp_path / f"joined.{kind}"
    embed(FakeEncoder(), source, alone, **some)
    in_shards(source, tmp_path / "out", 3, 32, **some)
    join(merge(tmp_path / "out"), joined)
    assert joined.read_bytes() == alone.read_bytes()


@pytest.mark.parametrize("kind", ["parquet", "npz", "npy"])
@pytest.mark.parametrize("dtype", ["int8", "binary"])
def test_few_bits_are_joined_as_they_are(tmp_path: Path, kind: str, dtype: str) -> None:
    source = tmp_path / "in.smi"
    source.write_text("\n".join([*SMILES[:50], "bad", *SMILES[50:]]) + "\n")
    alone, joined = tmp_path / f"alone.{kind}", tmp_path / f"joined.{kind}"
    student = students.load("molkd-tiny")
    options = EmbedSettings(dtype=dtype, chunk_rows=16)  # pyright: ignore[reportArgumentType]
    embed_file(student, source, alone, options, name="tiny")
    embed_file(student, source, tmp_path / "out", options, name="tiny", rows_per_file=32)
    join(read_manifest(tmp_path / "out"), joined)
    assert joined.read_bytes() == alone.read_bytes()


@pytest.mark.parametrize("named", [None, 3, 90])
def test_a_missing_name_becomes_no_number_where_another_file_has_names(
    tmp_path: Path, named: int | None
) -> None:
    source = tmp_path / "in.smi"
    source.write_text(
        "".join(f"{smiles}{' x' * (row == named)}\n" for row, smiles in enumerate(SMILES))
    )
    embed(FakeEncoder(), source, tmp_path / "alone.parquet")
    embed(FakeEncoder(), source, tmp_path / "out", rows_per_file=16)
    join(read_manifest(tmp_path / "out"), tmp_path / "joined.parquet")
    assert (tmp_path / "joined.parquet").read_bytes() == (tmp_path / "alone.parquet").read_bytes()


def test_columns_that_are_kept_are_alike_in_all_files(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("smiles,x\n" + "C,1\n" * 8 + "C,a\n" * 8)
    embed(FakeEncoder(), source, tmp_path / "out", rows_per_file=8, keep=("x",))
    table = pq.read_table(tmp_path / "out")
    assert table["x"].to_pylist() == [*["1"] * 8, *["a"] * 8]


# == Interruption


@pytest.mark.parametrize("row", [0, 17, 50, 99])
def test_an_interrupted_run_goes_on_within_its_file(tmp_path: Path, source: Path, row: int) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    embed(FakeEncoder(), source, whole, rows_per_file=48)
    with pytest.raises(KeyboardInterrupt):
        embed(FakeEncoder(stop=SMILES[row]), source, out, rows_per_file=48)
    encoder = FakeEncoder()
    summary = embed(encoder, source, out, rows_per_file=48)
    begun = row // 48 * 48
    done = begun + (row - begun) // 16 * 16
    assert encoder.asked == SMILES[done:]
    assert (summary.total, summary.resumed) == (100, done)
    assert _files(out) == _files(whole)
    assert not list((out / RECORDS).glob("*.parts"))


def test_what_is_complete_is_left_alone(tmp_path: Path, source: Path) -> None:
    out = tmp_path / "out"
    embed(FakeEncoder(), source, out, rows_per_file=48)
    encoder = FakeEncoder()
    assert embed(encoder, source, out, rows_per_file=48).already_done
    assert not encoder.asked
    assert not embed(encoder, source, out, rows_per_file=48, overwrite=True).already_done
    assert encoder.asked == SMILES


def test_a_second_process_on_the_same_shard_is_refused(tmp_path: Path, source: Path) -> None:
    layout = Layout(tmp_path / "out", 48, Shard(1, 2))
    with (
        locks.held(layout.held),
        pytest.raises(OutputError, match="another process is writing"),
    ):
        embed(FakeEncoder(), source, tmp_path / "out", rows_per_file=48, shard="1/2")
    embed(FakeEncoder(), source, tmp_path / "out", rows_per_file=48, shard="2/2")


# == What cannot be meant


@pytest.mark.parametrize("text", ["0/3", "4/3", "1/0", "-1/2", "a/b", "1", "1/2/3", ""])
def test_a_shard_is_i_of_n(text: str) -> None:
    with pytest.raises(ConfigError, match="expected I/N with I from 1 to N"):
        Shard.of_text(text)


def test_shards_need_files_and_files_a_folder(tmp_path: Path, source: Path) -> None:
    with pytest.raises(ConfigError, match="give rows_per_file"):
        embed(FakeEncoder(), source, tmp_path / "out.parquet", shard="1/2")
    with pytest.raises(ConfigError, match="are Parquet, not csv"):
        embed(FakeEncoder(), source, tmp_path / "out", rows_per_file=10, format="csv")
    with pytest.raises(ConfigError, match="rows_per_file must be at least 1"):
        embed(FakeEncoder(), source, tmp_path / "out", rows_per_file=0)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is a file: with rows_per_file the output is a folder"):
        embed(FakeEncoder(), source, tmp_path / "file", rows_per_file=10)


def test_a_real_teacherin_shards(tmp_path: Path, source: Path) -> None:
    from molkd import teachers
    from molkd.embedding import TeacherEncoder

    encoder = TeacherEncoder(teachers.make("maccs"))
    for number in (1, 2):
        embed_file(
            encoder,
            source,
            tmp_path / "out",
            EmbedSettings(),
            name="maccs",
            rows_per_file=30,
            shard=Shard(number, 2),
        )
    join(merge(tmp_path / "out"), tmp_path / "all.npy")
    assert np.load(tmp_path / "all.npy").shape == (100, 167)


# == Shares


@pytest.mark.parametrize("rows", [0, 1, 9, 10, 11, 35, 100])
@pytest.mark.parametrize("count", [1, 2, 3, 20])
def test_the_shares_of_all_shards_are_the_whole(rows: int, count: int) -> None:
    shares = [Layout(Path("out"), 10, Shard(number + 1, count)) for number in range(count)]
    own = [
        {row for span in itertools.islice(one.spans, 12) for row in span if row < rows}
        for one in shares
    ]
    assert [one.share(rows) for one in shares] == list(map(len, own))
    assert sorted(itertools.chain.from_iterable(own)) == list(range(rows))


@pytest.mark.parametrize("kind", ["smi", "csv", "parquet", "sdf"])
def test_every_format_passes_over_the_rows_of_others(tmp_path: Path, kind: str) -> None:
    source = tmp_path / f"in.{kind}"
    if kind == "parquet":
        pq.write_table(pa.table({"smiles": SMILES}), source, row_group_size=7)
    elif kind == "sdf":
        block = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))
        source.write_text("".join(f"{row}{block}$$$$\n" for row in range(100)))
    else:
        head = "smiles\n" if kind == "csv" else ""
        source.write_text(head + "".join(f"{text}\n" for text in SMILES))
    embed(FakeEncoder(read="unread"), source, tmp_path / "whole", rows_per_file=30)
    for number in (1, 2, 3):
        some = {"rows_per_file": 30, "shard": f"{number}/3"}
        embed(FakeEncoder(read="unread"), source, tmp_path / "parts", **some)
    assert merge(tmp_path / "parts").content["rows"] == 100
    assert _files(tmp_path / "parts") == _files(tmp_path / "whole")
