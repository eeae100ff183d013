"""What training steps cost, in one table: for people on a terminal, and as Markdown."""

from __future__ import annotations

import textwrap
from statistics import median

from molkd.benchmarks.cost.records import CostCell, CostResults
from molkd.benchmarks.speed.tables import as_markdown, megabytes, number

COLUMNS = (
    "variant",
    "rows per step",
    "s per step",
    "x reference",
    "range",
    "MB added",
    "parameters of the objective",
    "of the student",
    "note",
)

LEGEND = (
    "s per step: collating, targets, forward, backward and optimiser, median of the rounds. x "
    "reference: that over the mean of the reference's rounds just before and just after, in the "
    "same process; median and range of the rounds. The reference beside itself says how far "
    "ratios stray by chance. MB added: peak of memory during a run of these steps above what the "
    "process held before, with student, objective and optimiser but without live teachers; of the "
    "accelerator, where there is one. The objective is thrown away after training."
)


def rows(results: CostResults) -> list[list[str]]:
    """Returns one row of cells per variant, in the order of `COLUMNS`."""
    return [_row(cell) for cell in results.cells]


def failures(results: CostResults) -> list[str]:
    """Says in sentences which variants could not be measured, and why."""
    return [f"{cell.name} failed: {cell.error}" for cell in results.cells if cell.error]


def markdown(results: CostResults) -> str:
    """Returns a page: machine, settings, the table, and what failed."""
    facts = {**results.machine, **results.settings}
    about = "\n".join(f"- {name}: {value}" for name, value in facts.items())
    table = as_markdown(COLUMNS, rows(results))
    parts = ["# Cost of a training step", about, table, LEGEND, *failures(results)]
    return "\n\n".join(parts) + "\n"


def _row(cell: CostCell) -> list[str]:
    measured = cell.measured
    if measured is None:
        why = textwrap.shorten(f"failed: {cell.error}", 60, placeholder=" ...")
        return [cell.name, *[""] * (len(COLUMNS) - 2), why]
    ratios = measured.ratios
    return [
        cell.name,
        f"{measured.batch:,}",
        number(measured.per_step),
        f"{median(ratios):.2f}",
        f"{min(ratios):.2f}-{max(ratios):.2f}",
        megabytes(measured.added_mb),
        f"{measured.objective:,}",
        f"{measured.student:,}",
        "",
    ]
