"""Everything in one table: for people on a terminal, and as Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from statistics import median, quantiles

from molkd.benchmarks.speed.comparison import Change, verdict
from molkd.benchmarks.speed.records import PARTS, SpeedCell, SpeedMeasurement, SpeedResults
from molkd.benchmarks.tasks.modalities import BENCHMARKED, BenchmarkModality

CHANGES = ("embedder", "work", "items", "old", "new", "new / old", "spread", "verdict", "note")

GROWTH = 1.2
"""Cost per item at the largest size over that at the smallest, from which it is mentioned."""


def columns(modality: BenchmarkModality) -> tuple[str, ...]:
    """Returns the names of the columns.

    Parts are multiples of the plain library's time too; the spread is from first to third quartile.
    """
    return (
        *("embedder", "parameters", "work", modality.name),
        *("per s", "us each", f"x {modality.library}", "spread"),
        *PARTS,
        *("start s", "MB before", "MB added", "failed", "note"),
    )


def legend(modality: BenchmarkModality) -> str:
    """Returns what the columns mean, in sentences."""
    noun = modality.name
    return (
        f"x {modality.library}: time over {modality.reading} the same {noun}, measured before and "
        "after each round; median of the rounds. The steps are in the same unit: check is what "
        "molkd does to what was parsed, write a Parquet file, which is in no total. start s: "
        "seconds from nothing to the first embedding, not in the other figures. MB added: peak of "
        "the resident size above what libraries and weights had taken (MB before). A training "
        f"round is one epoch without reading {noun} and teachers."
    )


_WIDTH = len(columns(BENCHMARKED["molecules"]))


def rows(results: SpeedResults) -> list[list[str]]:
    """Returns one row of cells per line of the table, in the order of `columns`."""
    return [_row(cell) for cell in results.cells]


def failures(results: SpeedResults) -> list[str]:
    """Says in sentences what could not be measured, and why."""
    return [
        f"{cell.label}, {cell.work} of {cell.size:,}, failed: {cell.error}"
        for cell in results.cells
        if cell.error
    ]


def change_rows(changes: Sequence[Change]) -> list[list[str]]:
    """Returns one row per change, in the order of `CHANGES`."""
    return [
        [
            change.label,
            change.work,
            f"{change.size:,}",
            number(change.old),
            number(change.new),
            number(change.quotient),
            f"{number(change.low)}-{number(change.high)}",
            change.verdict,
            change.note,
        ]
        for change in changes
    ]


def markdown(results: SpeedResults, sentences: Sequence[str]) -> str:
    """Returns a page: machine, settings, the table, and what was noticed."""
    about = [
        f"- {name}: {value}" for name, value in {**results.machine, **results.settings}.items()
    ]
    modality = BENCHMARKED[results.settings["reads"]]
    table = as_markdown(columns(modality), rows(results))
    parts = ["# Speed", "\n".join(about), table, legend(modality), *sentences]
    return "\n\n".join(parts) + "\n"


def as_markdown(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Returns a table; all but the first column are set to the right."""
    rule = ["---", *["---:"] * (len(columns) - 1)]
    escaped = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in [list(columns), rule, *escaped])


def _row(cell: SpeedCell) -> list[str]:
    measured = cell.measured
    if measured is None:
        blanks = [""] * (_WIDTH - 5)
        why = textwrap.shorten(f"failed: {cell.error}", 60, placeholder=" ...")
        return [cell.label, "", cell.work, f"{cell.size:,}", *blanks, why]
    ratios = measured.ratios()
    low, high = _quartiles(ratios)
    return [
        cell.label,
        "?" if measured.parameters is None else f"{measured.parameters:,}",
        cell.work,
        f"{cell.size:,}",
        number(measured.per_second),
        number(1e6 / measured.per_second),
        number(median(ratios)),
        f"{number(low)}-{number(high)}",
        *(_part(measured, name) for name in PARTS),
        f"{measured.startup:.1f}",
        megabytes(measured.resident_mb),
        megabytes(measured.added_mb),
        f"{measured.failed:,}",
        _note(cell, measured),
    ]


def _note(cell: SpeedCell, measured: SpeedMeasurement) -> str:
    notes: list[str] = []
    if measured.count < cell.size and cell.work == "embedding":
        notes.append(f"measured on {measured.count:,}: no time for more")
    if measured.count < cell.size and cell.work == "training":
        notes.append(f"epochs of {measured.count:,}")
    if measured.failed:
        notes.append(f"first failure: {measured.reason}")
    return "; ".join(notes)


def growth(results: SpeedResults) -> list[str]:
    """Says in sentences which embedders cost more per item in a large library.

    Compares the smallest and the largest size that were measured in full, by
    `comparison.verdict`; less than a fifth is not mentioned.
    """
    sentences: list[str] = []
    for label in dict.fromkeys(cell.label for cell in results.cells):
        own = [cell for cell in results.cells if cell.label == label and cell.work == "embedding"]
        whole = [(c.size, c.measured) for c in own if c.measured and c.measured.count == c.size]
        if len(whole) < 2:
            continue
        by_size = sorted(whole, key=lambda pair: pair[0])
        (least, small), (most, large) = by_size[0], by_size[-1]
        times = median(large.ratios()) / median(small.ratios())
        if times > GROWTH and verdict(small.ratios(), large.ratios()) == "slower":
            sentences.append(
                f"{label} costs more than in proportion to the library: {times:.2f} times as much "
                f"per item at {most:,} as at {least:,}, relative to the plain library."
            )
    return sentences


def _part(measured: SpeedMeasurement, name: str) -> str:
    return number(median(measured.ratios(name))) if name in measured.rounds else ""


def _quartiles(values: Sequence[float]) -> tuple[float, float]:
    if len(values) == 1:
        return values[0], values[0]
    low, _, high = quantiles(values, n=4, method="inclusive")
    return low, high


def megabytes(value: float | None) -> str:
    """Whole megabytes; "?" where the system does not say."""
    return "?" if value is None else f"{value:,.0f}"


def number(value: float) -> str:
    """About three figures; "-" for NaN."""
    if value != value:  # noqa: PLR0124  (NaN: not measured)
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"
