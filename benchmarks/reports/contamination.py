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
from molkd.benchmarks.statistics.significance import mean_ranks
from molkd.benchmarks.tasks.label_sources import LabelSource, label_source

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
        sections: of the results; those with tasks whose labels an embedder may have seen are
            tabled with and without these.
    """
    if results.noun != "molecules":
        return
    pasts = {record.label: _Past.of(record) for record in results.embedders}
    if not any(past.labels or past.unknown for past in pasts.values()):
        return
    touched = [(section, _touched(section, pasts)) for section in sections]
    yield Chapter(
        "Contamination",
        lead="Which labels and molecules of the tasks teachers may have seen in training. "
        "A student has seen what its teachers have, through them. That labels may be among those "
        "of a training does not say that they are.",
        points=tuple(_points(pasts)),
        grids=(_seen(results, pasts),),
        parts=tuple(_apart(results, section, pasts, parts) for section, parts in touched if parts),
    )


def _touched(section: Section, pasts: Mapping[str, _Past]) -> dict[LabelSource, list[int]]:
    """Source of labels that an embedder may have seen -> rows of its tasks in the table."""
    seen = {c for label in section.table.embedders for c in pasts[label].labels}
    found: dict[LabelSource, list[int]] = {}
    for row, task in enumerate(section.table.tasks):
        source = label_source(section.group, task)
        if source is not None and source.collection in seen:
            found.setdefault(source, []).append(row)
    return found


def _points(pasts: Mapping[str, _Past]) -> Iterator[str]:
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
    tasks = [(task.group, task.name) for task in results.tasks if task.compared]
    rows: list[tuple[Cell, ...]] = []
    for source in sources:
        data = seen_by(source)
        if data is None:
            rows.append(cells([source, *["unknown"] * 4, NONE]))
        elif data is not NOTHING:
            touched = ", ".join(_tasks_of(data.labels, tasks)) or NONE
            labels, other = ", ".join(data.labels) or NONE, data.other or NONE
            rows.append(cells([source, labels, touched, other, data.molecules, data.source]))
    plain = [source for source in sources if seen_by(source) is NOTHING]
    if plain:
        rows.append(cells([", ".join(plain), *["nothing"] * 4, NOTHING.source]))
    titles = ["teacher", "assay labels of", "labels may be seen", "other targets"]
    titles += ["molecules, which may be those of tasks", "stated by"]
    caption = "What each teacher was trained on, and the tasks whose labels may be among it."
    return Grid(caption, cells(titles), tuple(rows), "l" * len(titles))


def _tasks_of(collections: Sequence[str], tasks: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Tasks whose labels come from one of the collections; all of a group by its name."""
    for group in dict.fromkeys(group for group, _ in tasks):
        names = [name for other, name in tasks if other == group]
        sources = {name: label_source(group, name) for name in names}
        touched = [
            n for n, source in sources.items() if source and source.collection in collections
        ]
        if touched and len(touched) == len(names):
            yield f"all {len(names)} of {group}"
        else:
            yield from touched


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
    parts |= {f"{source.collection}, {source.about}": list(r) for source, r in touched.items()}
    figures = {part: _figures(section, rows) for part, rows in parts.items()}
    roles = {record.label: record.role for record in results.embedders}
    ranks = dict(zip(section.table.embedders, figures["all"][1], strict=True))
    rows: list[tuple[Cell, ...]] = []
    for column, label in sorted(enumerate(section.table.embedders), key=lambda e: ranks[e[1]]):
        row = [Cell(label, role=roles[label]), Cell(pasts[label].text)]
        for part, (means, part_ranks) in figures.items():
            mark = _MARK if part.partition(",")[0] in pasts[label].labels else ""
            values = (number(float(means[column])) + mark, f"{part_ranks[column]:.2f}")
            row += cells(values if parts[part] else [NONE, NONE])
        rows.append(tuple(row))
    titles = ["embedder", "labels seen of", *["mean score", "mean rank"] * len(parts)]
    spans = [("", 2), *((f"{part} ({len(rows)})", 2) for part, rows in parts.items())]
    caption = (
        "Mean scores and ranks on all tasks, on those whose labels nobody here is known to have "
        "seen, and on the others by where their labels come from, with the number of tasks. "
        f"{_MARK}: the labels may be among those of its training."
    )
    return Chapter(
        f"{section.group}: {section.probe} {section.way}, {section.split} split",
        points=tuple(_changes(section, pasts, parts, figures)),
        grids=(
            Grid(caption, cells(titles), tuple(rows), "ll" + "r" * (len(titles) - 2), tuple(spans)),
        ),
    )


def _figures(section: Section, rows: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Shapes (e,): means over tasks, and mean ranks; NaN without a task."""
    if not rows:
        nothing = np.full(len(section.table.embedders), np.nan)
        return nothing, nothing
    means = section.table.means[list(rows)]
    return means.mean(axis=0), mean_ranks(means)


def _changes(
    section: Section,
    pasts: Mapping[str, _Past],
    parts: Mapping[str, Sequence[int]],
    figures: Mapping[str, tuple[np.ndarray, np.ndarray]],
) -> Iterator[str]:
    labels, left = section.table.embedders, len(parts["without"])
    if not left:
        yield "Every task of this section has labels that an embedder may have seen: none is left."
        return
    (_, whole), (_, clean) = figures["all"], figures["without"]
    first, then = labels[int(np.argmin(whole))], labels[int(np.argmin(clean))]
    count = len(parts["all"])
    if first == then:
        yield f"{first} has the best mean rank on all {count} tasks and on the {left} untouched."
    else:
        yield (
            f"{first} has the best mean rank on all {count} tasks, {then} on the {left} whose "
            "labels nobody here is known to have seen."
        )
    moved = [
        (label, float(whole[place]), float(clean[place]))
        for place, label in enumerate(labels)
        if pasts[label].labels
    ]
    for label, before, after in sorted(moved, key=lambda m: -abs(m[2] - m[1]))[:_NAMED]:
        yield f"{label}, which may have seen labels: mean rank {before:.2f}, without {after:.2f}."
