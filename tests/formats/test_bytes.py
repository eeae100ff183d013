"""Bytes that are not UTF-8 cost the rows that need them, in every format; other files say so."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from molkd.errors import InputError
from molkd.formats.columns import Columns
from molkd.formats.readers import read_items
from molkd.items import IMAGES, TEXTS
from tests.formats.rows import file, rows_of

LATIN = "é".encode("latin-1")
REASON = "not UTF-8: byte 0xe9 at character 1 of the {}: write it in UTF-8 (a text file: with"


def _strings(values: list[bytes]) -> Any:
    """Arrow strings that are not UTF-8, as writers that do not check make them."""
    raw = pa.array(values, pa.binary())
    return pa.Array.from_buffers(pa.string(), len(raw), raw.buffers())


def _parquet(path: Path, columns: dict[str, Any]) -> None:
    pq.write_table(pa.table(columns), path)


def _written(folder: Path, kind: str, rows: list[tuple[bytes, bytes, bytes]]) -> Path:
    """Rows of SMILES, identifier and another column."""
    path = folder / f"in.{kind}"
    if kind == "parquet":
        texts = [_strings(list(column)) for column in zip(*rows, strict=True)]
        texts[1] = texts[1] if folder.name == "plain" else texts[1].dictionary_encode()
        _parquet(path, dict(zip(("smiles", "id", "other"), texts, strict=True)))
        return path
    separator = {"csv": b",", "tsv": b"\t", "smi": b" "}[kind]
    rows = [(b"smiles", b"id", b"other"), *rows]
    width = 2 if kind == "smi" else 3
    path.write_bytes(b"".join(separator.join(row[:width]) + b"\n" for row in rows))
    return path


@pytest.mark.parametrize("form", ["plain", "dictionary"])
@pytest.mark.parametrize("kind", ["smi", "csv", "tsv", "parquet"])
def test_a_byte_costs_its_own_row_and_no_other(tmp_path: Path, kind: str, form: str) -> None:
    folder = tmp_path / form
    folder.mkdir()
    rows = [
        (b"CCO", b"a", b"1"),
        (b"C" + LATIN, b"b", b"2"),
        (b"CCC", b"c" + LATIN, b"3"),
        (b"CCN", b"d", b"4" + LATIN),
    ]
    path = _written(folder, kind, rows)
    found = rows_of(path)
    assert list(found.failures) == [1, 2]
    assert found.failures[1].startswith(REASON.format("smiles"))
    assert found.failures[2].startswith(REASON.format("identifier"))
    assert found.readable == ["CCO", None, None, "CCN"]
    assert found.ids == ["a", "b", r"c\xe9", "d"]
    assert found.labels == ["CCO", r"C\xe9", "CCC", "CCN"]
    assert len(found.digest) == 64
    items, failures = read_items(path)
    assert items == ["CCO", None, "CCC", "CCN"]  # of identifiers nothing is read
    assert list(failures) == [1]
    if kind != "smi":
        kept = rows_of(path, Columns(keep=("other",)))
        assert kept.failures[3].startswith(REASON.format("other"))
        assert kept.kept["other"][3] == r"4\xe9"


def test_half_a_character_of_json(tmp_path: Path) -> None:
    lines = ['{"id": "a", "text": "\\ud800 x"}', '{"id": "\\udfff", "text": "y"}']
    found = rows_of(file(tmp_path, "in.jsonl", "\n".join(lines)), Columns(style=TEXTS.style))
    assert found.failures == {
        0: "not Unicode: U+D800 at character 0 of the text",
        1: "not Unicode: U+DFFF at character 0 of the identifier",
    }
    assert found.ids == ["a", "?"]


def test_a_name_of_a_column_that_is_not_utf8(tmp_path: Path) -> None:
    path = file(tmp_path, "in.csv", b"smiles,caf\xe9\nC,1\n")
    assert rows_of(path, Columns(keep=("all",))).kept == {r"caf\xe9": ["1"]}
    with pytest.raises(InputError, match=r"Columns: 'smiles', 'caf\\\\xe9'"):
        rows_of(path, Columns("x"))


@pytest.mark.parametrize("kind", ["smiles", pa.large_binary(), pa.binary_view(), pa.string_view()])
def test_smiles_as_bytes(tmp_path: Path, kind: Any) -> None:
    """As old Spark, Hive and Impala write strings."""
    column = pa.array([b"CCO", None, b"C"], pa.binary())
    if kind != "smiles":
        column = pa.array(["CCO", None, "C"]).cast(kind)
    _parquet(tmp_path / "in.parquet", {"smiles": column})
    assert rows_of(tmp_path / "in.parquet").items == ["CCO", None, "C"]
    _parquet(tmp_path / "in.parquet", {"smiles": column.cast(pa.binary()).dictionary_encode()})
    assert rows_of(tmp_path / "in.parquet").items == ["CCO", None, "C"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_byte_order_mark_names_the_encoding(tmp_path: Path, encoding: str, compress: Any) -> None:
    text = "id,smiles\nβ,CCO\nb,C\n"
    mark = "\ufeff" if encoding in {"utf-16-le", "utf-16-be"} else ""
    found = rows_of(file(tmp_path, "in.csv", compress((mark + text).encode(encoding))))
    assert (found.ids, found.items) == (["β", "b"], ["CCO", "C"])


def test_utf_16_without_a_mark_is_named(tmp_path: Path) -> None:
    path = file(tmp_path, "in.smi", "CCO a\n".encode("utf-16-le"))
    with pytest.raises(InputError, match=r"bytes of zero.*iconv -f utf-16 -t utf-8"):
        rows_of(path)


def _workbook() -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame({"smiles": ["C"]}).to_excel(buffer)
    return buffer.getvalue()


def _table() -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame({"smiles": ["C"]}).to_parquet(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (_workbook, r"Excel workbook \(\.xlsx\).*save the table as CSV"),
        (lambda: gzip.compress(_workbook()), r"Excel workbook \(\.xlsx\)"),
        (_table, "a Parquet file: name its format with --input-format parquet"),
        (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1", r"Excel workbook \(\.xls\)"),
        (lambda: b"BZh91AY&SY123", "bzip2: unpack it first"),
        (lambda: b"\xfd7zXZ\x00\x00", "xz: unpack it first"),
    ],
)
@pytest.mark.parametrize("kind", ["smi", "csv", "tsv", "sdf"])
def test_other_files_say_what_they_are(
    tmp_path: Path, kind: str, content: Any, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        rows_of(file(tmp_path, f"in.{kind}", content()))


def test_what_is_no_parquet_file(tmp_path: Path) -> None:
    for style in (Columns(), Columns(style=IMAGES.style)):
        with pytest.raises(InputError, match="is no Parquet file: name its format with"):
            rows_of(file(tmp_path, "in.parquet", "smiles\nC\n"), style)


def test_a_parquet_file_with_damaged_names(tmp_path: Path) -> None:
    data = _table().replace(b"smiles", b"smile\xae")
    with pytest.raises(InputError, match="is cut or damaged: no Parquet file"):
        rows_of(file(tmp_path, "in.parquet", data))
