"""Texts and images from files: rows keep their places, bad ones get a reason."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from molkd.errors import ConfigError, InputError
from molkd.formats.chunks import Chunk
from molkd.formats.columns import Columns
from molkd.formats.readers import kind_of
from molkd.items import IMAGES, TEXTS
from tests.fakes.kinds import pngs
from tests.formats.rows import rows_of

TEXT, IMAGE = Columns(style=TEXTS.style), Columns(style=IMAGES.style)


def _read(path: Path, columns: Columns) -> Chunk:
    return rows_of(path, columns, rows=3)


def test_lines_of_text(tmp_path: Path):
    path = tmp_path / "in.txt"
    path.write_bytes(b"one text\r\n\n  \nNA\nlast, with comma\n\n\n")
    found = _read(path, TEXT)
    assert found.items == ["one text", "", "", "NA", "last, with comma"]
    assert found.ids == [None] * 5


def test_a_byte_that_is_not_utf8_costs_its_own_row(tmp_path: Path):
    path = tmp_path / "in.txt"
    path.write_bytes(b"good\nbad \xff here\ngood again\n")
    found = _read(path, TEXT)
    assert [found.items[0], found.items[2]] == ["good", "good again"]
    reason = (
        "not UTF-8: byte 0xff at character 4 of the text: write it in UTF-8 (a text file: with "
        "'iconv -f latin1 -t utf-8')"
    )
    assert found.failures == {1: reason}
    assert found.labels[1] == r"bad \xff here"
    assert found.readable == ["good", None, "good again"]
    path = tmp_path / "in.csv"
    path.write_bytes(b"id,text\n1,good\n2,b\xe4d\n3,good\n")
    assert list(_read(path, TEXT).failures) == [1]


def test_enormous_texts_are_rows_too(tmp_path: Path):
    path = tmp_path / "in.csv"
    path.write_text('text\nshort\n"' + "word " * 100_000 + '"\nshort\n')
    found = _read(path, TEXT)
    assert [len(item) for item in found.items] == [5, 500_000, 5]
    path.write_text("text\n" + "w" * 2_000_000 + "\n")
    with pytest.raises(InputError, match="more than 1048576 characters"):
        _read(path, TEXT)


def test_json_lines(tmp_path: Path):
    lines = ['{"id": 7, "text": "one"}', "", '{"text": null}', "[1]", "{cut", '{"text": 3}', "{}"]
    path = tmp_path / "in.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    found = _read(path, TEXT)
    assert found.items == ["one", None, None, None, None, None]
    assert found.failures[2] == "line 4 is no JSON object"
    assert found.failures[3].startswith("line 5 is no JSON: ")
    assert found.failures[4] == "line 6: 'text' is a int, not a string"
    assert set(found.failures) == {2, 3, 4}
    deep = path.with_name("deep.jsonl")
    deep.write_text('{"text": "a"}\n' + "[" * 100_000 + "\n")
    assert _read(deep, TEXT).failures[1].startswith("line 2 is no JSON: ")
    named = _read(path, Columns(item="text", id="id", style=TEXTS.style))
    assert named.ids[0] == "7"
    with pytest.raises(InputError, match=r"no column 'txt'\. Did you mean 'text'"):
        _read(path, Columns(item="txt", style=TEXTS.style))


def test_parquet_of_texts(tmp_path: Path):
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"sentence": ["a", None, "NA"], "n": [1, 2, 3]}), path)
    assert _read(path, TEXT).items == ["a", None, "NA"]
    encoded = pa.array(["x", "y", "x"]).dictionary_encode()
    pq.write_table(pa.table({"text": encoded}), path)
    assert _read(path, TEXT).items == ["x", "y", "x"]
    pq.write_table(pa.table({"text": [1, 2]}), path)
    with pytest.raises(InputError, match="holds int64, not texts"):
        _read(path, TEXT)


@pytest.mark.parametrize("form", ["bytes", "struct"])
def test_parquet_of_images(tmp_path: Path, form: str):
    images = [*pngs(4), None, b"broken"]
    values = images if form == "bytes" else [{"bytes": one, "path": "p"} for one in images]
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"image": values, "name": list("abcdef")}), path)
    found = _read(path, Columns(id="name", style=IMAGES.style))
    assert found.items == images
    assert found.ids == list("abcdef")
    assert found.labels == [None] * 6
    with pytest.raises(InputError, match="holds string, not images"):
        _read(path, Columns(item="name", style=IMAGES.style))


def test_folders_of_images(tmp_path: Path):
    names = ["b.png", "a.JPG", "deep/er/c.png", "deep/d.gif"]
    for name in (*names, "notes.txt", ".hidden.png", ".cache/e.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = _read(tmp_path, IMAGE)
    assert found.ids == ["a.JPG", "b.png", "deep/d.gif", "deep/er/c.png"]
    assert found.items == [tmp_path / name for name in found.ids]
    assert found.labels == [str(path) for path in found.items]
    before = found.digest
    (tmp_path / "b.png").write_bytes(b"more")
    assert _read(tmp_path, IMAGE).digest != before
    with pytest.raises(ConfigError, match="no columns to choose from"):
        _read(tmp_path, Columns(item="x", style=IMAGES.style))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no images"):
        _read(tmp_path / "empty", IMAGE)


def test_formats_belong_to_their_items(tmp_path: Path):
    with pytest.raises(ConfigError, match="Formats of images are folder, parquet"):
        kind_of("in.csv", None, IMAGES.style)
    with pytest.raises(ConfigError, match="Formats of texts are txt, csv, tsv, jsonl, parquet"):
        kind_of("in.smi", None, TEXTS.style)
    with pytest.raises(ConfigError, match="names no format"):
        kind_of(tmp_path, None, TEXTS.style)
    with pytest.raises(ConfigError, match=r"sdf holds no texts\. Formats of texts are txt"):
        kind_of("in.txt", "sdf", TEXTS.style)
    assert kind_of("in.ndjson.gz", None, TEXTS.style) == "jsonl"
    assert kind_of(tmp_path, None, IMAGES.style) == "folder"


def test_a_digest_changes_with_every_item(tmp_path: Path):
    path = tmp_path / "in.jsonl"
    digests = set()
    for text in ("one", "two", None):
        path.write_text(json.dumps({"text": text}) + "\n")
        digests.add(_read(path, TEXT).digest)
    assert len(digests) == 3
