"""A file in blocks is what it is in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from molkd.errors import InputError
from molkd.library import read, rows_of
from molkd.library.table import RowsDigest
from tests.fakes import libraries


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library in row groups of 7."""
    folder = tmp_path_factory.mktemp("rows")
    table = pq.read_table(libraries.embedded(folder))
    pq.write_table(table, folder / "groups.parquet", row_group_size=7)
    return folder / "groups.parquet"


def test_a_file_says_what_it_says_in_memory(file: Path) -> None:
    rows, whole = rows_of(file), read(file)
    assert (len(rows), rows.dim) == whole.values.shape
    assert (rows.model, rows.model_digest) == (whole.model, whole.model_digest)
    assert rows.digest == whole.digest == rows_of(whole).digest
    np.testing.assert_array_equal(np.concatenate(list(rows.source.values())), whole.values)


@pytest.mark.parametrize("wanted", [[], [39, 0, 7, 0], [3]])
def test_rows_are_taken_in_the_order_given(file: Path, wanted: list[int]) -> None:
    whole = read(file)
    for place in (rows_of(file), rows_of(whole)):
        found = place.take(np.array(wanted, dtype=np.int64))
        assert found.ids == [whole.ids[row] for row in wanted]
        assert found.items == [whole.smiles[row] for row in wanted]
        assert found.columns["rank"].to_pylist() == [row / 2 for row in wanted]
        assert list(found.reasons) == [at for at, row in enumerate(wanted) if row == 3]


def test_rows_without_identifiers_have_their_numbers(file: Path, tmp_path: Path) -> None:
    pq.write_table(pq.read_table(file).drop(["id"]), tmp_path / "plain.parquet", row_group_size=7)
    found = rows_of(tmp_path / "plain.parquet")
    assert found.take(np.array([12, 3])).ids == ["12", "3"]
    assert found.digest == read(tmp_path / "plain.parquet").digest


def test_how_many_rows_at_a_time_makes_no_difference_to_the_digest() -> None:
    whole = libraries.random(20)
    found = RowsDigest()
    for start in range(0, 20, 3):
        part = slice(start, start + 3)
        found.add(whole.ids[part], whole.smiles[part], whole.values[part])
    assert found.hexdigest() == whole.digest


def test_a_damaged_file_is_named(file: Path, tmp_path: Path) -> None:
    data = bytearray(file.read_bytes())
    data[200:2000] = bytes(1800)
    (tmp_path / "bad.parquet").write_bytes(data)
    with pytest.raises(InputError, match=r"bad\.parquet"):
        list(rows_of(tmp_path / "bad.parquet").source.blocks())


def test_a_file_without_rows_is_refused(file: Path, tmp_path: Path) -> None:
    pq.write_table(pq.read_table(file).slice(0, 0), tmp_path / "none.parquet")
    with pytest.raises(InputError, match=r"none\.parquet holds no molecules"):
        rows_of(tmp_path / "none.parquet")
