"""The chapter of a report about what teachers have seen of the tasks, and ranks without it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from molkd.benchmarks.embedders.sources import sources_of
from molkd.benchmarks.embedders.training_data import NOTHING, seen_by
from molkd.benchmarks.records import EmbedderRecord, Results
from molkd.benchmarks.reports.document import Cell, Chapter, Grid
from molkd.benchmarks.reports.official import number
from molkd.benchmarks.reports.tables import NONE, cells
from molkd.benchmarks.statistics import Section
from molkd.benchmarks.statistics.sentences import listed
from molkd.benchmarks.statistics.significance import Values, mean_ranks
from molkd.benchmarks.tasks.label_sources import LabelSource, label_source

_Figures = tuple[Values, Values]
"""Shapes (e,): means over tasks, and mean ranks; NaN without a task."""

_NAMED = 8  # tasks or embedders that are named one by one
_MARK = "\N{DAGGER}"


@dataclass(frozen=True, slots=True)
class _Past:
    """What an embedder brings along.

    Attributes:
        sources: models that it was made from.
        labels: collection of measured labels -> the sources that saw them.
        unknown: sources whose training nobody has described.
    """

    sources: tuple[str, ...]
    labels: Mapping[str, tuple[str, ...]]
    unknown: tuple[str, ...]

    @classmethod
    def of(cls, record: EmbedderRecord) -> _Past:
        sources = record.sources or sources_of(record.spec)
        seen = {source: seen_by(source) for source in sources}
        labels: dict[str, tuple[str, ...]] = {}
        for source, data in seen.items():
            for collection in data.labels if data else ():
                labels[collection] = (*labels.get(collection, ()), source)
        return cls(sources, labels, tuple(s for s, data in seen.items() if data is None))

    @property
    def text(self) -> str:
        """The collections, for a table."""
        return ", ".join([*self.labels, *["unknown"] * bool(self.unknown)]) or NONE


def chapters(results: Results, sections: Sequence[Section]) -> Iterator[Chapter]:
    """Yields one chapter, or none where no embedder was trained on anything but structures.

    Args:
        results: the scores.
        sections: of the results; those with tasks whose labels come from a collection that
            teachers are trained on are tabled with and without these.
    """
    if results.noun != "molecules":
        return
    pasts = {record.label: _Past.of(record) for record in results.embedders}
    if not any(past.labels or past.unknown for past in pasts.values()):
        return
    yield Chapter(
        "Contamination",
        lead="Which labels and molecules of the tasks teachers may have seen in training. "
        "A student has seen what its teachers have, through them. That labels may be among those "
        "of a training does not say that they are; and labels from the literature, as of hERG, may "
        "be among ChEMBL's, which nobody has measured.",
        points=tuple(_points(results, pasts)),
        grids=(_seen(results, pasts),),
        parts=tuple(
            _apart(results, section, pasts, touched)
            for section in sections
            if (touched := _touched(section))
        ),
    )


def _touched(section: Section) -> dict[LabelSource, list[int]]:
    """Source of labels -> rows of its tasks in the table, where a source is stated."""
    found: dict[LabelSource, list[int]] = {}
    for row, task in enumerate(section.table.tasks):
        source = label_source(section.group, task)
        if source is not None:
            found.setdefault(source, []).append(row)
    return found


def _points(results: Results, pasts: Mapping[str, _Past]) -> Iterator[str]:
    for source, tasks in _stated(results).items():
        yield f"Labels from {source.name}: {_several(tasks)}."
    for label, past in pasts.items():
        if past.labels and past.sources != (label,) and len(past.sources) > 1:
            through = [f"{c} through {_several(s)}" for c, s in past.labels.items()]
            yield f"{label} may have seen labels of {listed(through)}."
    unknown = [label for label, past in pasts.items() if past.unknown]
    if unknown:
        yield (
            f"Nobody has said what {_several(unknown)} "
            f"{'were' if len(unknown) > 1 else 'was'} trained on: unknown is not none."
        )


def _several(names: Sequence[str]) -> str:
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return listed([*names[:_NAMED], *more])


def _seen(results: Results, pasts: Mapping[str, _Past]) -> Grid:
    """One row per model that was trained, or whose training is unknown; the others in a row."""
    sources = list(dict.fromkeys(source for past in pasts.values() for source in past.sources))
    stated = _stated(results)
    rows: list[tuple[Cell, ...]] = []
    for source in sources:
        data = seen_by(source)
        if data is None:
            rows.append(cells([source, *["unknown"] * 4, NONE]))
        elif data is not NOTHING:
            held = [s for s in stated if {*s.collections} & {*data.labels}]
            touched = ", ".join(f"{s.name}: {len(stated[s])}" for s in held)
            about = [", ".join(data.labels), touched, data.other]
            about = [text or NONE for text in about]
            rows.append(cells([source, *about, data.molecules, data.source]))
    plain = [source for source in sources if seen_by(source) is NOTHING]
    if plain:
        rows.append(cells([", ".join(plain), *["nothing"] * 4, NOTHING.source]))
    titles = ["teacher", "assay labels of", "tasks whose labels may be seen", "other targets"]
    titles += ["molecules, which may be those of tasks", "stated by"]
    caption = (
        "What each teacher was trained on, and of how many tasks the labels may be among it, by "
        "where they come from."
    )
    return Grid(caption, cells(titles), tuple(rows), "l" * len(titles))


def _stated(results: Results) -> dict[LabelSource, list[str]]:
    """Source of labels -> its tasks."""
    found: dict[LabelSource, list[str]] = {}
    for task in results.tasks:
        source = label_source(task.group, task.name)
        if source is not None and task.compared:
            found.setdefault(source, []).append(task.name.rpartition(":")[2])
    return found


def _apart(
    results: Results,
    section: Section,
    pasts: Mapping[str, _Past],
    touched: Mapping[LabelSource, Sequence[int]],
) -> Chapter:
    """A section's means and ranks with and without the tasks that were touched, and these apart."""
    every = list(range(len(section.table.tasks)))
    without = [row for row in every if not any(row in rows for rows in touched.values())]
    parts = {"all": every, "without": without}
    parts |= {source.name: list(rows) for source, rows in touched.items()}
    holders = {source.name: frozenset(source.collections) for source in touched}
    figures = {part: _figures(section, rows) for part, rows in parts.items()}
    roles = {record.label: record.role for record in results.embedders}
    titles = ["embedder", "labels seen of", *["mean score", "mean rank"] * len(parts)]
    caption = (
        "Mean scores and ranks on all tasks, without those whose labels come from a collection "
        "that teachers are trained on, and on these by where their labels come from, with the "
        f"number of tasks. {_MARK}: the labels may be among those of its training."
    )
    grid = Grid(
        caption,
        cells(titles),
        tuple(_rows(section, pasts, roles, figures, holders)),
        "ll" + "r" * (len(titles) - 2),
        spans=(("", 2), *((f"{part} ({len(rows)})", 2) for part, rows in parts.items())),
    )
    return Chapter(
        f"{section.group}: {section.probe} {section.way}, {section.split} split",
        points=tuple(_changes(section, pasts, parts, figures)),
        grids=(grid,),
    )


