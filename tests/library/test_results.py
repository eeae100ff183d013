"""Results become tables, pages that need nothing beside themselves, and drawings in notebooks."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from molkd.errors import ConfigError, OutputError
from molkd.library import Hits, Queries, clusters, pick, results, search
from molkd.library.drawing import svg
from molkd.library.hits import Hit
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
    for suffix, read in ((".parquet", pq.read_table), (".csv", pc.read_csv)):
        hits.write(tmp_path / f"hits{suffix}")
        found = read(tmp_path / f"hits{suffix}")
        assert found.column_names == hits.table.column_names
        assert found["row"].to_pylist() == hits.table["row"].to_pylist()
        assert found["query_id"].to_pylist() == hits.table["query_id"].to_pylist()


def test_a_place_that_cannot_be_written_is_refused(hits: Hits, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"hits\.xlsx: results are written as \.csv"):
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
    assert pick(file, 5)._repr_html_().count("<svg") == 5
    found = clusters(file, 4)
    assert found._repr_html_().count("<svg") == len(found.sizes)
    assert "members" in found.page()


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
