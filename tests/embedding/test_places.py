"""A hundred thousand rows through every reader and every writer: each keeps its place and its id.

Of eight rows one cannot be embedded, one has no item, one cannot be read, one has no identifier.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rdkit import Chem

from molkd.embedding import EmbedSettings, embed_file
from molkd.formats import READERS, WRITERS
from molkd.formats.embeddings import read
from molkd.types import Embeddings, Matrix

ROWS = 100_000

Row = tuple[str, str]
"""Identifier and item, empty where there is none; an item with "?" cannot be embedded."""


def _featurize(items: Sequence[object]) -> list[str]:
    return ["?" if item in {None, ""} else str(item) for item in items]


def _vectors(texts: Sequence[str]) -> Matrix:
    codes = [(zlib.crc32(text.encode()) % 999_983, len(text)) for text in texts]
    return np.array(codes, dtype=np.float32)


@dataclass
class Checksums:
    """An encoder of texts that reads nothing into them."""

    modality: str
    embedding_dim: int = 2
    digest: str = "checksums"

    @property
    def featurize(self) -> Callable[[Sequence[object]], list[str]]:
        return _featurize

    def encode(self, texts: list[str], *, batch_size: int) -> Embeddings:
        values = _vectors(texts)
        failures = {row: "a question" for row, text in enumerate(texts) if "?" in text}
        values[list(failures)] = np.nan
        return Embeddings(values, failures)

    def shortened(self, _: list[str]) -> int:
        return 0


def _rows() -> list[Row]:
    items = {4: "?C{}", 5: ""}
    return [
        ("" if row % 8 == 7 else f"r{row}", items.get(row % 8, "C{}").format(row))
        for row in range(ROWS)
    ]


def _unread(rows: list[Row]) -> list[Row]:
    return [("", "") if row % 8 == 6 else one for row, one in enumerate(rows)]


# == Files, and the rows that are in them


def _smi(path: Path) -> list[Row]:
    rows = _unread(_rows())
    path.write_text("".join(f"{item}\t{name}\n" if item or name else "\n" for name, item in rows))
    return rows


def _delimited(path: Path) -> list[Row]:
    separator = "\t" if path.suffix == ".tsv" else ";"
    lines = [f"{name}{separator}{item}" for name, item in _rows()]
    lines[6::8] = [f"{line}{separator}x" for line in lines[6::8]]
    text = "\n".join([separator.join(("id", "smiles")), *lines])
    path.write_bytes(gzip.compress(text.encode(), 1))
    return _unread(_rows())


def _parquet(path: Path) -> list[Row]:
    rows = [(n, "C\udce9?" if row % 8 == 6 else item) for row, (n, item) in enumerate(_rows())]
    names = [name or None for name, _ in rows]
    raw = [item.encode(errors="surrogateescape") or None for _, item in rows]
    table = pa.table({"id": names, "smiles": pa.array(raw, pa.binary())})
    pq.write_table(table, path, row_group_size=30_000)
    return [(name, item.replace("\udce9", r"\xe9")) for name, item in rows]


def _json_lines(path: Path) -> list[Row]:
    lines = [json.dumps({"id": name or None, "text": item or None}) for name, item in _rows()]
    lines[6::8] = ["{cut"] * len(lines[6::8])
    path.write_text("\n".join(lines))
    return _unread(_rows())


def _txt(path: Path) -> list[Row]:
    """No row has a name, so all are numbered."""
    items = [item for _, item in _unread(_rows())]
    path.write_text("\r\n".join(items))
    return [(str(row), item) for row, item in enumerate(items)]


def _sdf(path: Path) -> list[Row]:
    texts = ["C" * size + "O" for size in range(1, 8)]
    blocks = [Chem.MolToMolBlock(Chem.MolFromSmiles(text)) for text in texts]
    rows, records = list[Row](), list[str]()
    for row, (name, _) in enumerate(_rows()):
        bad = row % 8 == 5
        rows.append((name, "" if bad else texts[row % 7]))
        block = "\nno\nmolecule\n" if bad else blocks[row % 7]
        records.append(f"{name}{block}> <price>\n$$$$ {row}\n\n$$$$\n")
    path.write_text("".join(records))
    return rows


SLOW = [pytest.mark.slow]
FILES: dict[str, Callable[[Path], list[Row]]] = {
    "smi": _smi,
    "csv": _delimited,
    "tsv": _delimited,
    "parquet": _parquet,
    "sdf": _sdf,
    "txt": _txt,
    "jsonl": _json_lines,
}


@pytest.mark.parametrize(
    ("source", "output", "drop"),
    [
        *(
            pytest.param(one, "parquet", False, marks=SLOW if one == "sdf" else ())
            for one in READERS
        ),
        *(("csv", kind, True) for kind in WRITERS),
    ],
)
def test_no_row_changes_its_place_or_its_id(
    tmp_path: Path, source: str, output: str, drop: bool
) -> None:
    path = tmp_path / f"in.{source}{'.gz' if source in {'csv', 'tsv'} else ''}"
    rows = FILES[source](path)
    encoder = Checksums("texts" if source in {"txt", "jsonl"} else "molecules")
    options = EmbedSettings(on_invalid="drop" if drop else "null")
    target = tmp_path / f"out.{output}"
    summary = embed_file(encoder, path, target, options, name="checksums", progress=False)
    good = np.array([bool(item) and "?" not in item for _, item in rows])
    assert (summary.total, summary.invalid) == (ROWS, np.sum(~good))
    expected = _vectors([item for _, item in rows])
    expected[~good] = np.nan
    kept = np.flatnonzero(good) if drop else np.arange(ROWS)
    stored = read(target)
    assert stored.ids == [rows[row][0] for row in kept]
    assert stored.items == [rows[row][1] for row in kept]
    np.testing.assert_array_equal(stored.values, expected[kept])
