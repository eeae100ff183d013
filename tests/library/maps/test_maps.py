"""A map in Python: what is computed, saved, read again and refused."""

from __future__ import annotations

import html
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from molkd.errors import ConfigError, InputError, OutputError, UnknownNameError
from molkd.library.maps import coordinates
from molkd.library.maps import map as maps
from molkd.library.maps.map import map_of
from molkd.library.maps.settings import MapSettings
from tests.fakes.hostile import HOSTILE, library

MADE = library()
PCA = MapSettings(layout="pca")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_map_is_drawn_again_from_its_table(tmp_path: Path, kind: str) -> None:
    first = map_of(MADE, PCA)
    first.save(tmp_path / f"map.{kind}")
    read = coordinates.read(tmp_path / f"map.{kind}", MADE)
    again = map_of(MADE, PCA, places=read)
    np.testing.assert_allclose(again.layout.places, first.layout.places, rtol=1e-6)
    assert again.rows == [row for row in range(len(MADE)) if row != 3]


def test_the_table_holds_ids_smiles_places_and_columns(tmp_path: Path) -> None:
    map_of(MADE, PCA).save(tmp_path / "map.parquet")
    table = pq.read_table(tmp_path / "map.parquet")
    assert table.column_names[:5] == ["id", "smiles", "x", "y", "pIC50"]
    assert table["id"].to_pylist() == MADE.ids
    assert table["smiles"].to_pylist() == MADE.smiles
    assert table["x"][3].as_py() is None


def test_columns_of_any_type_become_columns_of_a_table(tmp_path: Path) -> None:
    rows = range(len(MADE))
    columns = {
        "lists": pa.array([[row] for row in rows]),
        "words": pa.array(["a" for _ in rows]).dictionary_encode(),
        "bytes": pa.array([b"\xff" for _ in rows]),
        "x": pa.array(rows),
    }
    drawn = map_of(replace(MADE, columns=columns), PCA)
    for kind in ("csv", "parquet"):
        drawn.save(tmp_path / f"map.{kind}")
    table = pq.read_table(tmp_path / "map.parquet")
    assert table.column_names == ["id", "smiles", "x", "y", "lists", "words", "bytes"]
    assert table["lists"].to_pylist()[:2] == ["[0]", "[1]"]


def test_a_colour_of_free_text_and_a_second_column_of_clusters_are_refused() -> None:
    with pytest.raises(ConfigError, match="'note' holds 40 different texts"):
        map_of(MADE, MapSettings(layout="pca", color="note"))
    shown = map_of(MADE, MapSettings(layout="pca", color="note", categories=("note",)))
    assert shown.figure().startswith(b"\x89PNG")
    grouped = replace(MADE, columns={"cluster": pa.array(range(len(MADE)))})
    with pytest.raises(ConfigError, match="column 'cluster' already"):
        map_of(grouped, MapSettings(layout="pca", clusters=3))


def test_a_table_of_another_library_is_refused_with_both_digests(tmp_path: Path) -> None:
    map_of(MADE, PCA).save(tmp_path / "map.parquet")
    other = library(failed=(3, 4))
    with pytest.raises(InputError, match=f"{MADE.digest[:12]}.*{other.digest[:12]}"):
        coordinates.read(tmp_path / "map.parquet", other)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("id,x\nA,1\n", "no column 'y'"),
        ("id,x,y\nA,1,2\n", "1 rows, but the library 2"),
        ("id,x,y\nM5,1,2\nM7,1,2\n", "row 1: id 'M7', but 'M6'"),
        ("id,x,y\nM5,a,2\nM6,1,2\n", "no numbers"),
        ("id,x,y\nM5,,\nM6,,\n", "no row has a place"),
        ("", "cannot read"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path: Path, text: str, why: str) -> None:
    two = library(7, failed=())
    two = replace(
        two,
        ids=two.ids[5:],
        smiles=two.smiles[5:],
        values=two.values[5:],
        columns={},
    )
    path = tmp_path / "places.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=why):
        coordinates.read(path, two)


def test_other_formats_and_folders_are_refused(tmp_path: Path) -> None:
    drawn = map_of(MADE, PCA)
    with pytest.raises(ConfigError, match="\\.html, \\.png"):
        drawn.save(tmp_path / "map.svg")
    (tmp_path / "map.png").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        drawn.save(tmp_path / "map.png")


@pytest.mark.parametrize("color", ["", "pIC50", HOSTILE[0], "batch"])
def test_a_figure_is_drawn_for_every_kind_of_column(color: str) -> None:
    settings = MapSettings(layout="pca", color=color, title="$x", categories=("batch",))
    assert map_of(MADE, settings).figure().startswith(b"\x89PNG")


def test_clusters_are_a_column_and_the_colour(tmp_path: Path) -> None:
    drawn = map_of(MADE, MapSettings(layout="pca", clusters=3))
    column = drawn.columns["cluster"].to_pylist()
    assert column[3] is None
    assert {label for label in column if label} == {"1", "2", "3"}
    counts = [column.count(label) for label in ("1", "2", "3")]
    assert counts == sorted(counts, reverse=True)
    assert drawn.settings.color == "cluster"
    with pytest.raises(ConfigError, match="50 clusters of 39"):
        map_of(MADE, MapSettings(layout="pca", clusters=50))


def test_selected_rows_are_named_by_their_ids(tmp_path: Path) -> None:
    (tmp_path / "chosen.txt").write_text("M6\n\nM9\n")
    chosen = coordinates.identifiers(tmp_path / "chosen.txt")
    assert map_of(MADE, PCA, selected=chosen).selected == (6, 9)
    pq.write_table(pa.table({"id": ["M9"]}), tmp_path / "chosen.parquet")
    assert coordinates.identifiers(tmp_path / "chosen.parquet") == ["M9"]
    with pytest.raises(InputError, match="1 of 2 identifiers to select are in no row: 'no'"):
        map_of(MADE, PCA, selected=["M6", "no"])
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(InputError, match="holds no identifiers"):
        coordinates.identifiers(tmp_path / "empty.txt")


@pytest.mark.parametrize("settings", [{"color": "pKi"}, {"categories": ("pKi",)}])
def test_a_column_that_is_not_there_is_refused_with_those_that_are(settings: dict) -> None:
    with pytest.raises(UnknownNameError, match="no column 'pKi'; columns: 'pIC50', 'atoms'"):
        map_of(MADE, MapSettings(layout="pca", **settings))


def test_a_notebook_shows_the_page_of_a_small_library_and_the_figure_of_a_large_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn = map_of(MADE, PCA)
    shown = drawn._repr_html_()
    assert "<iframe srcdoc=" in shown
    assert html.unescape(shown.split('srcdoc="')[1].split('"')[0]) == drawn.page()
    monkeypatch.setattr(maps, "_IN_A_NOTEBOOK", 10)
    figure = drawn._repr_html_()
    assert 'src="data:image/png;base64,iVBOR' in figure
    assert "<iframe" not in figure


def test_the_page_says_which_library_and_model_it_shows_and_what_it_leaves_out() -> None:
    page = map_of(MADE, PCA).page()
    for fact in (MADE.digest[:16], MADE.model_digest[:16], "student-1", "1 row"):
        assert fact in page


def test_a_page_without_drawings_is_smaller() -> None:
    with_, without = (
        map_of(MADE, MapSettings(layout="pca", drawings=drawings)).page()
        for drawings in (True, False)
    )
    assert '"drawings:0"' in with_
    assert '"drawings:0"' not in without
