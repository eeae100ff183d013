"""The page of a map in a real browser: Debian's Chromium, headless, narrow and wide."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rdkit import Chem

from molkd.items.molecules import chem
from molkd.library.maps.layout import Layout
from molkd.library.maps.map import map_of
from molkd.library.maps.settings import MapSettings
from tests.fakes import browsers
from tests.fakes.hostile import HOSTILE, SMILES, library

COUNT, WIDTHS = 40, (400, 1600)
MADE = library(COUNT)
PLACES = np.stack([np.arange(COUNT) % 8, np.arange(COUNT) // 8], axis=1).astype(np.float32)
PLACES[3] = np.nan
SETTINGS = MapSettings(color="pIC50", categories=("batch",), title=HOSTILE[0])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from browsers.chromium("--enable-unsafe-swiftshader")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("map") / "map.html"
    map_of(MADE, SETTINGS, places=Layout(PLACES, "a grid"), selected=["M6", "M9"]).save(path)
    return path.as_uri()


@pytest.fixture
def page(browser: Any, address: str) -> Any:
    return ready(browser, address, 1600)


def ready(browser: Any, address: str, width: int) -> Any:
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get_log("performance")
    browsers.opened(browser, address, width)
    script = "return document.documentElement.dataset.ready"
    WebDriverWait(browser, 30, 0.05).until(lambda it: it.execute_script(script))
    return browser


def awaited(page: Any, expression: str) -> Any:
    """The value of a promise; an error of it as a text that begins with "failed"."""
    script = (
        "const told = arguments[1];"
        "Promise.resolve(eval(arguments[0])).then(told).catch(error => told(`failed ${error}`))"
    )
    page.set_script_timeout(20)
    return page.execute_async_script(script, expression)


def settled(page: Any, script: str, expected: Any) -> None:
    """Waits until a script gives what is expected; what it gives last is in the error."""
    from selenium.common.exceptions import TimeoutException
    from selenium.webdriver.support.ui import WebDriverWait

    try:
        WebDriverWait(page, 8, 0.05).until(lambda it: it.execute_script(script) == expected)
    except TimeoutException:
        assert page.execute_script(script) == expected


def drag(page: Any, corners: list[tuple[float, float]], **keys: bool) -> None:
    """Drags over the map, from place to place."""
    page.execute_script(
        """
        const [corners, keys] = arguments, box = front.getBoundingClientRect();
        const tell = (kind, [x, y]) => front.dispatchEvent(new PointerEvent(kind, {
          ...keys, pointerId: 1, pointerType: "mouse", bubbles: true,
          clientX: box.left + x, clientY: box.top + y}));
        tell("pointerdown", corners[0]);
        corners.slice(1).forEach(corner => tell("pointermove", corner));
        tell("pointerup", corners.at(-1));
        """,
        corners,
        keys,
    )


def around(page: Any, rows: list[int]) -> list[tuple[float, float]]:
    """A rectangle around rows of the page, as corners on the stage."""
    places = page.execute_script("return arguments[0].map(row => chart.toStage(row))", rows)
    (left, top), (right, bottom) = np.min(places, axis=0) - 12, np.max(places, axis=0) + 12
    return [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]


def of_page(row: int) -> int:
    """The number on the page of a row of the library: row 3 is not drawn."""
    return row - (row > 3)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_fits_its_window_logs_nothing_and_asks_no_network(
    browser: Any, address: str, width: int
) -> None:
    page = ready(browser, address, width)
    awaited(page, "chart.point(5)")
    assert page.execute_script("return innerWidth") == width
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    outside = page.execute_script(
        """return [...document.body.querySelectorAll("*")].filter(e => !e.closest("svg"))
        .map(e => [e.tagName, e.id, e.getBoundingClientRect()])
        .filter(([, , box]) => box.left < 0 || box.right > innerWidth + 0.5).map(String)"""
    )
    assert outside == []
    quiet = [line for line in page.get_log("browser") if "GPU stall" not in line["message"]]
    assert quiet == []
    asked = [json.loads(line["message"])["message"] for line in page.get_log("performance")]
    urls = [
        event["params"]["request"]["url"]
        for event in asked
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in urls if not url.startswith(("data:", "blob:"))] in ([], [address])


def test_hostile_texts_are_shown_as_texts(page: Any) -> None:
    assert page.title == HOSTILE[0]
    assert page.execute_script("return document.querySelector('h1').textContent") == HOSTILE[0]
    ids = awaited(page, "chart.data.allTexts('ids')")
    assert ids == [name for row, name in enumerate(MADE.ids) if row != 3]
    labels = "return [...document.getElementById('color').options].map(one => one.textContent)"
    assert page.execute_script(labels) == ["nothing", "pIC50", "atoms", HOSTILE[0], "batch"]


def test_pointing_at_a_molecule_draws_it(page: Any) -> None:
    x, y = page.execute_script("return chart.toStage(0)")
    page.execute_script(
        """const [x, y] = arguments, box = front.getBoundingClientRect();
        front.dispatchEvent(new PointerEvent("pointermove", {
          pointerId: 9, pointerType: "mouse", clientX: box.left + x + 3, clientY: box.top + y}))""",
        x,
        y,
    )
    settled(page, "return tip.hidden ? '' : tip.dataset.row", "0")
    assert page.execute_script("return tip.querySelectorAll('svg .bond').length") == 2
    assert page.execute_script("return tip.querySelector('.atom-O').textContent") == "HO"
    assert HOSTILE[0] in page.execute_script("return tip.textContent")
    assert "pIC50: missing" in page.execute_script("return tip.textContent")


def test_all_molecules_can_be_saved_and_are_the_same_ones(page: Any) -> None:
    rows = [row for row in range(COUNT) if row != 3]
    text = awaited(page, "sdfOf(chart.data, [...chart.x.keys()]).then(parts => parts.join(''))")
    records = text.split("$$$$\n")[:-1]
    assert len(records) == len(rows)
    for row, record in zip(rows, records, strict=True):
        found = Chem.MolToSmiles(Chem.MolFromMolBlock(record))
        assert found == Chem.MolToSmiles(chem.parse(MADE.smiles[row])), MADE.smiles[row]
        assert ("V3000" in record) == (MADE.smiles[row] == SMILES[10])
    assert ">  <pIC50>\n4.25\n" in records[1]
    saved = awaited(
        page, "csvOf(chart.data, [0, 1, 8], () => [1, 2]).then(lines => lines.join(''))"
    )
    table = list(csv.DictReader(io.StringIO(saved, newline="")))
    assert [line["id"] for line in table] == [MADE.ids[row] for row in (0, 1, 9)]
    assert [line["smiles"] for line in table] == [MADE.smiles[row] for row in (0, 1, 9)]
    assert [line["pIC50"] for line in table][:2] == ["", "4.25"]
    assert table[0][HOSTILE[0]] == "amine"
    assert table[1]["note"] == f"text 1\n{HOSTILE[1]}"


def test_a_selection_given_beforehand_is_listed_drawn_and_survives_other_colours(page: Any) -> None:
    titles = "return [...document.querySelectorAll('.cards b')].map(one => one.textContent)"
    settled(page, titles, ["M6", "M9"])
    assert page.execute_script("return document.querySelectorAll('.cards svg').length") == 2
    before = page.execute_script("return Array.from(chart.codes)")
    lines = "return [...document.querySelectorAll('.cards small')].map(one => one.textContent)"
    for column, expected in (("3", ["batch: 0", "batch: 0"]), ("1", ["atoms: 6", "atoms: 9"])):
        page.execute_script(
            "color.value = arguments[0]; color.dispatchEvent(new Event('change'))", column
        )
        settled(page, lines, expected)
        assert page.execute_script("return Array.from(chart.codes)") != before
    assert page.execute_script(titles) == ["M6", "M9"]


def test_colours_follow_the_values_and_missing_ones_are_grey(page: Any) -> None:
    codes = page.execute_script("return Array.from(chart.codes)")
    assert codes[0] == 0  # missing
    assert codes[2] == 255  # the largest
    legend = page.execute_script("return document.getElementById('legend').textContent")
    assert "missing1" in legend
    page.execute_script("color.value = '2'; color.dispatchEvent(new Event('change'))")
    settled(page, "return document.querySelectorAll('.legend li').length", 4)
    legend = page.execute_script("return document.getElementById('legend').textContent")
    assert HOSTILE[0] in legend
    assert "missing9" in legend


def test_a_lasso_and_a_box_select_what_lies_within(page: Any) -> None:
    corners = around(page, [of_page(row) for row in (16, 17, 24, 25)])
    page.execute_script("document.querySelector('button[data-tool=lasso]').click()")
    drag(page, corners)
    chosen = "return chart.selection()"
    assert page.execute_script(chosen) == [of_page(row) for row in (16, 17, 24, 25)]
    page.execute_script("document.querySelector('button[data-tool=box]').click()")
    corners = around(page, [of_page(row) for row in (32, 33)])
    drag(page, [corners[0], corners[2]], shiftKey=True)
    assert page.execute_script(chosen) == [of_page(row) for row in (16, 17, 24, 25, 32, 33)]
    drag(page, [corners[0], corners[2]], altKey=True)
    assert page.execute_script(chosen) == [of_page(row) for row in (16, 17, 24, 25)]
    page.execute_script("document.getElementById('clear').click()")
    assert page.execute_script(chosen) == []


def test_filters_hide_and_what_is_shown_can_be_selected(page: Any) -> None:
    shown = "return document.getElementById('shown').textContent"
    page.execute_script("adder.value = '0'; adder.dispatchEvent(new Event('change'))")
    settled(page, shown, "38 of 39 molecules shown")  # one value is missing
    page.execute_script(
        "const low = document.querySelector('.filter input'); low.value = 9;"
        "low.dispatchEvent(new Event('input'))"
    )
    settled(page, shown, "1 of 39 molecules shown")
    page.execute_script("document.getElementById('take').click()")
    assert page.execute_script("return chart.selection()") == [2]
    page.execute_script("document.querySelector('.filter .title button').click()")
    page.execute_script("adder.value = '3'; adder.dispatchEvent(new Event('change'))")
    settled(page, "return document.querySelectorAll('.choices input').length", 3)
    page.execute_script("document.querySelector('.choices input').click()")
    settled(page, shown, "26 of 39 molecules shown")
    page.execute_script("search.value = '[sih4]'; search.dispatchEvent(new Event('input'))")
    settled(page, shown, "0 of 39 molecules shown")
    page.execute_script("search.value = '[SiH4]'; search.dispatchEvent(new Event('input'))")
    settled(page, shown, "1 of 39 molecules shown")


def test_buttons_save_files(page: Any, tmp_path: Path) -> None:
    page.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    for kind in ("csv", "sdf"):
        page.execute_script(f"document.getElementById('{kind}').click()")
        path = tmp_path / f"script-script-alert-1-script-selection.{kind}"
        settled(page, "return document.getElementById('sdf').disabled", expected=False)
        for _ in range(100):
            if path.exists() and path.stat().st_size:
                break
            page.execute_async_script("setTimeout(arguments[0], 50)")
        text = path.read_text()
        assert "M6" in text
        assert "M9" in text


def test_wheel_keys_and_touch_move_the_map(page: Any) -> None:
    view = "return [chart.view.x, chart.view.y, chart.view.scale]"
    x, y, scale = page.execute_script(view)
    page.execute_script(
        "front.dispatchEvent(new WheelEvent('wheel', {deltaY: -300, clientX: 300, clientY: 300}))"
    )
    assert page.execute_script(view)[2] > scale
    key = "front.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0]}))"
    page.execute_script(key, "0")
    assert page.execute_script(view) == [x, y, scale]
    page.execute_script(key, "ArrowRight")
    assert page.execute_script(view)[0] > x
    page.execute_script(
        """const tell = (kind, id, x) => front.dispatchEvent(new PointerEvent(kind,
          {pointerId: id, pointerType: "touch", clientX: x, clientY: 400}));
        for (const [id, x] of [[1, 300], [2, 400]]) tell("pointerdown", id, x);
        for (const x of [420, 460, 500]) tell("pointermove", 2, x);
        for (const id of [1, 2]) tell("pointerup", id, 500);"""
    )
    assert page.execute_script(view)[2] > scale
    assert page.execute_script("return chart.selection().length") == 2


def test_without_webgl_points_are_drawn_too(browser: Any, address: str) -> None:
    script = {
        "source": "const real = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {"
        "return kind === 'webgl2' ? null : real.call(this, kind, ...rest); }"
    }
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", script)
    try:
        page = ready(browser, address, 1600)
        settled(
            page,
            "const c = document.getElementById('back'), p = c.getContext('2d');"
            "return p.getImageData(0, 0, c.width, c.height).data.some(one => one > 0)",
            expected=True,
        )
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
