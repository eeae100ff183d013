"""Folders of files that another job has begun: of other sizes, of other shards, of before."""

from __future__ import annotations

from pathlib import Path

import pytest

from molkd.embedding.layout import RECORDS, Layout, Shard
from molkd.embedding.merging import merge, read_manifest
from molkd.errors import InputError, OutputError
from molkd.runtime import locks
from tests.embedding.jobs import SMILES, embed, in_shards
from tests.fakes.fake_encoders import FakeEncoder


@pytest.mark.parametrize("row", [10, 70])
def test_a_folder_goes_on_with_the_files_that_it_was_begun_with(
    tmp_path: Path, source: Path, row: int
) -> None:
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        embed(FakeEncoder(stop=SMILES[row]), source, out, rows_per_file=48)
    encoder = FakeEncoder()
    for some in ({}, {"shard": "2/2"}, {"overwrite": True}):
        if row < 16:
            Layout(out, 48).place(0).parts.mkdir(parents=True, exist_ok=True)
        with pytest.raises(OutputError, match="begun with files of 48 rows each: give"):
            embed(encoder, source, out, rows_per_file=50, **some)
    assert encoder.asked == []
    embed(encoder, source, out, rows_per_file=48)
    assert read_manifest(out).content["rows"] == 100


def test_of_two_jobs_at_one_file_the_second_is_refused(tmp_path: Path, source: Path) -> None:
    out = tmp_path / "out"
    place = Layout(out, 48, Shard(1, 2)).place(0)
    with (
        locks.held(place.parts),
        pytest.raises(OutputError, match=r"another process is writing .*48\.parquet\.parts"),
    ):
        embed(FakeEncoder(), source, out, rows_per_file=48, shard="1/3")
    embed(FakeEncoder(), source, out, rows_per_file=48, shard="1/3")
    assert not list((out / RECORDS).glob("*.parts"))


def test_a_job_that_began_to_write_anew_takes_back_what_was_said_of_all(
    tmp_path: Path, source: Path
) -> None:
    out = tmp_path / "out"
    in_shards(source, out, 2, 20)
    merge(out)
    source.write_text("".join(f"{text}\n" for text in reversed(SMILES)))
    some = {"rows_per_file": 20, "shard": "1/3", "overwrite": True}
    with pytest.raises(KeyboardInterrupt):
        embed(FakeEncoder(stop=SMILES[20]), source, out, **some)
    with pytest.raises(InputError, match="run molkd merge"):
        read_manifest(out)
    with pytest.raises(InputError, match="no shard has finished"):
        merge(out)


def test_shards_that_finished_stay_so_while_others_of_them_write(
    tmp_path: Path, source: Path
) -> None:
    out = tmp_path / "out"
    embed(FakeEncoder(), source, out, rows_per_file=20, shard="1/2")
    embed(FakeEncoder(), source, out, rows_per_file=20, shard="2/2")
    merge(out)
    written = (out / "_manifest.json").read_bytes()
    embed(FakeEncoder(), source, out, rows_per_file=20, shard="2/3")  # writes nothing
    assert (out / "_manifest.json").read_bytes() == written
    merge(out)
    assert (out / "_manifest.json").read_bytes() == written


def test_what_a_file_was_made_from_can_change_for_it_alone(tmp_path: Path, source: Path) -> None:
    out = tmp_path / "out"
    embed(FakeEncoder(), source, out, rows_per_file=48)
    source.write_text(source.read_text() + "CCCl\n")
    last = out / "000000000096-000000000144.parquet"
    with pytest.raises(
        OutputError, match=r"exists and was made .*: remove it, to have it made anew"
    ):
        embed(FakeEncoder(), source, out, rows_per_file=48)
    last.unlink()
    encoder = FakeEncoder()
    assert embed(encoder, source, out, rows_per_file=48).total == 101
    assert encoder.asked == [*SMILES[96:], "CCCl"]


def test_a_file_whose_record_was_edited_is_not_taken_for_finished(
    tmp_path: Path, source: Path
) -> None:
    out = tmp_path / "out"
    embed(FakeEncoder(), source, out, rows_per_file=48)
    record = Layout(out, 48).place(0).settings
    record.write_text(record.read_text().replace("rows = 48", 'rows = "many"'))
    with pytest.raises(OutputError, match="exists: remove it, to have it made anew"):
        embed(FakeEncoder(), source, out, rows_per_file=48)


def test_a_table_of_others_is_seen_before_any_work(tmp_path: Path, source: Path) -> None:
    (tmp_path / "mine.parquet").touch()
    encoder = FakeEncoder()
    with pytest.raises(OutputError, match=r"holds mine\.parquet, which would count as one of"):
        embed(encoder, source, tmp_path, rows_per_file=48)
    assert encoder.asked == []


def test_the_input_may_lie_beside_the_files(tmp_path: Path, source: Path) -> None:
    embed(FakeEncoder(), source, tmp_path, rows_per_file=48)
    assert embed(FakeEncoder(), source, tmp_path, rows_per_file=48).already_done


@pytest.mark.parametrize(("name", "rows"), [("out.parquet", None), ("out", 48)])
def test_what_is_complete_takes_no_parts_from_who_makes_it_anew(
    tmp_path: Path, source: Path, name: str, rows: int | None
) -> None:
    out = tmp_path / name
    embed(FakeEncoder(), source, out, rows_per_file=rows)
    with pytest.raises(KeyboardInterrupt):
        embed(FakeEncoder(stop=SMILES[40]), source, out, rows_per_file=rows, overwrite=True)
    parts = Layout(out, rows).place(0).parts
    with locks.held(parts):
        assert embed(FakeEncoder(), source, out, rows_per_file=rows).already_done
        assert len(list(parts.glob("*.arrow"))) == 2
    assert embed(FakeEncoder(), source, out, rows_per_file=rows).already_done
    assert not parts.exists()
