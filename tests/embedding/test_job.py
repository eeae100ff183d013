"""The embedding job: every row arrives, in order, with its vector or its reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from molkd.embedding import EmbedSettings, TeacherEncoder, embed_file, job, plan, settings_path
from molkd.embedding.engines import local
from molkd.embedding.layout import Layout
from molkd.errors import (
    ConfigError,
    InputError,
    ItemError,
    OutputError,
    ShapeError,
    UnknownNameError,
)
from molkd.formats.chunks import Chunk
from molkd.formats.writers.npy import ids_path
from molkd.runtime import settings
from tests.embedding.jobs import SMILES as GOOD
from tests.embedding.jobs import embed as _embed
from tests.fakes.fake_encoders import FakeEncoder
from tests.fakes.fake_teachers import FakeTeacher


def _smi(folder: Path, smiles: list[str]) -> Path:
    path = folder / "in.smi"
    path.write_text("".join(f"{text}\tm{row}\n" for row, text in enumerate(smiles)))
    return path


def test_rows_ids_and_vectors_in_order(tmp_path: Path) -> None:
    summary = _embed(FakeEncoder(), _smi(tmp_path, GOOD), tmp_path / "out.parquet")
    assert (summary.total, summary.invalid, summary.reasons) == (100, 0, {})
    frame = pd.read_parquet(tmp_path / "out.parquet")
    assert frame["id"].tolist() == [f"m{row}" for row in range(100)]
    assert frame["smiles"].tolist() == GOOD
    expected = np.stack([FakeEncoder()._row(text) for text in GOOD])
    np.testing.assert_array_equal(np.stack(frame["embedding"]), expected)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "in.smi",
        "out.parquet",
        "out.parquet.settings.toml",
    ]


@pytest.mark.parametrize("kind", ["parquet", "npy"])
def test_the_number_of_processes_changes_no_byte(tmp_path: Path, kind: str) -> None:
    source = _smi(tmp_path, [*GOOD, "bad", *GOOD])
    alone, together = tmp_path / "one" / f"out.{kind}", tmp_path / "two" / f"out.{kind}"
    _embed(FakeEncoder(), source, alone)
    _embed(FakeEncoder(), source, together, jobs=2)
    assert together.read_bytes() == alone.read_bytes()
    assert settings_path(together).read_bytes() == settings_path(alone).read_bytes()
    if kind == "npy":
        assert ids_path(together).read_bytes() == ids_path(alone).read_bytes()


def test_the_size_of_chunks_changes_no_value(tmp_path: Path) -> None:
    source = _smi(tmp_path, GOOD)
    for rows in (1, 7, 100, 1000):
        _embed(FakeEncoder(), source, tmp_path / f"{rows}.npy", chunk_rows=rows)
    first, *others = [np.load(tmp_path / f"{rows}.npy") for rows in (1, 7, 100, 1000)]
    for other in others:
        np.testing.assert_array_equal(other, first)


@pytest.mark.parametrize(("kind", "rows"), [("texts", 2000), ("images", 256)])
def test_as_many_rows_are_held_at_once_as_suit_the_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, rows: int
) -> None:
    asked: list[int] = []

    def read(*_: object, chunk_rows: int, **__: object) -> Iterator[Chunk]:
        asked.append(chunk_rows)
        return iter(())

    monkeypatch.setattr(plan, "read", read)
    kinds = EmbedSettings(input_format="parquet")
    for options in (kinds, replace(kinds, chunk_rows=3)):
        encoder, place = FakeEncoder(modality=kind), tmp_path / f"{len(asked)}.npy"
        job.Job(encoder, "in", Layout(place), options, "fake", local.run).run(1, progress=False)
    assert asked == [rows, 3]


def test_metadata_and_settings_say_how_it_was_made(tmp_path: Path) -> None:
    output = tmp_path / "out.parquet"
    _embed(FakeEncoder(digest="d1"), _smi(tmp_path, GOOD), output, dtype="float16")
    facts = {key.decode(): value.decode() for key, value in pq.read_schema(output).metadata.items()}
    assert facts["molkd.model"] == "fake"
    assert facts["molkd.model_digest"] == "d1"
    assert json.loads(facts["molkd.settings"])["dtype"] == "float16"
    assert {"molkd.molkd", "molkd.rdkit", "molkd.torch"} < set(facts)
    loaded = settings.load(EmbedSettings, settings_path(output))
    assert loaded == EmbedSettings(dtype="float16", chunk_rows=16)
    record = settings.read_record(settings_path(output))
    assert (record["model_digest"], record["rows"], record["invalid"]) == ("d1", 100, 0)


# == Molecules that cannot be embedded

BAD = {
    1: ("not-a-smiles", "SMILES syntax error"),
    3: ("", "empty SMILES"),
    5: ("None", "no SMILES but a missing value"),
    7: ("NaN", "no SMILES but a missing value"),
    9: ("C" * 5000, "5000 heavy atoms, more than the 1000 allowed"),
    11: ("C(C)(C)(C)(C)C", "valence"),
    40: ("[NaH]", "the model returned NaN or infinity"),
}


def _mixed(folder: Path) -> Path:
    texts = [BAD[row][0] if row in BAD else GOOD[row] for row in range(50)]
    path = folder / "in.csv"
    pd.DataFrame({"id": [f"m{row}" for row in range(50)], "smiles": texts}).to_csv(
        path, index=False
    )
    return path


def test_null_keeps_rows_with_reasons(tmp_path: Path) -> None:
    output = tmp_path / "out.parquet"
    summary = _embed(FakeEncoder(), _mixed(tmp_path), output, id_column="id")
    frame = pd.read_parquet(output)
    assert frame["id"].tolist() == [f"m{row}" for row in range(50)]
    assert np.flatnonzero(~frame["valid"]).tolist() == list(BAD)
    assert np.flatnonzero(frame["embedding"].isna()).tolist() == list(BAD)
    assert np.flatnonzero(frame["error"].notna()).tolist() == list(BAD)
    for row, (_, reason) in BAD.items():
        assert reason in frame["error"][row]
    assert (summary.total, summary.invalid, summary.dropped) == (50, len(BAD), 0)
    assert list(summary.reasons) == list(BAD)[:5]


def test_drop_leaves_them_out(tmp_path: Path) -> None:
    output = tmp_path / "out.npz"
    summary = _embed(
        FakeEncoder(), _mixed(tmp_path), output, on_invalid="drop", id_column="id", chunk_rows=1
    )
    arrays = np.load(output)
    kept = [row for row in range(50) if row not in BAD]
    assert arrays["ids"].tolist() == [f"m{row}" for row in kept]
    assert arrays["valid"].all()
    assert np.isfinite(arrays["X"]).all()
    assert arrays["X"].shape == (len(kept), 4)
    assert (summary.invalid, summary.dropped) == (len(BAD), len(BAD))


def test_error_names_rows_and_writes_nothing(tmp_path: Path) -> None:
    output = tmp_path / "out.parquet"
    with pytest.raises(ItemError, match=r"row 1: SMILES syntax error\n  row 3: empty SMILES"):
        _embed(FakeEncoder(), _mixed(tmp_path), output, on_invalid="error")
    assert not output.exists()
    encoder = FakeEncoder()
    summary = _embed(encoder, _mixed(tmp_path), output)
    assert summary.resumed == 16  # the first part was kept


def test_too_many_invalid_molecules_fail_after_writing(tmp_path: Path) -> None:
    output, source = tmp_path / "out.parquet", _mixed(tmp_path)
    with pytest.raises(InputError, match=r"7 of 50 molecules are invalid, .* 0\.1 allowed"):
        _embed(FakeEncoder(), source, output, max_invalid_frac=0.1)
    assert len(pd.read_parquet(output)) == 50
    with pytest.raises(InputError, match="7 of 50 molecules are invalid"):
        _embed(FakeEncoder(), source, output, max_invalid_frac=0.1)
    assert _embed(FakeEncoder(), source, output, max_invalid_frac=0.14).already_done


def test_a_value_too_large_for_float16_is_no_silent_infinity(tmp_path: Path) -> None:
    source = _smi(tmp_path, GOOD[:5])
    _embed(FakeEncoder(scale=1e6), source, tmp_path / "half.parquet", dtype="float16")
    frame = pd.read_parquet(tmp_path / "half.parquet")
    assert set(frame["error"]) == {"a value exceeds float16"}
    _embed(FakeEncoder(scale=1e6), source, tmp_path / "full.parquet")
    assert pd.read_parquet(tmp_path / "full.parquet")["valid"].all()


def test_standardisation_comes_first_and_keeps_reasons(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("smiles,x\n[Na+].OC(=O)C,1\nbad,2\nCC(=O)O,3,4\nCC(=O)O,5\n")
    encoder = FakeEncoder()
    _embed(encoder, path, tmp_path / "out.parquet", standardize="full")
    assert encoder.asked == ["CC(=O)O", "None", "None", "CC(=O)O"]
    frame = pd.read_parquet(tmp_path / "out.parquet")
    assert frame["error"].fillna("").tolist() == [
        "",
        "SMILES syntax error",
        "3 fields where the header has 2 (line 4)",
        "",
    ]
    assert frame["smiles"].tolist()[:2] == ["[Na+].OC(=O)C", "bad"]  # as they were read


# == Encoders


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_teacher_is_an_encoder(tmp_path: Path, jobs: int) -> None:
    source, output = _smi(tmp_path, [*GOOD[:40], "fail"]), tmp_path / "out.parquet"
    embed_file(TeacherEncoder(FakeTeacher()), source, output, name="fake", jobs=jobs)
    frame = pd.read_parquet(output)
    assert frame["valid"].tolist() == [True] * 40 + [False]
    expected = FakeTeacher().embed(GOOD[:40]).values  # noqa: PD011
    np.testing.assert_array_equal(np.stack(frame["embedding"][:40]), expected)


def test_a_wrong_width_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match=r"fake returned an array of shape \(16, 3\) .* \(16, 4\)"):
        _embed(FakeEncoder(width=3), _smi(tmp_path, GOOD), tmp_path / "out.npy")


# == What is refused before anything is computed


@pytest.mark.parametrize(
    ("some", "message"),
    [
        (
            {"dtype": "float64"},
            "dtype: expected one of float32, float16, int8, binary, got 'float64'",
        ),
        ({"on_invalid": "skip"}, "on_invalid: expected one of null, drop, error"),
        ({"standardize": "half"}, "standardize is one of none, light, full"),
        ({"max_invalid_frac": 2}, r"max_invalid_frac must lie in \[0, 1\], not 2"),
        ({"batch_size": 0}, "batch_size must be at least 1, not 0"),
        ({"chunk_rows": 0}, "chunk_rows must be at least 1, not 0"),
        ({"jobs": 0}, "jobs must be at least 1, not 0"),
        ({"format": "hdf5"}, r"unknown output format 'hdf5'\. Known: parquet, npz, npy, csv\."),
        ({"input_format": "xlsx"}, r"unknown input format 'xlsx'\. Known: smi, csv, tsv"),
    ],
)
def test_wrong_settings(tmp_path: Path, some: dict[str, Any], message: str) -> None:
    with pytest.raises((ConfigError, UnknownNameError), match=message):
        _embed(FakeEncoder(), _smi(tmp_path, GOOD), tmp_path / "out.npy", **some)


def test_the_input_is_never_the_output(tmp_path: Path) -> None:
    source = _mixed(tmp_path)
    with pytest.raises(ConfigError, match=r"in\.csv is the input"):
        _embed(FakeEncoder(), source, tmp_path / "x" / ".." / "in.csv", overwrite=True)


def test_an_existing_output_of_something_else_is_kept(tmp_path: Path) -> None:
    source, output = _smi(tmp_path, GOOD), tmp_path / "out.npy"
    output.write_text("precious")
    with pytest.raises(OutputError, match=r"out\.npy exists: give --overwrite"):
        _embed(FakeEncoder(), source, output)
    assert output.read_text() == "precious"
    _embed(FakeEncoder(), source, output, overwrite=True)
    assert np.load(output).shape == (100, 4)


@pytest.mark.parametrize(
    ("encoder", "some"),
    [
        (FakeEncoder(digest="other"), {}),
        (FakeEncoder(), {"on_invalid": "drop"}),
        (FakeEncoder(), {"dtype": "float16"}),
        (FakeEncoder(), {"standardize": "light"}),
        (FakeEncoder(), {"batch_size": 3}),
    ],
)
def test_an_existing_output_of_another_command_is_kept(
    tmp_path: Path, encoder: FakeEncoder, some: dict[str, Any]
) -> None:
    source, output = _smi(tmp_path, GOOD), tmp_path / "out.npy"
    _embed(FakeEncoder(), source, output)
    before = output.read_bytes()
    with pytest.raises(OutputError, match="from other molecules, by another model or with other"):
        _embed(encoder, source, output, **some)
    assert output.read_bytes() == before


def test_the_same_command_again_does_nothing(tmp_path: Path) -> None:
    source, output = _smi(tmp_path, [*GOOD, "bad"]), tmp_path / "out.npy"
    _embed(FakeEncoder(), source, output)
    again, time_written = FakeEncoder(), output.stat().st_mtime_ns
    summary = _embed(again, source, output)
    assert summary.already_done
    assert (summary.total, summary.invalid) == (101, 1)
    assert again.asked == []
    assert output.stat().st_mtime_ns == time_written
    _smi(tmp_path, [*GOOD, "CCC"])
    with pytest.raises(OutputError, match="from other molecules"):
        _embed(again, source, output)
