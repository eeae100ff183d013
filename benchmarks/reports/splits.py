"""The chapters that set the splits of one benchmark side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from molkd.benchmarks.reports.document import Cell, Chapter, Grid
from molkd.benchmarks.reports.official import number
from molkd.benchmarks.reports.tables import cells
from molkd.benchmarks.statistics import Section
from molkd.benchmarks.statistics.across_splits import AcrossSplits, across_splits
from molkd.benchmarks.statistics.sentences import number as short


def chapters(sections: Sequence[Section], roles: Mapping[str, str]) -> tuple[Chapter, ...]:
    """Returns one chapter per group and probe that has several splits.

    Args:
        sections: see `statistics.tables`.
        roles: label -> role.
    """
    return tuple(
        Chapter(
            title=f"{each.group}: {each.probe}, splits side by side",
            lead=f"Means and ranks over the {len(each.tasks)} tasks that have a score of every "
            "embedder under every split.",
            points=tuple(_points(each)),
            grids=(_grid(each, roles),),
        )
        for each in across_splits(sections)
    )


def _points(each: AcrossSplits) -> Iterator[str]:
    """Who loses least and most from the first split to each other one, and who leads it."""
    first = each.splits[0]
    for column, split in enumerate(each.splits[1:], start=1):
        change = each.changes[:, column]
        most, least = int(change.argmin()), int(change.argmax())
        best, before = int(each.ranks[:, column].argmin()), int(each.ranks[:, 0].argmin())
        if len(each.embedders) > 1:
            yield (
                f"From {first} to {split}, {each.embedders[most]} changes by "
                f"{_change(each, most, column)}, the least favourable, and "
                f"{each.embedders[least]} by {_change(each, least, column)}, the most favourable."
            )
        same = "still " if best == before else ""
        yield (
            f"Under {split} {same}{each.embedders[best]} has the best mean rank, "
            f"{each.ranks[best, column]:.2f} (under {first}: {each.ranks[best, 0]:.2f})."
        )


def _change(each: AcrossSplits, row: int, column: int) -> str:
    text = short(float(each.changes[row, column]))
    if each.ends is None:
        return text
    low, high = (short(float(end)) for end in each.ends[:, row, column])
    return f"{text} (95 % {low} to {high})"


def _grid(each: AcrossSplits, roles: Mapping[str, str]) -> Grid:
    best_means, best_ranks = each.means.max(axis=0), each.ranks.min(axis=0)
    order = sorted(range(len(each.embedders)), key=lambda row: each.ranks[row, 0])
    rows = tuple(
        (
            Cell(each.embedders[row], role=roles[each.embedders[row]]),
            *(
                cell
                for column in range(len(each.splits))
                for cell in (
                    Cell(
                        number(each.means[row, column]),
                        best=bool(each.means[row, column] == best_means[column]),
                    ),
                    Cell(
                        f"{each.ranks[row, column]:.2f}",
                        best=bool(each.ranks[row, column] == best_ranks[column]),
                    ),
                )
            ),
        )
        for row in order
    )
    return Grid(
        caption="Mean score over tasks and seeds, and mean rank over tasks, 1 is best; in the "
        f"order of the ranks under {each.splits[0]}. Test rows differ from split to split: a lower "
        "mean says that the rows are harder, a lower place who suffers more.",
        header=cells(["embedder", *(title for _ in each.splits for title in ("mean", "rank"))]),
        rows=rows,
        align="l" + "r" * (2 * len(each.splits)),
        spans=(("", 1), *((split, 2) for split in each.splits)),
    )
