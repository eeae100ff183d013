"""The chapter of a report about practical equivalence: every two embedders of a section."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from molkd.benchmarks.reports import heatmap
from molkd.benchmarks.reports.document import Cell, Chapter, Grid, Picture
from molkd.benchmarks.reports.tables import NONE, cells
from molkd.benchmarks.statistics import Comparison, Section, equivalence
from molkd.benchmarks.statistics.equivalence import SURE, Outlook
from molkd.benchmarks.statistics.sentences import listed

_SHOWN = 6  # pairs that are named one by one
_VERDICTS = ("better", "equivalent", "worse", "open")


def chapters(
    section: Section,
    comparison: Comparison,
    roles: Mapping[str, str],
    widths: Mapping[str, float],
    name: str,
) -> Iterator[Chapter]:
    """Yields one chapter, or none where there is one embedder alone.

    Args:
        section: the scores.
        comparison: of the section's table; its reference is compared in sentences.
        roles: label -> role.
        widths: see `equivalence.regions`.
        name: of the section, for the file of its picture.
    """
    if len(section.table.embedders) < 2:
        return
    found = equivalence.pairs(section, widths)
    order = sorted(comparison.ranks, key=lambda label: comparison.ranks[label])
    yield Chapter(
        "Practical equivalence",
        lead=_lead(section, widths),
        points=tuple(_sentences(found, comparison.reference, order)),
        pictures=(_matrix(found, order, name),),
        grids=(_grid(found, comparison.reference, order, roles),),
    )


def chance(value: float) -> str:
    """A probability with two decimals, never 0 or 1 where it is estimated from draws."""
    if value >= 0.995:
        return "> .99"
    return "< .01" if value < 0.005 else f"{value:.2f}"[1:]


def _lead(section: Section, widths: Mapping[str, float]) -> str:
    stated = [f"{widths[m]:g} {m}".replace("0.", ".") for m in dict.fromkeys(section.metrics)]
    return (
        f"A difference below {listed(stated)} is taken for none in practice, whatever the scores: "
        "the regions stand in the code. Differences are divided by that of the task's metric. "
        "Probabilities are those of the Bayesian signed-rank test over tasks (Benavoli et al. "
        "2017); like all tests over tasks they do not know the noise within one."
    )


def _sentences(
    found: Mapping[tuple[str, str], Outlook], reference: str, order: Sequence[str]
) -> Iterator[str]:
    """What is sure about the reference, then about all pairs."""
    own = [(other, found[reference, other]) for other in order if other != reference]
    by_verdict = {v: [(o, look) for o, look in own if look.verdict == v] for v in _VERDICTS}
    for other, look in by_verdict["equivalent"]:
        yield f"{reference} and {other} are practically equivalent: {chance(look.equivalent)}."
    for verdict in ("better", "worse"):
        chances = {other: getattr(look, verdict) for other, look in by_verdict[verdict]}
        if chances:
            yield f"{reference} is {verdict} than {_named(chances)}, by more than the region."
    undecided = by_verdict["open"]
    if len(undecided) > _SHOWN:
        yield f"{reference} against {len(undecided)} others is open; the table has the chances."
        undecided = []
    for other, look in undecided:
        yield (
            f"{reference} against {other} is open: better {chance(look.better)}, equivalent "
            f"{chance(look.equivalent)}, worse {chance(look.worse)}."
        )
    yield from _of_all_pairs(found, order)


def _named(chances: Mapping[str, float]) -> str:
    """Embedders with their chances; where they are many, those of the least chances alone."""
    if len(chances) <= 2 * _SHOWN:
        return listed([f"{other} ({chance(value)})" for other, value in chances.items()])
    least = sorted(chances, key=lambda other: chances[other])[:_SHOWN]
    named = [f"{other} ({chance(chances[other])})" for other in least]
    return f"{len(chances)} others, least surely {listed(named)}"


def _of_all_pairs(found: Mapping[tuple[str, str], Outlook], order: Sequence[str]) -> Iterator[str]:
    if len(order) < 3:
        return
    once = {pair: found[pair] for pair in found if order.index(pair[0]) < order.index(pair[1])}
    counts = Counter(look.verdict for look in once.values())
    yield (
        f"Of {len(once)} pairs of embedders, with a probability of {chance(SURE)} or more one is "
        f"better in {counts['better'] + counts['worse']}, both are equivalent in "
        f"{counts['equivalent']}, and {counts['open']} are open."
    )
    alike = {pair: look for pair, look in once.items() if look.verdict == "equivalent"}
    if alike:
        likely = sorted(alike, key=lambda pair: -alike[pair].equivalent)
        named = [f"{a} and {b} ({chance(alike[a, b].equivalent)})" for a, b in likely[:_SHOWN]]
        more = f", and {len(likely) - _SHOWN} more" if len(likely) > _SHOWN else ""
        yield f"Practically equivalent: {'; '.join(named)}{more}."


def _matrix(found: Mapping[tuple[str, str], Outlook], order: Sequence[str], name: str) -> Picture:
    better = np.array([[found[a, b].better if a != b else np.nan for b in order] for a in order])
    title = "Chance in % that the row is better than the column"
    wide, narrow = (
        heatmap.panel(order, better, title=title, percent=True, narrow=narrow)
        for narrow in (False, True)
    )
    caption = (
        "How likely the embedder of a row is better than that of a column by more than the region, "
        "best mean rank first. What two cells that mirror each other lack to 100 is the chance "
        "that both are practically equivalent."
    )
    return Picture(f"equivalence-{name}", caption, (wide,), narrow=(narrow,))


def _grid(
    found: Mapping[tuple[str, str], Outlook],
    reference: str,
    order: Sequence[str],
    roles: Mapping[str, str],
) -> Grid:
    rows: list[tuple[Cell, ...]] = []
    for label in order:
        counts = Counter(found[label, other].verdict for other in order if other != label)
        chances = [NONE] * 3
        if label != reference:
            look = found[reference, label]
            chances = [chance(look.better), chance(look.equivalent), chance(look.worse)]
        name = Cell(label, role=roles[label], best=label == reference)
        rows.append((name, *cells([*chances, *(str(counts[verdict]) for verdict in _VERDICTS)])))
    caption = (
        f"Left: chances that {reference} is better than the embedder of the row, equivalent to it, "
        "or worse. Right: how many others the embedder of the row is better than, equivalent to or "
        f"worse than with a probability of {chance(SURE)} or more, and how many pairs are open."
    )
    titles = ["embedder", *_VERDICTS[:3], "better than", "equivalent to", "worse than", "open"]
    return Grid(
        caption,
        cells(titles),
        tuple(rows),
        "l" + "r" * 7,
        spans=(("", 1), ("reference", 3), ("among all", 4)),
    )
