"""`merge`: files of shards that are not all there, not whole or not alike are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from molkd.embedding.joining import join
from molkd.embedding.layout import RECORDS, Layout
from molkd.embedding.merging import merge, read_manifest
from molkd.embedding.tally import kind_of
from molkd.errors import ConfigError, InputError, OutputError
from molkd.runtime import files, locks
from tests.embedding.jobs import SMILES, embed, in_shards
from tests.fakes.fake_encoders import FakeEncoder


@pytest.fixture
def sharded(tmp_path: Path, source: Path) -> Path:
    in_shards(source, tmp_path / "out", 3, 20)
    return tmp_path / "out"


def test_a_shard_without_rows_is_no_fault(tmp_path: Path, source: Path) -> None:
    summary = embed(FakeEncoder(), source, tmp_path / "out", rows_per_file=100, shard="3/3")
    assert (summary.total, summary.already_done) == (0, False)
    with pytest.raises(InputError, match=r"not finished: 1/3, 2/3; run the same"):
        merge(tmp_path / "out")
    in_shards(source, tmp_path / "out", 3, 100)
    assert merge(tmp_path / "out").content["rows"] == 100


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (
            "Explicit valence for atom # 18 C, 6, is greater than permitted",
            "Explicit valence for atom C, 6, is greater than permitted",
        ),
        ("non-ring atom 0 marked aromatic", "non-ring atom marked aromatic"),
        ("SMILES syntax error: at 3", "SMILES syntax error"),
        ("4 fields where 3", "4 fields where 3"),
    ],
)
def test_reasons_of_one_kind_count_together(reason: str, kind: str) -> None:
    assert kind_of(reason) == kind


def test_the_manifest_counts_rows_and_reasons(tmp_path: Path) -> None:
    source = tmp_path / "in.smi"
    source.write_text("C\n[NaH]\nxx\n" * 10)
    in_shards(source, tmp_path / "out", 2, 16)
    content = merge(tmp_path / "out").content
    assert (content["rows"], content["invalid"]) == (30, 20)
    assert content["reasons"] == {
        "SMILES syntax error": 10,
        "the model returned NaN or infinity": 10,
    }
    assert [(one["start"], one["rows"]) for one in content["files"]] == [(0, 16), (16, 14)]
    assert content["model_digest"] == "fake"


def test_nothing_is_merged_where_nothing_was_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no shard has finished"):
        merge(tmp_path)


FIRST, SECOND = "000000000000-000000000020.parquet", "000000000020-000000000040.parquet"


def test_a_missing_file_is_named(sharded: Path) -> None:
    (sharded / SECOND).unlink()
    with pytest.raises(InputError, match=f"lacks {SECOND}"):
        merge(sharded)


def test_a_damaged_file_is_named(sharded: Path) -> None:
    data = bytearray((sharded / SECOND).read_bytes())
    data[50] ^= 1
    (sharded / SECOND).write_bytes(data)
    with pytest.raises(InputError, match=f"damaged.*{SECOND}"):
        merge(sharded)


@pytest.mark.parametrize("damage", ["", "nonsense", "[run]\nrows = 20\n"])
def test_a_file_whose_record_is_lost_is_named(sharded: Path, damage: str) -> None:
    record = sharded / RECORDS / f"{SECOND}.settings.toml"
    record.write_text(damage) if damage else record.unlink()
    with pytest.raises(InputError, match=f"nothing says how .*{SECOND} was made"):
        merge(sharded)


@pytest.mark.parametrize(
    ("there", "edited"),
    [
        ("rows = 20", 'rows = "20"'),
        ("start = 20", "start = 20.0"),
        ("invalid = 0", 'invalid = "none"'),
        ("invalid = 0", "invalid = 1"),  # of which no reason is counted
        ("named = false", "named = 0"),
        ("[record.reasons]", '[record.reasons]\nodd = "x"'),
        ("[record.reasons]", "[record.other]"),
    ],
)
def test_a_record_that_was_edited_is_named(sharded: Path, there: str, edited: str) -> None:
    record = sharded / RECORDS / f"{SECOND}.settings.toml"
    record.write_text(record.read_text().replace(there, edited, 1))
    with pytest.raises(InputError, match=f"nothing says how .*{SECOND} was made"):
        merge(sharded)


@pytest.mark.parametrize("edited", ['rows = "x"', "rows = -5", "row = 100", "rows = ["])
def test_a_shard_whose_end_was_edited_has_not_finished(sharded: Path, edited: str) -> None:
    end = sharded / RECORDS / "shard-2-of-3" / "finished.toml"
    end.write_text(end.read_text().replace("rows = 100", edited))
    with pytest.raises(InputError, match=r"not finished: 2/3; run the same"):
        merge(sharded)


def test_a_folder_of_others_is_compared_though_nothing_can_be_written(
    sharded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = merge(sharded).content

    def refuse(*_: object) -> None:
        raise OutputError(30, "read-only")

    monkeypatch.setattr(files, "write_json", refuse)
    assert merge(sharded).content == content == read_manifest(sharded).content
    (sharded / "_manifest.json").unlink()
    with pytest.raises(OutputError, match="read-only"):
        merge(sharded)


def test_a_file_that_overlaps_is_named(sharded: Path) -> None:
    overlapping = "000000000010-000000000030.parquet"
    (sharded / overlapping).write_bytes((sharded / FIRST).read_bytes())
    with pytest.raises(InputError, match=f"overlap.*{overlapping}"):
        merge(sharded)


@pytest.mark.parametrize(
    ("encoder", "some", "said"),
    [
        (FakeEncoder(digest="other"), {}, "model_digest is 'other' there, 'fake' in the first"),
        (FakeEncoder(), {"dtype": "float16"}, "dtype is 'float16' there, 'float32'"),
    ],
)
def test_a_file_of_another_model_or_other_settings_is_refused(
    tmp_path: Path, source: Path, encoder: FakeEncoder, some: dict[str, str], said: str
) -> None:
    out = tmp_path / "out"
    embed(FakeEncoder(), source, out, rows_per_file=50, shard="1/2")
    embed(encoder, source, out, rows_per_file=50, shard="2/2", **some)
    with pytest.raises(InputError, match=said):
        merge(out)


def test_shards_of_different_sources_are_refused(tmp_path: Path, source: Path) -> None:
    out = tmp_path / "out"
    embed(FakeEncoder(), source, out, rows_per_file=50, shard="1/2")
    source.write_text("".join(f"{text}\n" for text in SMILES[:90]))
    embed(FakeEncoder(), source, out, rows_per_file=50, shard="2/2")
    with pytest.raises(InputError, match="1/2 of 100 rows, 50 to a file, 2/2 of 90 rows"):
        merge(out)


def test_files_that_were_there_before_the_source_changed_are_refused(
    tmp_path: Path, source: Path
) -> None:
    out = tmp_path / "out"
    embed(FakeEncoder(), source, out, rows_per_file=50)
    source.write_text("".join(f"{text}\n" for text in reversed(SMILES)))
    with pytest.raises(OutputError, match="exists and was made from other molecules"):
        embed(FakeEncoder(), source, out, rows_per_file=50)


def test_a_manifest_that_was_edited_is_refused(sharded: Path) -> None:
    manifest = merge(sharded)
    assert read_manifest(sharded).content["rows"] == manifest.content["rows"] == 100
    path = sharded / "_manifest.json"
    content = files.read_json(path)
    files.write_json(path, content | {"rows": 99})
    with pytest.raises(InputError, match="was edited: run molkd merge"):
        read_manifest(sharded)
    merge(sharded)
    assert read_manifest(sharded).content["rows"] == 100
    path.unlink()
    with pytest.raises(InputError, match=r"cannot read .*_manifest\.json.*run molkd merge"):
        read_manifest(sharded)


# == One file of all


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("out/all.parquet", r"all\.parquet would lie in .*out and count as one of its files"),
        ("out/_records/all.npz", "would lie in"),
        ("all.xyz", "names no format"),
    ],
)
def test_one_file_of_all_lies_elsewhere_and_has_a_format(
    sharded: Path, output: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        join(merge(sharded), sharded.parent / output)
    merge(sharded)


@pytest.mark.parametrize("dtype", ["int8", "binary"])
def test_few_bits_are_not_joined_as_text(tmp_path: Path, source: Path, dtype: str) -> None:
    embed(FakeEncoder(reach=1.0), source, tmp_path / "out", rows_per_file=48, dtype=dtype)
    with pytest.raises(ConfigError, match=f"csv writes numbers as text, and {dtype} is about"):
        join(read_manifest(tmp_path / "out"), tmp_path / "all.csv")
    assert not (tmp_path / "all.csv").exists()


def test_what_a_kill_left_of_one_file_of_all_is_removed(sharded: Path) -> None:
    output, left = sharded.parent / "all.npy", sharded.parent / ".all.npy.999999999.partial"
    left.write_text("left by a kill")
    with (
        locks.held(Layout(output).held),
        pytest.raises(OutputError, match="another process is writing"),
    ):
        join(merge(sharded), output)
    assert left.exists()  # which may be what the other one writes
    join(merge(sharded), output)
    assert {path.name for path in sharded.parent.glob("*all*")} == {
        "all.npy",
        "all.npy.ids.parquet",
        "all.npy.settings.toml",
    }
