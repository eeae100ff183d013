"""Data that a page finds by name, and texts that cannot end its script."""

from __future__ import annotations

import base64
import json
import zlib

import numpy as np
import pyarrow as pa
import pytest

from molkd.library.maps.pages import TEXTS, Pieces, script_json
from molkd.library.maps.shades import shades
from tests.fakes.hostile import HOSTILE


def _read(pieces: Pieces, name: str) -> bytes:
    start, length = pieces.places[name]
    return zlib.decompress(base64.b64decode(pieces.text[start : start + length]))


def test_pieces_are_found_by_their_names() -> None:
    pieces = Pieces()
    texts = [*HOSTILE, *map(str, range(TEXTS))]
    pieces.add_texts("ids", texts)
    pieces.add_array("x", np.arange(5, dtype=">u2"))
    assert json.loads(_read(pieces, "ids:0")) + json.loads(_read(pieces, "ids:1")) == texts
    assert np.frombuffer(_read(pieces, "x"), "<u2").tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("labels", "kind"), [(3, "u1"), (255, "u1"), (256, "u2"), (70_000, "u4")])
def test_categories_take_as_many_bytes_as_their_labels_need(labels: int, kind: str) -> None:
    (shade,) = shades({"group": pa.array([str(row) for row in range(labels)])}, ["group"])
    pieces = Pieces()
    told = pieces.add_column(0, shade)
    assert told["type"] == kind
    read = np.frombuffer(_read(pieces, "column:0"), f"<{kind}")
    assert [told["labels"][place - 1] for place in read] == [str(row) for row in range(labels)]


@pytest.mark.parametrize(
    ("values", "kind"),
    [([0.1, 2.5, float("nan")], "f4"), ([123456789.0], "f8"), ([2.0**53], "f8"), ([], "f4")],
)
def test_numbers_keep_all_their_digits(values: list[float], kind: str) -> None:
    (shade,) = shades({"x": pa.array(values, pa.float64())})
    pieces = Pieces()
    assert pieces.add_column(0, shade)["type"] == kind
    read = np.frombuffer(_read(pieces, "column:0"), f"<{kind}").tolist()
    np.testing.assert_array_equal(
        [float(f"{one:.7g}") if kind == "f4" else one for one in read], values
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_json_in_a_script_cannot_end_it(text: str) -> None:
    written = script_json({text: text})
    assert not set("<>&\u2028\n") & set(written)
    assert json.loads(written) == {text: text}
