"""The report in a real browser: Debian's Chromium, headless, at a narrow and a wide window."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from molkd.benchmarks import statistics
from molkd.benchmarks.reports import assemble, html, official, similarity, tradeoff
from molkd.benchmarks.reports.assemble import ReportInputs
from molkd.benchmarks.statistics.published import Published
from tests.benchmarks.reports.test_write import SPEED, TEACHERS
from tests.fakes import fake_results
from tests.fakes.browsers import chromium, opened
from tests.fakes.fake_results import HOSTILE

WIDTHS = (360, 1400)

RESULTS = fake_results.results(
    tasks=list(fake_results.ADMET)[:5],
    embedders=[*list(fake_results.EMBEDDERS)[:5], HOSTILE],
    seeds=3,
    extra=[fake_results.multi_label(labels=2), fake_results.cliffs(), fake_results.left_out()],
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from chromium("--disable-gpu")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    figure = Published(
        source="MolE",
        group="tdc-admet",
        task="hia_hou",
        metric="AUROC",
        value=0.9,
        sd=0.01,
        note="",
    )
    given = ReportInputs(
        results=RESULTS,
        reference="student-base",
        published=[figure],
        speed=tradeoff.timings(SPEED),
        similar=similarity.chapter(TEACHERS),
    )
    page: Path = tmp_path_factory.mktemp("report") / "report.html"
    page.write_text(html.render(assemble.document(given)), encoding="utf-8")
    return page.as_uri()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_as_wide_as_the_window_and_logs_nothing(browser, address, width) -> None:
    opened(browser, address, width)
    assert browser.execute_script("return innerWidth") == width
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_sticks_out_of_the_page(browser, address, width) -> None:
    """Only what lies in a container that scrolls may be wider than the window."""
    outside = opened(browser, address, width).execute_script(
        """
        const scrolls = e => e && (getComputedStyle(e).overflowX === "auto"
          || scrolls(e.parentElement));
        return [...document.body.querySelectorAll("*")]
          .filter(e => !scrolls(e.parentElement))
          .map(e => [e.tagName, e.className.baseVal ?? e.className, e.getBoundingClientRect()])
          .filter(([, , box]) => box.left < 0 || box.right > innerWidth + 0.5)
          .map(([tag, name, box]) => `${tag}.${name} ${box.left} ${box.right}`);
        """
    )
    assert outside == []


@pytest.mark.parametrize("width", WIDTHS)
def test_every_figure_is_seen_at_a_readable_size(browser, address, width) -> None:
    opened(browser, address, width)
    found = browser.execute_script(
        """
        return [...document.querySelectorAll("figure")].map(figure => {
          const shown = [...figure.querySelectorAll("svg")].filter(e => e.getClientRects().length);
          return shown.map(svg => {
            const box = svg.getBoundingClientRect(), words = [...svg.querySelectorAll("text")];
            const heights = words.map(e => e.getBoundingClientRect().height);
            return [box.width, box.height, Math.min(...heights)];
          });
        });
        """
    )
    assert len(found) == 4 * 3 + 2  # ranks, chances, speed and tasks of three groups; heat maps
    for drawings in found:
        assert drawings
        for wide, tall, letters in drawings:
            assert wide > 140
            assert tall > 80
            assert letters > 7


@pytest.mark.parametrize("width", WIDTHS)
def test_words_of_a_figure_stay_inside_it(browser, address, width) -> None:
    outside = opened(browser, address, width).execute_script(
        """
        return [...document.querySelectorAll("svg text")].filter(e => e.getClientRects().length)
          .filter(e => {
            const box = e.getBoundingClientRect(), page = e.closest("svg").getBoundingClientRect();
            return box.left < page.left - 1 || box.right > page.right + 1
              || box.top < page.top - 1 || box.bottom > page.bottom + 1;
          }).map(e => e.textContent);
        """
    )
    assert outside == []


def test_wide_tables_scroll_in_their_own_container(browser, address) -> None:
    opened(browser, address, 360)
    found = browser.execute_script(
        """
        return [...document.querySelectorAll(".scroll")]
          .map(e => [e.scrollWidth > e.clientWidth, e.tabIndex, e.clientWidth]);
        """
    )
    assert any(scrolls for scrolls, _, _ in found)
    assert all(index == 0 for _, index, _ in found)
    assert all(wide <= 360 for _, _, wide in found)


def table(browser: Any, number: int, title: str) -> list[list[str]]:
    """Rows of cells, the header first, of the table under a heading of the n-th chapter."""
    return browser.execute_script(
        """
        const chapter = document.querySelectorAll(".chapter")[arguments[0]];
        const heading = [...chapter.querySelectorAll("h3")].find(e => e.innerText === arguments[1]);
        return [...heading.parentElement.querySelectorAll("tr")]
          .map(row => [...row.cells].map(cell => cell.innerText.trim()));
        """,
        number,
        title,
    )


def test_the_tables_hold_the_numbers_of_the_results(browser, address) -> None:
    opened(browser, address, 1400)
    section = statistics.tables(RESULTS)[0]
    comparison = statistics.compare(section.table, "student-base")
    order = sorted(comparison.ranks, key=lambda name: comparison.ranks[name])

    _, *rows = table(browser, 1, "Summary")
    assert [row[0] for row in rows] == order
    assert [row[6] for row in rows] == [f"{comparison.ranks[name]:.2f}" for name in order]

    header, *rows = table(browser, 1, "Scores by task")
    assert header[3:] == order
    lines = official.lines(RESULTS, group="tdc-admet", probe="linear", split="given")
    assert rows == [
        [
            line.task,
            f"{line.metric} {'↑' if line.greater_is_better else '↓'}",
            f"{line.compared:,}",
            *(line.scores[name].text for name in order),
        ]
        for line in lines
    ]

    *_, last = table(browser, 1, "Published figures, not ours, never ranked")
    assert last[0] == "hia_hou"
    assert last[-1] == "0.900 ± 0.010"


def test_headings_come_in_order_and_links_lead_to_them(browser, address) -> None:
    opened(browser, address, 1400)
    levels = browser.execute_script(
        "return [...document.querySelectorAll('h1,h2,h3,h4')].map(e => +e.tagName[1])"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    dead = browser.execute_script(
        "return [...document.links].filter(a => !document.querySelector(a.hash)).map(a => a.href)"
    )
    assert dead == []


def test_labels_are_shown_as_they_are(browser, address) -> None:
    opened(browser, address, 1400)
    assert HOSTILE in browser.find_element("tag name", "body").text
    assert browser.execute_script("return document.scripts.length") == 0


CONTRAST = """
const channel = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
const parts = colour => colour.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const ground = e => {
  const colour = parts(getComputedStyle(e).backgroundColor);
  return colour.length === 4 && colour[3] === 0 ? ground(e.parentElement) : colour;
};
const words = "h1,h2,h3,p,li,a,dt,dd,td,th,small,figcaption,caption,svg text";
return [...document.querySelectorAll(words)]
  .filter(e => e.textContent.trim() && e.getClientRects().length).map(e => {
    const style = getComputedStyle(e);
    const ink = light(parts(e.closest("svg") ? style.fill : style.color)), paper = light(ground(e));
    const [low, high] = [ink, paper].sort((a, b) => a - b);
    return [(high + 0.05) / (low + 0.05), `${e.tagName} ${e.textContent.trim().slice(0, 30)}`];
  }).filter(([ratio]) => ratio < 4.5).map(([ratio, what]) => `${ratio.toFixed(2)} ${what}`);
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(browser, address, scheme) -> None:
    opened(browser, address, 1400, scheme)
    ground = browser.execute_script(
        "return getComputedStyle(document.documentElement).backgroundColor"
    )
    assert (ground == "rgb(16, 20, 26)") == (scheme == "dark")
    assert browser.execute_script(CONTRAST) == []
