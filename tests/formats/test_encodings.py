"""What is stored in fewer bits comes back within half a step, and files say how."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from molkd.errors import InputError
from molkd.formats import WRITERS, embeddings
from molkd.formats.blocks import EmbeddingBlocks
from molkd.formats.encodings import Encoding
from molkd.formats.writers.table import EmbeddedChunk, Result

RNG = np.random.default_rng(0)
VALUES = RNG.normal(size=(50, 13)).astype(np.float32)
INT8, BINARY = Encoding.of("int8", 13, 2.0), Encoding("binary", 13)


def test_int8_is_within_half_a_step_and_clips_the_rest() -> None:
    stored, clipped = INT8.encode(VALUES)
    assert stored.dtype == np.int8
    assert stored.min() >= -127
    beyond = np.abs(VALUES) > 2.0 * (1 + 0.5 / 127)
    assert clipped == beyond.sum() > 0
    back = INT8.decode(stored)
    assert np.abs(back - VALUES)[~beyond].max() <= 2.0 / 127 / 2 * 1.0001
    np.testing.assert_allclose(back[beyond], np.sign(VALUES[beyond]) * 2.0, rtol=1e-6)


def test_what_is_not_finite_is_stored_as_zero_without_a_warning() -> None:
    values = np.array([[np.nan, np.inf, -np.inf, 1.0]], dtype=np.float32)
    assert Encoding.of("int8", 4, 2.0).encode(values)[0].tolist() == [[0, 0, 0, 64]]


def test_bits_are_those_of_numpy_and_have_the_order_of_hamming_distances() -> None:
    stored, clipped = BINARY.encode(VALUES)
    assert (stored.shape, stored.dtype, clipped) == ((50, 2), np.uint8, 0)
    assert np.array_equal(stored, np.packbits(VALUES > 0, axis=1))
    back = BINARY.decode(stored)
    assert np.array_equal(back > 0, VALUES > 0)
    hamming = np.bitwise_count(stored ^ stored[:1]).sum(axis=1)
    assert np.array_equal(back @ back[0], 13 - 2.0 * hamming)


def test_prefixes_are_stored_as_the_beginning_of_the_whole() -> None:
    whole, _ = INT8.encode(VALUES)
    short, _ = Encoding.of("int8", 5, 2.0).encode(VALUES[:, :5])
    assert np.array_equal(short, whole[:, :5])


@pytest.mark.parametrize("encoding", [INT8, BINARY])
def test_facts_bring_the_encoding_back(encoding: Encoding) -> None:
    assert Encoding.of_facts(encoding.facts) == encoding


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_numbers_that_speak_for_themselves_have_no_facts(dtype: Any) -> None:
    assert Encoding(dtype, 3).facts == {}
    assert Encoding.of_facts({"model": "x"}) is None


@pytest.mark.parametrize("reach", [None, 0.0, -1.0, float("nan"), float("inf")])
def test_int8_that_reaches_nowhere_is_refused(reach: float | None) -> None:
    with pytest.raises(ValueError, match="int8 cannot reach"):
        Encoding.of("int8", 3, reach)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"encoding": "int4", "dimensions": "3"}, "'int4', which this molkd does not read"),
        ({"encoding": "int8", "dimensions": "3"}, "describe no int8"),
        ({"encoding": "int8", "dimensions": "x", "scale": "1"}, "describe no int8"),
        ({"encoding": "int8", "dimensions": "3", "scale": "nan"}, "a scale of nan"),
        ({"encoding": "int8", "dimensions": "3", "scale": "0"}, "a scale of 0.0"),
        ({"encoding": "binary", "dimensions": "0"}, "say 0 dimensions"),
        ({"encoding": "binary"}, "describe no binary"),
    ],
)
def test_facts_that_were_edited_are_refused(facts: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Encoding.of_facts(facts)


def _written(path: Path, encoding: Encoding) -> Path:
    """A file of all rows, of which one has no embedding."""
    stored, _ = encoding.encode(VALUES)
    stored[7] = encoding.blank
    texts = [f"C{row}" for row in range(50)]
    errors = ["lost" if row == 7 else None for row in range(50)]
    facts = {f"molkd.{key}": value for key, value in encoding.facts.items()}
    chunks = [EmbeddedChunk(texts, texts, errors, stored)]
    result = Result(rows=50, column="smiles", encoding=encoding, metadata=facts, chunks=chunks)
    WRITERS[path.suffix[1:]](path, result, final=path)
    return path


@pytest.mark.parametrize("suffix", ["parquet", "npz", "npy"])
@pytest.mark.parametrize("encoding", [INT8, BINARY, Encoding("float16", 13)])
def test_every_format_brings_back_what_was_stored(
    tmp_path: Path, encoding: Encoding, suffix: str
) -> None:
    path = _written(tmp_path / f"a.{suffix}", encoding)
    found = embeddings.read(path)
    assert found.values.dtype == np.float32
    expected = encoding.decode(encoding.encode(VALUES)[0])
    expected[7] = np.nan
    np.testing.assert_array_equal(found.values, expected)
    assert found.reasons == {7: "lost"}
    assert not {"valid", "embedding"} & found.columns.keys()
    if suffix == "parquet":
        blocks = EmbeddingBlocks((path,))
        assert blocks.dim == 13
        np.testing.assert_array_equal(np.concatenate(list(blocks.values())), expected)
        np.testing.assert_array_equal(next(blocks.blocks()).values, expected)
        assert blocks.take(np.array([7])).ids == ["C7"]


def test_parquet_holds_fixed_sizes_and_nulls(tmp_path: Path) -> None:
    for encoding, kind in (
        (INT8, "fixed_size_list<element: int8 not null>[13]"),
        (BINARY, "fixed_size_binary[2]"),
    ):
        column = pq.read_table(_written(tmp_path / "a.parquet", encoding))["embedding"]
        assert str(column.type) == kind
        assert column.null_count == 1


def test_int8_takes_a_byte_in_parquet(tmp_path: Path) -> None:
    numbers = RNG.normal(size=(500, 64)).astype(np.float32)
    encoding = Encoding.of("int8", 64, 3.0)
    texts = ["C"] * 500
    chunk = EmbeddedChunk(texts, texts, [None] * 500, encoding.encode(numbers)[0])
    result = Result(rows=500, column="smiles", encoding=encoding, metadata={}, chunks=[chunk])
    WRITERS["parquet"](tmp_path / "a.parquet", result, final=tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 500 * 64 + 5000


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_bytes_that_another_program_copied_are_read(tmp_path: Path, kind: Any) -> None:
    table = pq.read_table(_written(tmp_path / "a.parquet", BINARY))
    place = table.schema.get_field_index("embedding")
    copied = table.set_column(place, "embedding", table["embedding"].cast(pa.binary()).cast(kind))
    pq.write_table(copied.replace_schema_metadata(table.schema.metadata), tmp_path / "b.parquet")
    found = [embeddings.read(tmp_path / f"{name}.parquet").values for name in "ab"]
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("suffix", ["parquet", "npz", "npy"])
def test_numbers_that_are_not_what_the_file_says_are_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    facts = {f"molkd.{key}": value for key, value in INT8.facts.items()}
    chunks = [EmbeddedChunk(["a"], ["C"], [None], VALUES[:1, :4])]
    encoding = Encoding("float32", 4)
    result = Result(rows=1, column="smiles", encoding=encoding, metadata=facts, chunks=chunks)
    WRITERS[suffix](path, result, final=path)
    with pytest.raises(InputError, match="where the file says int8 of 13 dimensions"):
        embeddings.read(path)


def test_lists_where_bytes_are_due_are_refused(tmp_path: Path) -> None:
    table = pq.read_table(_written(tmp_path / "a.parquet", INT8))
    facts = {f"molkd.{key}": value for key, value in BINARY.facts.items()}
    pq.write_table(table.replace_schema_metadata(facts), tmp_path / "b.parquet")
    for read in (embeddings.read, lambda path: list(EmbeddingBlocks((path,)).values())):
        with pytest.raises(InputError, match=r"b\.parquet: column 'embedding' holds .*, not bytes"):
            read(tmp_path / "b.parquet")
