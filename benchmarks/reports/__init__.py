"""Reports: results as Markdown, as one HTML page, and as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from molkd.benchmarks.quality.cost_records import EmbeddingCost
from molkd.benchmarks.records import Results
from molkd.benchmarks.reports import assemble, html, markdown, panels
from molkd.benchmarks.reports.assemble import ReportInputs
from molkd.benchmarks.reports.similarity import chapter
from molkd.benchmarks.statistics.equivalence import regions as changed_regions
from molkd.benchmarks.statistics.published import Published
from molkd.runtime import files

MARKDOWN, HTML = "report.md", "report.html"


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
        results: the scores.
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
        ConfigError: a region is not positive.
        InputError: speed or similarity are not what is described above.
        OutputError: the folder cannot be written.
    """
    digests = {record.label: record.digest for record in results.embedders}
    current = {n: cost for n, cost in (costs or {}).items() if cost.digest == digests.get(n)}
    inputs = ReportInputs(
        results=results,
        reference=assemble.reference_of(results, reference),
        published=published,
        speed=assemble.timings(speed or _speeds(results, current)),
        similar=None if similarity is None else chapter(similarity),
        costs=current,
        regions=changed_regions(regions),
    )
    document = assemble.document(inputs)
    written = {HTML: html.render(document).encode(), MARKDOWN: markdown.render(document).encode()}
    for picture in document.pictures:
        written[f"{picture.name}.png"] = panels.png(picture.panels)
    for name, content in written.items():
        files.write_bytes(folder / name, content)
    return [folder / name for name in written]


def _speeds(results: Results, costs: Mapping[str, EmbeddingCost]) -> dict[str, dict[str, Any]]:
    counts = {record.label: record.parameters for record in results.embedders}
    return {
        label: {"per_second": cost.per_second, "parameters": counts[label]}
        for label, cost in costs.items()
        if cost.per_second
    }
