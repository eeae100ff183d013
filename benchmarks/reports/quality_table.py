"""Quality against speed against size, as a table, with what others have published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from molkd.benchmarks.quality.cost_records import EmbeddingCost
from molkd.benchmarks.records import EmbedderRecord
from molkd.benchmarks.reports import costs as cost_cells
from molkd.benchmarks.reports.document import Cell, Grid
from molkd.benchmarks.reports.official import Line, number
from molkd.benchmarks.reports.tables import NONE, cells, counted, means_of
from molkd.benchmarks.statistics import Comparison, Section
from molkd.benchmarks.statistics.chosen import candidates
from molkd.benchmarks.statistics.published import Published
from molkd.errors import ConfigError, UnknownNameError
from molkd.runtime.registry import near


@dataclass(frozen=True, slots=True)
class Sources:
    """What stands beside the scores.

    Attributes:
        embedders: label -> record.
        rates: label -> items per second, of those that were timed.
        costs: label -> cost, for the megabytes.
        published: figures of others, of any benchmark.
    """

    embedders: Mapping[str, EmbedderRecord]
    rates: Mapping[str, float]
    costs: Mapping[str, EmbeddingCost]
    published: Sequence[Published] = ()


def section_of(
    sections: Sequence[Section], names: Sequence[str], *, group: str | None = None
) -> Section:
    """Returns the section of a table: of most candidates for the probe, with all names.

    Args:
        sections: of the results.
        names: labels of embedders.
        group: the benchmark; by default the first.

    Raises:
        ConfigError: no section compares all these embedders.
        UnknownNameError: there is no such group.
    """
    groups = [section.group for section in sections]
    if group is not None and group not in groups:
        raise UnknownNameError(f"no scores of {group!r}{near(group, groups)}")
    own = [each for each in sections if each.group == (group or groups[0])]
    fitting = [each for each in own if set(names) <= set(each.table.embedders)]
    if not fitting:
        raise ConfigError(
            f"no probe of {own[0].group} asked all of {', '.join(names)}: leave some out, or ask "
            "them the same probes"
        )
    return max(fitting, key=lambda each: (len(candidates(each.probe)), len(each.table.embedders)))


def grid(
    sources: Sources,
    section: Section,
    comparison: Comparison,
    lines: Sequence[Line],
    names: Sequence[str] = (),
) -> Grid:
    """One row per embedder, best mean rank first, then one per published source.

    Args:
        sources: what stands beside the scores.
        section: the scores.
        comparison: of the section's table.
        lines: official scores of the section.
        names: labels and published sources that get a row; by default all. The best of the
            embedders that are shown stand out.
    """
    figures = [figure for figure in sources.published if figure.group == section.group]
    foreign = published_means(lines, figures)
    order = sorted(comparison.ranks, key=comparison.ranks.__getitem__)
    shown = [name for name in order if not names or name in names]
    means = means_of(section, shown)
    rows: list[tuple[Cell, ...]] = []
    for name in shown:
        record, cost, rank = (
            sources.embedders[name],
            sources.costs.get(name),
            comparison.ranks[name],
        )
        figure = cost_cells.figure
        about = [figure(cost.megabytes if cost else None), figure(sources.rates.get(name))]
        rows.append(
            (
                Cell(name, role=record.role),
                *cells([f"{record.dim:,}", *about]),
                *(column[name] for column in means.values()),
                Cell(f"{rank:.2f}", best=name == shown[0]),
                *_foreign(name, foreign),
            )
        )
    for source in dict.fromkeys(figure.source for figure in figures):
        if not names or source in names:
            empty = [NONE] * (4 + len(means))
            rows.append((Cell(f"published: {source}"), *cells(empty), *_foreign(source, foreign)))
    titles = ["embedder", "dim", "MB", "per second", *means]
    titles += [f"mean rank of {len(order)}", *foreign]
    caption = (
        f"{section.group}, {section.probe} {section.way}, {section.split} split: means over tasks "
        "and seeds, best mean rank first. Per second: items, from what a user has to embedding. "
        "MB: files of weights."
    )
    if foreign:
        caption += (
            " Published figures come from other code, splits or probes; their columns hold the "
            "official metric on the tasks that all sources have, ours beside, and are never ranked."
        )
    return Grid(caption, cells(titles), tuple(rows), "l" + "r" * (len(titles) - 1))


def published_means(
    lines: Sequence[Line], figures: Sequence[Published]
) -> dict[str, dict[str, float]]:
    """Returns official metric, with its tasks -> source or label of ours -> mean over these tasks.

    Args:
        lines: our scores.
        figures: of others, for the same benchmark. Tasks count that all sources with this metric
            have; metrics with a unit, which are errors, have no means over tasks.
    """
    values = {(f.metric, f.source, f.task): f.value for f in figures}
    found: dict[str, dict[str, float]] = {}
    for metric in dict.fromkeys(line.metric for line in lines if line.greater_is_better):
        sources = list(dict.fromkeys(f.source for f in figures if f.metric == metric))
        own = [
            line
            for line in lines
            if line.metric == metric and all((metric, s, line.task) in values for s in sources)
        ]
        if sources and own:
            ours = set.intersection(*(set(line.scores) for line in own))
            sums = {s: sum(values[metric, s, line.task] for line in own) for s in sources}
            sums |= {label: sum(line.scores[label].mean for line in own) for label in ours}
            title = f"published: {counted(metric, len(own))}"
            found[title] = {name: total / len(own) for name, total in sums.items()}
    return found


def _foreign(name: str, foreign: Mapping[str, Mapping[str, float]]) -> tuple[Cell, ...]:
    columns = foreign.values()
    return cells([number(column[name]) if name in column else NONE for column in columns])