def _rows(
    section: Section,
    pasts: Mapping[str, _Past],
    roles: Mapping[str, str],
    figures: Mapping[str, _Figures],
    holders: Mapping[str, frozenset[str]],
) -> Iterator[tuple[Cell, ...]]:
    """One row per embedder, best mean rank on all tasks first."""
    labels, (_, ranks) = section.table.embedders, figures["all"]
    for column in np.argsort(ranks, kind="stable").tolist():
        label = labels[column]
        row = [Cell(label, role=roles[label]), Cell(pasts[label].text)]
        for part, (means, part_ranks) in figures.items():
            mark = _MARK if holders.get(part, frozenset()) & pasts[label].labels.keys() else ""
            score, rank = float(means[column]), float(part_ranks[column])
            row += cells([NONE] * 2 if np.isnan(rank) else [number(score) + mark, f"{rank:.2f}"])
        yield tuple(row)


def _figures(section: Section, rows: Sequence[int]) -> _Figures:
    """Of some tasks of a section."""
    if not rows:
        nothing = np.full(len(section.table.embedders), np.nan)
        return nothing, nothing
    means = section.table.means[list(rows)]
    return means.mean(axis=0), mean_ranks(means)


def _changes(
    section: Section,
    pasts: Mapping[str, _Past],
    parts: Mapping[str, Sequence[int]],
    figures: Mapping[str, _Figures],
) -> Iterator[str]:
    labels, left = section.table.embedders, len(parts["without"])
    if not left:
        yield "The labels of every task come from such a collection: no task is left without."
        return
    (_, whole), (_, clean) = figures["all"], figures["without"]
    first, then = labels[int(np.argmin(whole))], labels[int(np.argmin(clean))]
    on_all = f"{first} has the best mean rank on all {len(parts['all'])} tasks"
    if first == then:
        yield f"{on_all}, and on the {left} whose labels come from no such collection."
    else:
        yield f"{on_all}, but {then} on the {left} whose labels come from no such collection."
    moved = [
        (label, float(whole[place]), float(clean[place]))
        for place, label in enumerate(labels)
        if pasts[label].labels
    ]
    for label, before, after in sorted(moved, key=lambda m: -abs(m[2] - m[1]))[:_NAMED]:
        yield f"{label}, which may have seen labels: mean rank {before:.2f}, without {after:.2f}."
