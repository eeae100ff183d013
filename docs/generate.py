"""Writes what the documents take from the code and from its results: figures and tables.

    python docs/generate.py

The same code and results give the same bytes. A table stands between two comments in a page.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from molkd.benchmarks import records, statistics
from molkd.benchmarks import speed as speeds
from molkd.benchmarks.price import RESULTS as PRICES
from molkd.benchmarks.price import PriceResults
from molkd.benchmarks.price import records as price_records
from molkd.benchmarks.price import tables as price_tables
from molkd.benchmarks.quality import cost_records
from molkd.benchmarks.reports import panels, tradeoff
from molkd.benchmarks.reports.palette import DARK, LIGHT
from molkd.benchmarks.reports.panels import Panel
from molkd.distillation.schedule import TrainSettings
from molkd.distillation.settings import DistillSettings
from molkd.embedding.settings import EmbedSettings
from molkd.information.settings import AdaptorSettings, DensitySettings, EstimatorSettings
from molkd.library.maps.settings import MapSettings
from molkd.objectives import MutualInformationSettings, ObjectiveSettings
from molkd.objectives.diverse.settings import DiverseSettings
from molkd.objectives.headwise import HeadwiseSettings
from molkd.objectives.ladder import HeadSettings
from molkd.objectives.unic import UnicSettings
from molkd.students import GineSettings, shipped
from molkd.students.settings_counts import CountsSettings, HybridSettings
from molkd.students.settings_image import ImageSettings
from molkd.students.settings_text import StaticSettings, TextSettings
from molkd.teachers import TEACHERS, catalogue

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOCS = Path(__file__).resolve().parent
RESULTS = DOCS.parent / "benchmarks" / "results"
SETTINGS: dict[str, Sequence[type]] = {
    "distillation": (DistillSettings,),
    "training": (TrainSettings,),
    "estimate": (DensitySettings, EstimatorSettings),
    "adaptors": (AdaptorSettings,),
    "embedding": (EmbedSettings,),
    "map": (MapSettings,),
    "student-molecules": (GineSettings,),
    "student-hybrid": (HybridSettings,),
    "student-counts": (CountsSettings,),
    "student-static": (StaticSettings,),
    "student-bert": (TextSettings,),
    "student-images": (ImageSettings,),
    "heads": (ObjectiveSettings, HeadSettings, HeadwiseSettings),
    "mi": (MutualInformationSettings,),
    "unic": (UnicSettings,),
    "diverse": (DiverseSettings,),
}
"""Name of a table -> the classes whose own options it holds."""

DRAWN = (
    *("molkd-static", "molkd-tiny", "molkd-small", "molkd-base", "ecfp4-count", "rdkit2d"),
    *("ecfp4-count+rdkit2d", "minimol", "chemnet", "atom-pair", "maccs", "espaloma-charge"),
    *("hu-gcn-supervised-contextpred", "rxnmapper", "jtvae"),
)
"""Embedders in the figure of quality against speed."""

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def main(folder: Path = DOCS) -> None:
    """Writes all figures, and all tables into their pages."""
    drawings = {
        "quality-speed": quality_against_speed(),
        "quality-speed-narrow": quality_against_speed(narrow=True),
        "densities": densities(),
    }
    for name, panel in drawings.items():
        drawing = standing_alone(panels.svg(panel, name))
        (folder / "figures" / f"{name}.svg").write_text(drawing + "\n", encoding="utf-8")
    for page in sorted(folder.rglob("*.md")):
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")


def filled(text: str) -> str:
    """Writes anew what follows <!-- table: NAME --> or <!-- file: PATH -->, up to <!-- end -->."""
    return re.sub(
        r"(<!-- (table|file): (\S+) -->\n).*?(<!-- end -->)",
        lambda match: (
            f"{match[1]}\n{(table if match[2] == 'table' else _code)(match[3])}\n{match[4]}"
        ),
        text,
        flags=re.DOTALL,
    )


def _code(path: str) -> str:
    """The code of a file of this repository, without its docstring."""
    text = (DOCS.parent / path).read_text(encoding="utf-8")
    return f"```python\n{text.split(chr(34) * 3, 2)[2].lstrip()}```\n"


def table(name: str) -> str:
    """Returns a table by name: "teachers-MODALITY", "price-TABLE", or a key of `SETTINGS`."""
    modality, priced = name.removeprefix("teachers-"), name.removeprefix("price-")
    if modality != name:
        return _markdown(("name", "what it is", "width", "values", "licence"), _teachers(modality))
    if priced != name:
        return _markdown(*_priced(priced))
    rows = [row for settings in SETTINGS[name] for row in _options(settings)]
    return _markdown(("option", "default", "what it is"), rows)


def _priced(name: str) -> price_tables.Table:
    """What a library costs; "machine" is where that was measured."""
    results = price_records.read(RESULTS / "price" / PRICES)
    found, prices = price_records.summary(results), price_tables.Prices()
    if name == "machine":
        return ("what", "value"), list(_measured_on(results))
    if name == "peers":
        return price_tables.peers(speeds.read(RESULTS / "speed-shipped.json"), prices)
    if name == "rates":
        return price_tables.rates(found)
    return {"computing": price_tables.computing, "storage": price_tables.storage}[name](
        found, prices
    )


def _measured_on(results: PriceResults) -> Iterator[tuple[str, str]]:
    machine, settings = results.machine, results.settings
    rounds = len({cell.turn for cell in results.cells})
    yield (
        "machine",
        f"{machine['processor']}, {machine['system']}, one thread of {machine['cores']}",
    )
    yield "versions", ", ".join(f"{name} {machine[name]}" for name in ("molkd", "rdkit", "torch"))
    yield "molecules", f"{settings['rows']:,} of {settings['library']}"
    yield "rounds", f"{rounds}, the students by turns; medians"
    yield "clock", "seconds of the processor"


def _teachers(modality: str) -> Iterator[Sequence[str]]:
    for entry in catalogue.entries():
        if entry.modality == modality and entry.name in TEACHERS:
            yield f"`{entry.name}`", entry.kind, f"{entry.dim:,}", entry.support, entry.license


def _options(settings: type[Any]) -> Iterator[Sequence[str]]:
    """The options that a class adds or changes, with what docstrings say about them."""
    words = {
        name: " ".join(about.split())
        for ancestor in reversed(settings.__mro__)
        for name, about in re.findall(
            r"^ {4}(\w+): (.*?)(?=^ {4}\w+: |\Z)",
            inspect.cleandoc(ancestor.__doc__ or "").partition("Attributes:\n")[2],
            re.DOTALL | re.MULTILINE,
        )
    }
    private = [base for base in settings.__mro__ if base.__name__.startswith("_")]
    own = {name for base in (settings, *private) for name in base.__annotations__}
    for field in fields(settings):
        if field.name in own:
            yield f"`{field.name}`", _default(field), words[field.name]


def _default(field: Field[Any]) -> str:
    value = field.default_factory() if field.default is MISSING else field.default  # pyright: ignore[reportCallIssue]
    if value is None or value in ((), {}):
        return "none"
    return f"`{value}`" if isinstance(value, str | float | int) else "see below"


def _markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar within a cell is written so that it does not end the cell."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines
    )


def quality_against_speed(*, narrow: bool = False) -> Panel:
    """The mean score of each embedder on 22 ADMET tasks, and how many molecules it embeds."""
    results = records.read(RESULTS / "students" / "results.jsonl")
    costs, _ = cost_records.read(RESULTS / "students")
    sections = {(one.group, one.probe): one for one in statistics.tables(results)}
    comparison = statistics.compare(sections["tdc-admet", "linear"].table, shipped.DEFAULT)
    drawn = {record.label: record for record in results.embedders if record.label in DRAWN}
    points = [
        tradeoff.Point(label, one.role, rate, comparison.means[label], one.parameters)
        for label, one in drawn.items()
        for rate in [costs[label].per_second]
        if rate is not None
    ]
    return tradeoff.panel(points, shipped.DEFAULT, narrow=narrow)


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
