"""How far an embedding job is: per cent from the bytes of any file, from the rows of Parquet."""

from __future__ import annotations

import functools
import gzip
import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from PIL import Image

from molkd.embedding import job
from molkd.embedding.extent import Extent
from molkd.formats.columns import Columns
from molkd.formats.readers import read
from molkd.items import MODALITIES
from tests.embedding.jobs import embed
from tests.fakes.clocks import FakeClock
from tests.fakes.fake_encoders import FakeEncoder

ROWS = 40_000
LETTERS = np.random.default_rng(0).choice(list("CNOSFP"), (ROWS, 30))
PLAIN = "".join("".join(row) + "\n" for row in LETTERS).encode()

FORMS: dict[str, Callable[[bytes], bytes]] = {
    "in.smi": bytes,
    "in.smi.gz": gzip.compress,
    "in.smi.zst": zstandard.compress,
}


def _seen(
    source: Path | str, kind: str | None = None, items: str = "molecules"
) -> list[int | None]:
    style = MODALITIES[items].style
    extent = Extent(str(source), kind, style)
    seen = [extent.rows]
    seen += [extent.rows for _ in extent.chunks(read, Columns(style=style), 1000)]
    return [*seen, extent.rows]


@pytest.mark.parametrize("name", FORMS)
def test_the_bytes_read_tell_how_many_rows_there_are(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FORMS[name](PLAIN))
    first, *estimates, last = _seen(tmp_path / name)
    assert (first, last) == (None, ROWS)
    later = np.array(estimates[len(estimates) // 4 :], dtype=float)
    assert (abs(later - ROWS) < 0.3 * ROWS).all()
    assert len(set(estimates)) > 5, "the share of the file grows"


def test_parquet_says_how_many_rows_it_has(tmp_path: Path) -> None:
    pq.write_table(pa.table({"smiles": ["CCO"] * 5000}), tmp_path / "in.parquet")
    assert set(_seen(tmp_path / "in.parquet")) == {5000}


def test_a_folder_is_counted(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    assert set(_seen(tmp_path, items="images")) == {2}


def test_of_a_pipe_nothing_is_known_before_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.TextIOWrapper(io.BytesIO(PLAIN))
    monkeypatch.setattr(sys, "stdin", pipe)
    *before, last = _seen("-", "smi")
    assert (set(before), last) == ({None}, ROWS)


def test_a_damaged_table_is_refused_by_its_reader(tmp_path: Path) -> None:
    (tmp_path / "in.parquet").write_bytes(b"nothing of the kind")
    assert Extent(str(tmp_path / "in.parquet"), None, MODALITIES["molecules"].style).rows is None


def test_a_log_reads_per_cent_and_time_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Slow(FakeEncoder):
        def encode(self, packed, /, *, batch_size):
            clock.spend(35)
            return super().encode(packed, batch_size=batch_size)

    clock = FakeClock()
    monkeypatch.setattr(job, "Progress", functools.partial(job.Progress, clock=clock))
    pq.write_table(pa.table({"smiles": ["CCO"] * 64}), tmp_path / "in.parquet")
    embed(Slow(), tmp_path / "in.parquet", tmp_path / "out.npy")
    assert capsys.readouterr().err.splitlines() == [
        "embed: 32 of 64 molecules (50 %), 0.46/s, 1:10 left",
        "embed: 64 of 64 molecules (100 %), 0.46/s, 2:20 so far",
    ]
