"""Rows that are left out: the others stay what they are, and keep their numbers."""

from __future__ import annotations

import errno
import gzip
import io
import itertools
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from molkd.errors import InputError
from molkd.formats.chunks import Chunk
from molkd.formats.columns import Columns
from molkd.formats.readers import parquet, read, sdf
from molkd.items import MODALITIES
from tests.formats.rows import file

ROWS = 60
SMILES = [f"C{'C' * row}" for row in range(ROWS)]
BLOCK = "m{0}\n\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n{1}\nM  END\n$$$$\n"
ATOM = "    0.0000    0.0000    0.0000 {}   0  0  0  0  0  0  0  0  0  0  0  0"

Made = Callable[[Path, int, int], Path]


def _smi(folder: Path, start: int, stop: int) -> Path:
    lines = [f"{SMILES[row]} m{row}\n" if row % 7 else "\n" for row in range(start, stop)]
    return file(folder, f"{start:03d}.smi", "".join(lines))


def _csv(folder: Path, start: int, stop: int) -> Path:
    lines = [f'm{row},"{SMILES[row]}"\n' for row in range(start, stop)]
    return file(
        folder, f"{start:03d}.csv.gz", gzip.compress(("id,smiles\n" + "".join(lines)).encode())
    )


def _sdf(folder: Path, start: int, stop: int) -> Path:
    atoms = [ATOM.format("C  " if row % 7 else "Xx ") for row in range(start, stop)]
    text = "".join(BLOCK.format(start + row, atom) for row, atom in enumerate(atoms))
    return file(folder, f"{start:03d}.sdf", text)


def _parquet(folder: Path, start: int, stop: int) -> Path:
    path = folder / f"{start:03d}.parquet"
    table = pa.table({"smiles": SMILES[start:stop], "id": list(range(start, stop))})
    pq.write_table(table, path, row_group_size=7)
    return path


MADE: dict[str, Made] = {"smi": _smi, "csv.gz": _csv, "sdf": _sdf, "parquet": _parquet}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file of every format."""
    folder = tmp_path_factory.mktemp("whole")
    for made in MADE.values():
        made(folder, 0, ROWS)
    return folder


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same rows in files of other lengths; of Parquet one without rows."""
    folder = tmp_path_factory.mktemp("cut")
    for suffix, made in MADE.items():
        # blank lines at the end of a file are no rows, so none ends with one
        for start, stop in itertools.pairwise([0, 3, 20, 21, 48, ROWS]):
            made(folder, start, stop)
        if suffix in {"parquet", "csv.gz"}:
            made(folder, 22, 22)
    return folder


def _rows(chunks: Iterable[Chunk]) -> dict[int, tuple[object, ...]]:
    return {
        chunk.row0 + place: (chunk.ids[place], item, chunk.failures.get(place))
        for chunk in chunks
        for place, item in enumerate(chunk.items)
    }


@pytest.mark.parametrize("suffix", MADE)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bounds=st.lists(st.integers(0, ROWS + 9), min_size=2, max_size=8).map(sorted),
    chunk_rows=st.integers(1, 25),
)
def test_what_is_left_out_changes_nothing(
    whole: Path, cut: Path, suffix: str, bounds: list[int], chunk_rows: int
) -> None:
    spans = [range(*two) for two in itertools.pairwise(bounds)][::2]
    every = _rows(read(whole / f"000.{suffix}"))
    expected = {row: every[row] for span in spans for row in span if row in every}
    for source in (whole / f"000.{suffix}", f"{cut}/*.{suffix}"):
        chunks = list(read(source, chunk_rows=chunk_rows, spans=spans))
        assert _rows(chunks) == expected
        for chunk in chunks:
            assert chunk.row0 // chunk_rows == (chunk.row0 + len(chunk) - 1) // chunk_rows


@pytest.mark.parametrize("suffix", MADE)
def test_chunks_do_not_depend_on_how_rows_are_cut_into_files(
    whole: Path, cut: Path, suffix: str
) -> None:
    one, many = (
        read(whole / f"000.{suffix}", chunk_rows=16),
        read(f"{cut}/*.{suffix}", chunk_rows=16),
    )
    assert [chunk.digest for chunk in one] == [chunk.digest for chunk in many]


