"""Draws the figures of the documents from the results in this repository.

    python docs/figures.py

The same results give the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from molkd.benchmarks import records, statistics
from molkd.benchmarks.reports import assemble, panels, tradeoff
from molkd.benchmarks.reports.palette import DARK, LIGHT
from molkd.benchmarks.reports.panels import Panel
from molkd.benchmarks.speed import records as speeds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOCS = Path(__file__).resolve().parent
RESULTS = DOCS.parent / "benchmarks" / "results"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def main(folder: Path = DOCS / "figures") -> None:
    """Writes all figures."""
    for name, panel in (("quality-speed", quality_against_speed()), ("densities", densities())):
        (folder / f"{name}.svg").write_text(standing_alone(panels.svg(panel, name)) + "\n")


def quality_against_speed() -> Panel:
    """The mean score of each embedder on 22 ADMET tasks, and how many molecules it embeds."""
    results = records.read(RESULTS / "quality" / "results.jsonl")
    timed = assemble.timings(speeds.summary(speeds.read(RESULTS / "speed-baseline.json")))
    section = statistics.tables(results)[0]
    comparison = statistics.compare(section.table, "student")
    roles = {record.label: record.role for record in results.embedders}
    points = [
        tradeoff.Point(label, roles[label], timed[label].rate, quality, timed[label].parameters)
        for label, quality in comparison.means.items()
        if label in timed
    ]
    return tradeoff.panel(points, "student")


def densities() -> Panel:
    """What a head says of one value of a teacher: sure for one molecule, unsure for another."""
    left, right, floor, top = 20.0, 540.0, 200.0, 40.0
    grid = np.linspace(-3.0, 3.0, 241)
    across = left + (grid + 3) / 6 * (right - left)
    curves = (
        ("before: the teacher alone", 0.0, 1.0, "baseline", (left + 4, 138.0)),
        ("given molecule A", -0.4, 0.3, "student", (112.0, 60.0)),
        ("given molecule B", 1.1, 0.65, "teacher", (388.0, 96.0)),
    )

    def draw(axes: Axes) -> None:
        for words, mean, sd, colour, (x, y) in curves:
            height = np.exp(-0.5 * ((grid - mean) / sd) ** 2) / sd * 0.3
            line = floor - height * (floor - top)
            panels.line(axes, across.tolist(), line.tolist(), colour, 2.0)
            panels.text(axes, x, y, words, color=colour, size=11, ha="left")
        panels.line(axes, [left, right], [floor, floor], "muted", 1.2)
        words = "one standardised value of a teacher"
        panels.text(axes, right, floor + 16, words, color="muted", ha="right")
        panels.text(axes, left, 12, "density", color="muted")

    return Panel(
        title="What the student tells about a teacher",
        description=(
            "Three bell curves over one value of a teacher: a wide one before anything is known, "
            "a narrow one given the embedding of molecule A, one of middle width given molecule B."
        ),
        width=560.0,
        height=230.0,
        draw=draw,
    )


def standing_alone(svg: str) -> str:
    """Gives a drawing that was made for a page the colours of that page, light and dark."""
    light, dark = (
        "".join(f"--{token}:{colour};" for token, colour in scheme.items())
        for scheme in (LIGHT, DARK)
    )
    style = (
        f"<style>svg{{--sans:{FONT};{light}}}"
        ".halo text{paint-order:stroke;stroke:var(--card);stroke-width:2.5px}"
        f"@media (prefers-color-scheme:dark){{svg{{{dark}}}}}</style>"
    )
    head, end, body = svg.partition(">")
    return head + end + style + body


if __name__ == "__main__":
    main()
