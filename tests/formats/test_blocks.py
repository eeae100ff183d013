"""Blocks of a file whose rows have embeddings in some of them only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from molkd.errors import InputError
from molkd.formats.blocks import EmbeddingBlocks


def _written(path: Path, *groups: list[list[float] | None]) -> EmbeddingBlocks:
    kind = pa.list_(pa.float32())
    with pq.ParquetWriter(path, pa.schema({"smiles": pa.string(), "embedding": kind})) as writer:
        for group in groups:
            arrays = {"smiles": ["C"] * len(group), "embedding": pa.array(group, kind)}
            writer.write_table(pa.table(arrays, schema=writer.schema))
    return EmbeddingBlocks((path,))


def test_rows_without_embeddings_are_as_wide_as_the_others(tmp_path: Path) -> None:
    found = _written(tmp_path / "a.parquet", [None] * 9000, [[1, 2]], [None])
    assert found.dim == 2
    values = np.concatenate(list(found.values()))
    assert values.shape == (9002, 2)
    assert np.flatnonzero(np.isfinite(values).all(axis=1)).tolist() == [9000]


def test_no_embedding_at_all_has_no_width(tmp_path: Path) -> None:
    found = _written(tmp_path / "a.parquet", [None, None])
    assert [values.shape for values in found.values()] == [(2, 0)]


def test_embeddings_of_two_widths_are_refused(tmp_path: Path) -> None:
    found = _written(tmp_path / "a.parquet", [[1, 2]] * 9000, [[1, 2, 3]] * 9000)
    with pytest.raises(InputError, match=r"a\.parquet: embeddings of different widths, 2 and 3"):
        list(found.values())
