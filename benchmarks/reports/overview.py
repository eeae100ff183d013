"""The first chapter of a report: one table over all sections, and who wins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from molkd.benchmarks.quality.cost_records import EmbeddingCost
from molkd.benchmarks.records import EmbedderRecord
from molkd.benchmarks.reports import costs as cost_cells
from molkd.benchmarks.reports.document import Cell, Chapter, Grid
from molkd.benchmarks.reports.official import number
from molkd.benchmarks.reports.tables import NONE, cells
from molkd.benchmarks.statistics import Comparison, Section
from molkd.benchmarks.statistics.sentences import listed

Compared = Sequence[tuple[Section, Comparison]]


def chapters(
    compared: Compared,
    embedders: Sequence[EmbedderRecord],
    costs: Mapping[str, EmbeddingCost],
) -> Iterator[Chapter]:
    """Yields one chapter, or none where there is no section of two embedders.

    Args:
        compared: all sections, each with a comparison of its table.
        embedders: what was compared.
        costs: label -> cost; empty where none was measured.
    """
    compared = [pair for pair in compared if len(pair[1].ranks) > 1]
    if compared:
        yield Chapter(
            "Who wins",
            points=tuple(_sentences(compared)),
            grids=(_grid(compared, embedders, costs),),
        )


def _sentences(compared: Compared) -> Iterator[str]:
    whole = _of_most(compared)
    if len(whole) > 1:
        wins = Counter(leader for _, comparison in whole for leader in _leaders(comparison))
        named = [f"{label} in {count}" for label, count in wins.most_common()]
        which = "" if len(whole) == len(compared) else f" of {len(whole[0][1].ranks)} embedders"
        yield f"Of {len(whole)} sections{which}, the best mean rank has {listed(named)}."
    for section, comparison in compared:
        yield _winner(section, comparison)


def _winner(section: Section, comparison: Comparison) -> str:
    leaders = _leaders(comparison)
    best = comparison.ranks[leaders[0]]
    where = f"{section.group}, {section.probe} {section.way}, {section.split} split"
    verb = "win" if len(leaders) > 1 else "wins"
    text = f"{where}: {listed(leaders)} {verb} with a mean rank of {best:.2f}"
    others = [label for label in _order(comparison.ranks) if label not in leaders]
    if not others:
        return f"{text}."
    text += f", before {others[0]} ({comparison.ranks[others[0]]:.2f})"
    text += "; no other was asked" if len(comparison.ranks) == 2 else ""
    critical = comparison.critical_difference
    if critical is None:
        return f"{text}."
    near = [label for label in others if comparison.ranks[label] - best < critical]
    if not near:
        return f"{text}; by rank all others are worse for sure."
    return f"{text}; by rank alone {len(near)} of {len(others)} others may be as good."


def _grid(
    compared: Compared,
    embedders: Sequence[EmbedderRecord],
    costs: Mapping[str, EmbeddingCost],
) -> Grid:
    places = {record.label: _place(record.label, compared) for record in embedders}
    rows: list[tuple[Cell, ...]] = []
    for record in sorted(embedders, key=lambda record: places[record.label]):
        row = [Cell(record.label, role=record.role), Cell(f"{record.dim:,}")]
        row += cost_cells.cells_of(costs.get(record.label)) if costs else ()
        for _, comparison in compared:
            row += _scores(record.label, comparison)
        rows.append(tuple(row))
    titles = ["embedder", "dim", *(cost_cells.TITLES if costs else ())]
    spans = [("", len(titles))]
    for section, comparison in compared:
        titles += ["mean score", "mean rank"]
        count = len(section.table.tasks)
        name = f"{section.group}, {section.probe}, {section.split} split"
        spans.append(
            (f"{name}: {count} task{'s' * (count != 1)}, {len(comparison.ranks)} ranks", 2)
        )
    caption = (
        "All sections: means over tasks of the comparable metric and of ranks (1 is best), best "
        "mean rank over the sections of most embedders first. Sections of other tasks or embedders "
        "have other ranks."
    )
    caption += f" {cost_cells.CAPTION}" if costs else ""
    return Grid(caption, cells(titles), tuple(rows), "l" + "r" * (len(titles) - 1), tuple(spans))


def _scores(label: str, comparison: Comparison) -> tuple[Cell, Cell]:
    if label not in comparison.ranks:
        return Cell(NONE), Cell(NONE)
    mean, rank = comparison.means[label], comparison.ranks[label]
    return (
        Cell(number(mean), best=mean == max(comparison.means.values())),
        Cell(f"{rank:.2f}", best=label in _leaders(comparison)),
    )


def _place(label: str, compared: Compared) -> float:
    """Mean over sections of most embedders of where it stands, 0 for first and 1 for last."""
    shares = [
        (comparison.ranks[label] - 1) / (len(comparison.ranks) - 1)
        for _, comparison in _of_most(compared)
        if label in comparison.ranks
    ]
    return sum(shares) / len(shares) if shares else 2.0


def _of_most(compared: Compared) -> Compared:
    """The sections of most embedders: a place among two says little beside one among thirty."""
    most = max(len(comparison.ranks) for _, comparison in compared)
    return [pair for pair in compared if len(pair[1].ranks) == most]


def _leaders(comparison: Comparison) -> list[str]:
    best = min(comparison.ranks.values())
    return [label for label, rank in comparison.ranks.items() if rank == best]


def _order(ranks: Mapping[str, float]) -> list[str]:
    return sorted(ranks, key=lambda label: ranks[label])
