"""Jobs that store embeddings in fewer bytes: the same rows, the same bytes, however cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from molkd.embedding import EmbedSettings, TeacherEncoder, embed_file, settings_path
from molkd.embedding.layout import Shard
from molkd.embedding.merging import merge
from molkd.errors import ConfigError, InputError, OutputError
from molkd.formats import embeddings
from molkd.runtime import settings
from tests.embedding.jobs import SMILES, embed
from tests.fakes.fake_encoders import FakeEncoder
from tests.fakes.fake_teachers import FakeTeacher

REACH = 0.9
LOST = {3: "SMILES syntax error", 8: "the model returned NaN or infinity"}


def _encoder(**some: Any) -> FakeEncoder:
    return FakeEncoder(**{"reach": REACH, "dim": 11, **some})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    texts = [*SMILES]
    texts[3], texts[8] = "xx", "[NaH]"
    path = tmp_path / "in.smi"
    path.write_text("".join(f"{text}\n" for text in texts))
    return path


@pytest.mark.parametrize("suffix", ["parquet", "npz", "npy"])
@pytest.mark.parametrize("dtype", ["int8", "binary", "float16"])
@pytest.mark.parametrize("dimensions", [None, 9])
def test_what_is_read_back_is_near_what_was_embedded(
    tmp_path: Path, source: Path, dtype: str, suffix: str, dimensions: int | None
) -> None:
    embed(_encoder(), source, tmp_path / "whole.parquet")
    output = tmp_path / f"small.{suffix}"
    summary = embed(_encoder(), source, output, dtype=dtype, dimensions=dimensions)
    whole = embeddings.read(tmp_path / "whole.parquet").values[:, : dimensions or 11]
    found = embeddings.read(output)
    assert found.reasons == LOST
    assert np.flatnonzero(np.isnan(found.values).any(axis=1)).tolist() == list(LOST)
    there = np.isfinite(whole)
    assert there.shape == found.values.shape
    beyond = np.abs(whole[there]) > REACH * (1 + 0.5 / 127)
    if dtype == "binary":
        assert np.array_equal(found.values[there] > 0, whole[there] > 0)
    else:
        error = np.abs(found.values - whole)[there]
        assert error[~beyond].max() <= (REACH / 127 / 2 * 1.001 if dtype == "int8" else 5e-4)
    assert summary.clipped == (beyond.sum() if dtype == "int8" else 0)


@pytest.mark.parametrize("dtype", ["int8", "binary"])
def test_the_same_rows_give_the_same_bytes(tmp_path: Path, source: Path, dtype: str) -> None:
    embed(_encoder(), source, tmp_path / "a.npy", dtype=dtype)
    due = (tmp_path / "a.npy").read_bytes()
    embed(_encoder(), source, tmp_path / "b.npy", dtype=dtype, chunk_rows=7, jobs=2)
    assert (tmp_path / "b.npy").read_bytes() == due
    output = tmp_path / "c.npy"
    with pytest.raises(KeyboardInterrupt):
        embed(_encoder(stop=SMILES[60]), source, output, dtype=dtype)
    resumed = embed(_encoder(), source, output, dtype=dtype)
    assert resumed.resumed == 48
    assert output.read_bytes() == due
    once = settings.read_record(settings_path(tmp_path / "a.npy"))["clipped"]
    assert resumed.clipped == once == settings.read_record(settings_path(output))["clipped"]


@pytest.mark.parametrize("dtype", ["int8", "binary"])
def test_files_of_shards_hold_what_one_file_holds(tmp_path: Path, source: Path, dtype: str) -> None:
    embed(_encoder(), source, tmp_path / "a.parquet", dtype=dtype)
    options = EmbedSettings(dtype=dtype, chunk_rows=16)
    embed_file(_encoder(), source, tmp_path / "many", options, name="fake", rows_per_file=30)
    parts = [embeddings.read(path) for path in sorted((tmp_path / "many").glob("*.parquet"))]
    assert len(parts) == 4
    one = embeddings.read(tmp_path / "a.parquet")
    np.testing.assert_array_equal(np.concatenate([part.values for part in parts]), one.values)
    assert all(part.facts["encoding"] == one.facts["encoding"] for part in parts)


def test_shards_write_the_same_bytes_and_are_refused_with_two_scales(
    tmp_path: Path, source: Path
) -> None:
    def write(folder: str, shard: str, reach: float = REACH, *, overwrite: bool = False) -> None:
        embed_file(
            _encoder(reach=reach),
            source,
            tmp_path / folder,
            EmbedSettings(dtype="int8", chunk_rows=16),
            name="fake",
            rows_per_file=30,
            shard=Shard.of_text(shard),
            overwrite=overwrite,
        )

    write("one", "1/1")
    for shard in ("2/2", "1/2"):
        write("two", shard)
    files = sorted((tmp_path / "one").glob("*.parquet"))
    assert len(files) == 4
    for path in files:
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
    assert merge(tmp_path / "two").content["rows"] == len(SMILES)
    write("two", "2/2", 2.0, overwrite=True)
    with pytest.raises(InputError, match="storage is"):
        merge(tmp_path / "two")


def test_another_scale_is_another_file(tmp_path: Path, source: Path) -> None:
    output = tmp_path / "a.npy"
    with pytest.raises(KeyboardInterrupt):
        embed(_encoder(stop=SMILES[60]), source, output, dtype="int8")
    assert embed(_encoder(reach=2.0), source, output, dtype="int8").resumed == 0
    with pytest.raises(OutputError, match="other settings"):
        embed(_encoder(), source, output, dtype="int8")


def test_fewer_dimensions_are_another_file(tmp_path: Path, source: Path) -> None:
    embed(_encoder(), source, tmp_path / "a.npy")
    with pytest.raises(OutputError, match="other settings"):
        embed(_encoder(), source, tmp_path / "a.npy", dimensions=3)


@pytest.mark.parametrize(
    ("some", "message"),
    [
        ({"dtype": "int8", "reach": None}, "this encoder does not say"),
        ({"dimensions": 11}, "an embedding of 11 dimensions cannot be truncated to 11"),
        ({"dimensions": 0}, "dimensions must be at least 1"),
        ({"dtype": "int8", "format": "csv"}, "csv writes numbers as text, and int8"),
        ({"dtype": "binary", "format": "csv"}, "csv writes numbers as text, and binary"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    tmp_path: Path, source: Path, some: dict[str, Any], message: str
) -> None:
    encoder = _encoder(reach=some.pop("reach", REACH))
    with pytest.raises(ConfigError, match=message):
        embed(encoder, source, tmp_path / "out.npy", **some)
    assert list(tmp_path.iterdir()) == [source]


def test_a_teacher_has_signs_but_neither_scale_nor_prefixes(tmp_path: Path, source: Path) -> None:
    teacher = TeacherEncoder(FakeTeacher())
    for some in ({"dtype": "int8"}, {"dimensions": 2}):
        with pytest.raises(ConfigError, match="students"):
            embed_file(teacher, source, tmp_path / "o.npy", EmbedSettings(**some), name="t")
    options = EmbedSettings(dtype="binary")
    embed_file(teacher, source, tmp_path / "o.npy", options, name="t")
    values = embeddings.read(tmp_path / "o.npy").values
    assert set(np.unique(values[np.isfinite(values)])) <= {-1.0, 1.0}
