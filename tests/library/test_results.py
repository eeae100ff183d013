"""Results become tables, pages that need nothing beside themselves, and drawings in notebooks."""

from __future__ import annotations

import base64
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from molkd.errors import ConfigError, OutputError
from molkd.library import (
    Checked,
    Hits,
    MapSettings,
    Queries,
    clusters,
    composition,
    map_of,
    pick,
    read,
    report_of,
    results,
    search,
)
from molkd.library.drawing import svg
from molkd.library.hits import Hit
from molkd.library.results import Shown
from molkd.students.familiarity import Known
from tests.fakes import hostile as hostile_texts
from tests.fakes import libraries

HOSTILE = "<script>alert(1)</script>" + "x" * 90


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return libraries.embedded(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def hits(file: Path) -> Hits:
    queries = Queries(["a", HOSTILE, "c"], [libraries.SMILES[-1], "no <b>molecule", "CCO"])
    return search(file, queries, k=12)


def test_tables_are_read_back_as_they_were(hits: Hits, tmp_path: Path) -> None:
    for suffix, read_back in ((".parquet", pq.read_table), (".csv", pc.read_csv)):
        hits.write(tmp_path / f"hits{suffix}")
        found = read_back(tmp_path / f"hits{suffix}")
        assert found.column_names == hits.table.column_names
        assert found["row"].to_pylist() == hits.table["row"].to_pylist()
        assert found["query_id"].to_pylist() == hits.table["query_id"].to_pylist()


def test_a_place_that_cannot_be_written_is_refused(hits: Hits, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"hits\.xlsx: this is written as \.csv"):
        hits.write(tmp_path / "hits.xlsx")
    (tmp_path / "there.csv").write_text("mine")
    with pytest.raises(OutputError, match="--overwrite"):
        results.refuse_output(tmp_path / "there.csv", overwrite=False)
    results.refuse_output(tmp_path / "there.csv", overwrite=True)


def test_a_page_draws_every_molecule_and_runs_nothing(hits: Hits) -> None:
    page = hits.page()
    assert page.count("<svg") == 2 * 12 + 2
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=.?(?!data:)\w|url\(", page)
    assert "no &lt;b&gt;molecule" in page


def test_what_is_not_drawn_is_said(hits: Hits) -> None:
    assert "6 of 24 molecules are drawn here" in hits.page(6)
    assert hits._repr_html_().count("<li>") == 24
    assert "drawn here" not in hits.page()


def test_picks_and_clusters_draw_themselves(file: Path) -> None:
    assert pick(file, 5)._repr_html_().count("<img") == 5
    found = clusters(file, 4)
    assert found._repr_html_().count("<img") == len(found.sizes)
    assert "members" in found.page()


@pytest.fixture(scope="module")
def drawn(file: Path) -> dict[str, Shown]:
    """One result of each kind, of a library whose texts are hostile."""
    texts = hostile_texts.library()
    known = Known(np.linspace(0, 1, len(texts)), [hostile_texts.HOSTILE[0]] * len(texts))
    pca = MapSettings(layout="pca", color="pIC50")
    made: dict[str, Shown] = {
        "library": texts,
        "picks": pick(texts, 9),
        "clusters": clusters(texts, 4),
        "checked": Checked(texts, known),
        "map": map_of(texts, pca),
        "composition": composition(texts.smiles, progress=False),
    }
    real = replace(read(file), ids=[hostile_texts.HOSTILE[0]] * 40)
    hits = search(real, Queries(list(hostile_texts.HOSTILE), ["CCO"] * 5), k=3)
    return made | {"hits": hits, "report": report_of(real, title=HOSTILE, progress=False)}


KINDS = ("library", "picks", "clusters", "checked", "map", "composition", "hits", "report")


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_is_one_line_as_text(drawn: dict[str, Shown], kind: str) -> None:
    text = repr(drawn[kind])
    assert text == f"<{type(drawn[kind]).__name__}: {drawn[kind]}>"
    assert "\n" not in text
    assert len(text) < 300


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_of_a_library_becomes_markup_in_a_notebook(
    drawn: dict[str, Shown], kind: str
) -> None:
    page = drawn[kind]._repr_html_()
    outside = re.sub(r'srcdoc="[^"]*"', "", page)
    assert "<script" not in page
    assert "<!--" not in page
    ours = "style div p section h2 code ol li img strong dl dt dd details summary iframe"
    assert {*re.findall(r"<(\w+)", outside)} <= {*ours.split()}


@pytest.mark.parametrize("kind", KINDS)
def test_drawings_in_a_notebook_are_pictures_that_need_no_style(
    drawn: dict[str, Shown], kind: str
) -> None:
    """JupyterLab strips `<svg>` and `<style>` from what somebody else has run, but no `<img>`."""
    page = drawn[kind]._repr_html_()
    assert "<svg" not in page
    for source in re.findall(r'<img [^>]*src="([^"]*)"', page):
        kind_of, data = source.split(";base64,")
        assert kind_of == "data:image/svg+xml"
        assert base64.b64decode(data).startswith(b"<svg xmlns=")


def test_a_notebook_shows_a_part_of_what_is_large() -> None:
    large = replace(
        libraries.random(5000),
        columns={f"column {n}": pa.array(["long " * 1000] * 5000) for n in range(60)},
        smiles=["C" * 5000] * 5000,
    )
    page = large._repr_html_()
    assert page.count("<li>") == 10
    assert page.count("and 48 more") == 10
    assert "cannot be drawn" in page
    assert len(page) < 100_000
    assert "40 of 50 molecules are drawn here" in pick(large, 50)._repr_html_()


def test_what_cannot_be_drawn_is_said(hits: Hits) -> None:
    strange = replace(hits, neighbours={0: [Hit(0, "x", "?", 1.0, float("nan"))]}, columns={})
    assert "cannot be drawn" in strange.page()


@pytest.mark.parametrize("smiles", ["[Fe]", "C[C@H](N)C(=O)O", "F/C=C/F", "[Na+].[Cl-]", "*C"])
def test_a_drawing_stands_alone(smiles: str) -> None:
    drawn = svg(smiles)
    assert drawn.startswith("<svg xmlns='http://www.w3.org/2000/svg'")
    assert drawn.endswith("</svg>")
    assert "rdkit:" not in drawn


def test_columns_of_every_kind_are_shown() -> None:
    columns = {"a": pa.array([1.23456789]), "b": pa.array([None], pa.string()), "c": pa.array([7])}
    assert results.values_of(columns, 0) == [("a", "1.235"), ("c", "7")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("no browser: install Debian's packages chromium and chromium-driver")
    os.environ |= {"SE_OFFLINE": "true", "SE_AVOID_STATS": "true"}  # selenium downloads nothing
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = chromium
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    for flag in ("--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", *root):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


@pytest.mark.parametrize("width", [400, 1600])
def test_a_page_fits_its_window(hits: Hits, tmp_path: Path, browser: Any, width: int) -> None:
    hits.write(tmp_path / "hits.html")
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get((tmp_path / "hits.html").as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.get_log("browser") == []
    asked = "return performance.getEntriesByType('resource').map(e => e.name)"
    assert [name for name in browser.execute_script(asked) if not name.startswith("data:")] == []
    sizes = browser.execute_script(
        "return [...document.querySelectorAll('svg')].map(e => e.getBoundingClientRect().width)"
    )
    assert len(sizes) == 26
    assert min(sizes) > 120
