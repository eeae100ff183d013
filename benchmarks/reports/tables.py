"""The tables of a report."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from molkd.benchmarks.quality.cost_records import EmbeddingCost
from molkd.benchmarks.records import EmbedderRecord, Results, noun
from molkd.benchmarks.reports import costs as cost_cells
from molkd.benchmarks.reports.document import Cell, Grid
from molkd.benchmarks.reports.official import Line, number
from molkd.benchmarks.statistics import Comparison, Section
from molkd.benchmarks.statistics.published import Published

NONE = "\N{EN DASH}"
"""Stands where there is no number."""


def summary(
    section: Section,
    comparison: Comparison,
    embedders: Mapping[str, EmbedderRecord],
    costs: Mapping[str, EmbeddingCost],
) -> Grid:
    """One row per embedder, best mean rank first, with how the reference compares with it.

    What embedders cost stands beside where it was measured.
    """
    means = means_of(section, section.table.embedders)
    rows: list[tuple[Cell, ...]] = []
    for name in sorted(comparison.ranks, key=lambda name: comparison.ranks[name]):
        record = embedders[name]
        rows.append(
            (
                Cell(name, role=record.role, best=name == comparison.reference),
                Cell(record.role),
                Cell(f"{record.dim:,}"),
                Cell(weights(record.parameters)),
                *(cost_cells.cells_of(costs.get(name)) if costs else ()),
                *(column[name] for column in means.values()),
                Cell(f"{comparison.ranks[name]:.2f}"),
                *_against(comparison, name),
            )
        )
    titles = [
        *("embedder", "role", "dim", "weights", *(cost_cells.TITLES if costs else ())),
        *means,
        *("mean rank", "wins/ties/losses", "difference", "95 % interval", "p (Holm)"),
    ]
    return Grid(
        caption="Scores are means over tasks and seeds, best mean rank first. Wins to p: "
        f"the reference, {comparison.reference}, against the embedder of the row; a difference "
        "above zero favours the reference." + (f" {cost_cells.CAPTION}" if costs else ""),
        header=cells(titles),
        rows=tuple(rows),
        align="ll" + "r" * (len(titles) - 2),
    )


def means_of(section: Section, names: Sequence[str]) -> dict[str, dict[str, Cell]]:
    """Returns comparable metric, with its number of tasks -> label -> mean over tasks and seeds.

    Args:
        section: the scores.
        names: embedders of the section; the best of them stands out.
    """
    return {
        counted(metric, section.metrics.count(metric)): _best(
            {name: _mean(section, name, metric) for name in names}
        )
        for metric in dict.fromkeys(section.metrics)
    }


def counted(metric: str, count: int) -> str:
    """A metric as the title of a column of means."""
    return f"{metric} ({count} task{'s' * (count != 1)})"


def scores(lines: Sequence[Line], order: Sequence[str], roles: Mapping[str, str]) -> Grid:
    """One row per task and official metric, one column per embedder."""
    items = noun(line.modality for line in lines)
    rows = [
        (
            Cell(line.title),
            Cell(f"{line.metric} {'↑' if line.greater_is_better else '↓'}"),
            Cell(f"{line.compared:,}"),
            *(_score(line, name) for name in order),
        )
        for line in lines
    ]
    return Grid(
        caption="Official metric of each task on test rows, mean ± standard deviation over seeds; "
        f"↑ higher is better, ↓ lower is better. {items.capitalize()}: those that every embedder "
        "could embed. The best mean of a row stands out; whether it is better for sure is another "
        "question.",
        header=(*cells(["task", "metric", items]), *(Cell(n, role=roles[n]) for n in order)),
        rows=tuple(rows),
        align="llr" + "r" * len(order),
    )


def published(
    lines: Sequence[Line],
    order: Sequence[str],
    figures: Sequence[Published],
    roles: Mapping[str, str],
) -> Grid | None:
    """Figures of others beside ours, where task and metric agree; None where none does."""
    by_metric = {(line.task, line.metric): line for line in lines}
    fitting = [figure for figure in figures if (figure.task, figure.metric) in by_metric]
    if not fitting:
        return None
    sources = list(dict.fromkeys(figure.source for figure in fitting))
    values = {(f.task, f.metric, f.source): number(f.value, f.sd) for f in fitting}
    tasks = dict.fromkeys((figure.task, figure.metric) for figure in fitting)
    rows = [
        (
            Cell(task),
            Cell(f"{metric} {'↑' if by_metric[task, metric].greater_is_better else '↓'}"),
            *(Cell(_score(by_metric[task, metric], name).text) for name in order),
            *(Cell(values.get((task, metric, source), NONE)) for source in sources),
        )
        for task, metric in by_metric
        if (task, metric) in tasks
    ]
    return Grid(
        caption="Published figures come from other code, other splits or other probes than ours. "
        "They take no part in ranks, tests or conclusions.",
        header=(
            *cells(["task", "metric"]),
            *(Cell(name, role=roles[name]) for name in order),
            *cells(sources),
        ),
        rows=tuple(rows),
        align="ll" + "r" * (len(order) + len(sources)),
        spans=(("", 2), ("ours", len(order)), ("published, not ours", len(sources))),
        foreign=len(sources),
    )


def tasks(results: Results) -> Grid:
    """What was asked."""
    tests: dict[tuple[str, str], set[int]] = {}
    for score in results.full:
        tests.setdefault(score.place, set()).add(score.rows["test"])
    rows = [
        cells(
            [
                *(task.name, task.group, task.kind, task.metric, task.comparable, task.split),
                *(f"{count:,}" for count in (len(task.labels), task.items, task.compared)),
                _range({count for place in task.places for count in tests.get(place, ())}),
                task.digest[:12],
            ]
        )
        for task in results.tasks
    ]
    titles = ["task", "group", "kind", "metric", "comparable", "split"]
    titles += ["labels", results.noun, "compared", "test rows", "digest"]
    caption = (
        f"Compared: {results.noun} that every embedder could embed; all are scored on these. The "
        "comparable metric has no unit, and means, ranks and tests over tasks are computed from it."
    )
    return Grid(caption, cells(titles), tuple(rows), "llllllrrrrl")


def embedders(results: Results) -> Grid:
    """Who was asked."""
    rows = [
        (
            Cell(record.label, role=record.role),
            *cells(
                [
                    record.role,
                    record.spec,
                    f"{record.dim:,}",
                    weights(record.parameters),
                    f"{record.failed:,}",
                    record.digest[:12],
                ]
            ),
        )
        for record in results.embedders
    ]
    titles = ["embedder", "role", "made from", "dim", "weights", "failed", "digest"]
    return Grid(
        f"Failed: {results.noun} of all tasks without an embedding.",
        cells(titles),
        tuple(rows),
        "lllrrrl",
    )


def leakage(counts: Mapping[str, Mapping[str, int]]) -> Grid:
    """How many molecules of each task were in the corpus of the distillation."""
    parts = list(dict.fromkeys(part for count in counts.values() for part in count))
    rows = [
        cells([task, *(f"{count[part]:,}" if part in count else NONE for part in parts)])
        for task, count in counts.items()
    ]
    caption = (
        "Molecules of each task that the distillation corpus holds too, by the first block of "
        "their InChIKeys. Distillation sees no labels."
    )
    return Grid(caption, cells(["task", *parts]), tuple(rows), "l" + "r" * len(parts))


def provenance(results: Results) -> Grid:
    """Settings and versions."""
    entries = [("setting", name, json.dumps(value)) for name, value in results.run.settings.items()]
    entries += [("version", name, number) for name, number in results.run.versions.items()]
    seeds = sorted({score.seed for score in results.full})
    entries.append(("seeds", "of splits and probes", ", ".join(map(str, seeds))))
    rows = tuple(cells([name, kind, value]) for kind, name, value in entries)
    return Grid("What decides the numbers.", cells(["name", "kind", "value"]), rows, "lll")


def cells(texts: Sequence[str]) -> tuple[Cell, ...]:
    """Plain cells."""
    return tuple(map(Cell, texts))


def weights(count: float | None) -> str:
    """A number of weights in short."""
    if count is None:
        return "unknown"
    if count < 1e5:
        return f"{count:,.0f}"
    return f"{count / 1e6:.2f} M" if count < 1e9 else f"{count / 1e9:.2f} G"


def signed(value: float) -> str:
    """A difference with its sign and three decimals."""
    text = f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")
    return text if round(value, 3) else text[1:]


def interval(low: float, high: float) -> str:
    """Two ends of a difference."""
    return f"{signed(low)} to {signed(high)}"


def difference(mean: float, ends: Iterable[float] | None) -> str:
    """A difference with the two ends of its interval, or without where there are none."""
    return signed(mean) if ends is None else f"{signed(mean)} ({interval(*ends)})"


def p_value(p: float) -> str:
    """A p-value with three decimals."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _against(comparison: Comparison, name: str) -> tuple[Cell, ...]:
    if name == comparison.reference:
        return cells(["reference", NONE, NONE, NONE])
    against = comparison.against[name]
    ends = NONE
    if against.low is not None and against.high is not None:
        ends = interval(against.low, against.high)
    return cells(
        [
            f"{against.wins}/{against.ties}/{against.losses}",
            signed(against.mean_difference),
            ends,
            p_value(against.p_holm),
        ]
    )


def _mean(section: Section, name: str, metric: str) -> float:
    column = section.table.embedders.index(name)
    rows = [row for row, other in enumerate(section.metrics) if other == metric]
    return float(np.mean(section.table.values[rows, column]))


def _best(means: Mapping[str, float]) -> dict[str, Cell]:
    best = max(means.values())
    return {name: Cell(number(mean), best=mean == best) for name, mean in means.items()}


def _score(line: Line, name: str) -> Cell:
    score = line.scores.get(name)
    return Cell(NONE) if score is None else Cell(score.text, best=score.mean == line.best)


def _range(counts: set[int]) -> str:
    if not counts:
        return "left out"
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