def test_spans_without_end_are_read_to_the_end(whole: Path) -> None:
    spans = (range(row, row + 5) for row in itertools.count(5, 20))
    chunks = read(whole / "000.parquet", chunk_rows=8, spans=spans)
    assert [(chunk.row0, len(chunk)) for chunk in chunks] == [
        *[(5, 3), (8, 2), (25, 5), (45, 3), (48, 2)]
    ]


def test_only_a_file_without_rows_is_refused(whole: Path) -> None:
    beyond = [range(ROWS, sys.maxsize)]
    assert list(read(whole / "000.smi", spans=beyond)) == []
    assert list(read(whole / "000.smi", spans=[])) == []
    empty = file(whole, "empty.csv", "smiles\n")
    with pytest.raises(InputError, match=r"empty\.csv holds no SMILES"):
        list(read(empty, spans=beyond))


def test_row_groups_that_are_left_out_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq.write_table(
        pa.table({"smiles": ["C"] * 30_000}), tmp_path / "in.parquet", row_group_size=1000
    )
    seen: list[int] = []

    class Watched(pq.ParquetFile):
        def iter_batches(self, *args, **some):
            for batch in super().iter_batches(*args, **some):
                seen.append(len(batch))
                yield batch

    monkeypatch.setattr(parquet.pq, "ParquetFile", Watched)
    list(read(tmp_path / "in.parquet", spans=[range(10, 20), range(20_500, 20_600)]))
    assert sum(seen) < 20_000, "a batch for each span"


def test_molecules_that_are_left_out_are_not_made(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    monkeypatch.setattr(sdf, "_smiles", lambda block: made.append(block) or ("C", None))
    list(read(whole / "000.sdf", spans=[range(50, 53)]))
    assert [block.split("\n")[0] for block in made] == ["m50", "m51", "m52"]


def test_damage_in_rows_that_are_left_out_is_found(tmp_path: Path) -> None:
    lines = "".join(f"{'CN' * (row % 40)}C m{row * 7919}\n" for row in range(50_000))
    data = gzip.compress(lines.encode())
    path = file(tmp_path, "in.smi.gz", data[: len(data) // 2])
    with pytest.raises(InputError, match=r"is cut or damaged: .*the last good row is") as taken:
        list(read(path))
    with pytest.raises(InputError) as passed:
        list(read(path, spans=[range(49_999, 50_000)]))
    assert str(passed.value) == str(taken.value)


def test_bytes_in_structs_are_passed_over(tmp_path: Path) -> None:
    images = [{"bytes": bytes([row]), "path": None} for row in range(40)]
    pq.write_table(pa.table({"image": images}), tmp_path / "in.parquet")
    chunks = read(
        tmp_path / "in.parquet", Columns(style=MODALITIES["images"].style), spans=[range(7, 9)]
    )
    assert [chunk.items for chunk in chunks] == [[b"\x07", b"\x08"]]


def test_lines_of_json_are_passed_over(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"text": f"t{row}"}) + "\n" for row in range(10))
    path = file(tmp_path, "in.jsonl", lines)
    chunks = read(path, Columns(style=MODALITIES["texts"].style), spans=[range(4, 6)])
    assert [chunk.items for chunk in chunks] == [["t4", "t5"]]


@pytest.mark.parametrize("spans", [[range(100_000)], [range(9_000, 9_001)]])
def test_a_disk_that_fails_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spans: list[range]
) -> None:
    class Failing(io.BytesIO):
        def readinto(self, buffer: Any, /) -> int:
            if self.tell() > 20_000:
                raise OSError(errno.EIO, "Input/output error")
            return super().readinto(buffer)

    path = file(tmp_path, "in.smi", "")
    monkeypatch.setattr(Path, "open", lambda *_: io.BufferedReader(Failing(b"CCO\n" * 100_000)))
    expected = r"in\.smi is cut or damaged: .*Input/output error; the last good row is \d+, counted"
    with pytest.raises(InputError, match=expected):
        list(read(path, spans=spans))
