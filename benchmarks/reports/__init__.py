"""Reports: results as Markdown, as one HTML page, and as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from molkd.benchmarks import statistics
from molkd.benchmarks.quality.cost_records import EmbeddingCost
from molkd.benchmarks.records import Results, recipe_of
from molkd.benchmarks.reports import (
    assemble,
    html,
    markdown,
    official,
    panels,
    quality_table,
    tradeoff,
)
from molkd.benchmarks.reports.assemble import ReportInputs
from molkd.benchmarks.reports.similarity import chapter
from molkd.benchmarks.statistics.chosen import shown
from molkd.benchmarks.statistics.equivalence import regions as changed_regions
from molkd.benchmarks.statistics.published import Published
from molkd.errors import UnknownNameError
from molkd.runtime import files
from molkd.runtime.registry import near

MARKDOWN, HTML = "report.md", "report.html"

_Any = TypeVar("_Any")


def write(
    folder: Path,
    results: Results,
    *,
    reference: str | None = None,
    published: Sequence[Published] = (),
    speed: Mapping[str, Any] | None = None,
    similarity: Mapping[str, Any] | None = None,
    costs: Mapping[str, EmbeddingCost] | None = None,
    regions: Mapping[str, float] | None = None,
) -> list[Path]:
    """Writes `report.md`, `report.html` and the figures as PNG; same input, same bytes.

    Args:
        folder: where to write.
        results: the scores. Training runs NAME#0, NAME#1, ... are reported as NAME; the probe
            chosen on validation rows is added.
        reference: label of the embedder that others are compared with; by default the first
            student, or the first embedder where there is none.
        published: figures of others, shown apart from ours.
        speed: label -> "per_second" and "parameters"; embedders that were not timed may
            be missing. Without it, that of `costs`.
        similarity: of teachers, as `molkd teachers compare --json` prints it.
        costs: label -> cost; those of embedders that have changed since are left out.
        regions: of practical equivalence that differ from `equivalence.REGIONS`.

    Returns:
        What was written, the page first.

    Raises:
        UnknownNameError: the results hold no such reference, or a region is of no such metric.
        ConfigError: a region is not positive, or training runs do not fit together.
        InputError: speed or similarity are not what is described above.
        OutputError: the folder cannot be written.
    """
    current = _current(results, costs or {})
    timed = speed or _speeds(results, current)
    inputs = ReportInputs(
        results=results,
        reference=assemble.reference_of(shown(results), reference),
        published=published,
        speed=tradeoff.timings(_of_recipes(timed)),
        similar=None if similarity is None else chapter(similarity),
        costs=_of_recipes(current),
        regions=changed_regions(regions),
    )
    document = assemble.document(inputs)
    written = {HTML: html.render(document).encode(), MARKDOWN: markdown.render(document).encode()}
    for picture in document.pictures:
        written[f"{picture.name}.png"] = panels.png(picture.panels)
    for name, content in written.items():
        files.write_bytes(folder / name, content)
    return [folder / name for name in written]


def table(
    results: Results,
    names: Sequence[str] = (),
    *,
    group: str | None = None,
    published: Sequence[Published] = (),
    costs: Mapping[str, EmbeddingCost] | None = None,
) -> str:
    """Returns quality against speed against size as a table in Markdown, under its caption.

    Scores are those of the probe chosen from most candidates that asked all these embedders.

    Args:
        results: see `write`.
        names: labels, and sources of published figures, that get a row; by default all. Ranks are
            among all that the probe asked.
        group: the benchmark; by default the first.
        published: figures of others.
        costs: see `write`.

    Raises:
        UnknownNameError: the results hold no such group, and no embedder or source of a name.
        ConfigError: no probe asked all of these embedders, or training runs do not fit together.
    """
    compared = shown(results)
    records = {record.label: record for record in compared.embedders}
    known = [*records, *(figure.source for figure in published)]
    for name in names:
        if name not in known:
            raise UnknownNameError(f"no embedder or source {name!r}{near(name, known)}")
    labels = [label for label in records if not names or label in names]
    section = quality_table.section_of(statistics.tables(compared), labels, group=group)
    current = _of_recipes(_current(results, costs or {}))
    rates = {label: cost.per_second for label, cost in current.items() if cost.per_second}
    lines = official.lines(compared, group=section.group, probe=section.probe, split=section.split)
    comparison = statistics.compare(section.table, section.table.embedders[0])
    sources = quality_table.Sources(records, rates, current, published)
    return markdown.table(quality_table.grid(sources, section, comparison, lines, names))


def _current(results: Results, costs: Mapping[str, EmbeddingCost]) -> dict[str, EmbeddingCost]:
    """The costs of embedders as they were scored."""
    digests = {record.label: record.digest for record in results.embedders}
    return {n: cost for n, cost in costs.items() if cost.digest == digests.get(n)}


def _of_recipes(by_label: Mapping[str, _Any]) -> dict[str, _Any]:
    """The same by recipe, from the first of its training runs."""
    found: dict[str, _Any] = {}
    for label, value in by_label.items():
        found.setdefault(recipe_of(label), value)
    return found


def _speeds(results: Results, costs: Mapping[str, EmbeddingCost]) -> dict[str, dict[str, Any]]:
    counts = {record.label: record.parameters for record in results.embedders}
    return {
        label: {"per_second": cost.per_second, "parameters": counts[label]}
        for label, cost in costs.items()
        if cost.per_second
    }
