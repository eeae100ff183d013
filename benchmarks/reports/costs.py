"""What an embedder costs, as cells of a table."""

from __future__ import annotations

from molkd.benchmarks.quality.cost_records import EmbeddingCost
from molkd.benchmarks.reports.document import Cell

TITLES = ("per second and core", "MB")

CAPTION = (
    "Per second and core: items per second of processor time, from what a user has to embedding. "
    "MB: files of weights."
)


def cells_of(cost: EmbeddingCost | None) -> tuple[Cell, Cell]:
    """Returns speed and megabytes; "unknown" where they were not measured."""
    if cost is None:
        return Cell("unknown"), Cell("unknown")
    return Cell(figure(cost.per_second)), Cell(figure(cost.megabytes))


def figure(value: float | None) -> str:
    """A speed or a size in short."""
    if value is None:
        return "unknown"
    return f"{value:,.0f}" if value >= 10 or not value else f"{value:.1f}"
