"""The chapters about subsets of the test rows: activity cliffs apart from the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from molkd.benchmarks import statistics
from molkd.benchmarks.records import Results
from molkd.benchmarks.reports.document import Cell, Chapter, Grid
from molkd.benchmarks.reports.official import with_ends
from molkd.benchmarks.reports.tables import NONE, cells, difference
from molkd.benchmarks.statistics.sentences import decided, listed
from molkd.benchmarks.statistics.sentences import number as short
from molkd.benchmarks.statistics.significance import Values, intervals
from molkd.benchmarks.statistics.subsets import SubsetScores, subsets
from molkd.benchmarks.tasks.metrics import METRICS


def chapters(results: Results, roles: Mapping[str, str], reference: str) -> tuple[Chapter, ...]:
    """Returns one chapter per group, split, probe and subset.

    Args:
        results: the scores.
        roles: label -> role.
        reference: label that the others are compared with on the subset, where it has scores.
    """
    return tuple(
        Chapter(
            title=f"{each.group}: {each.subset} apart, {each.probe}, {each.split} split",
            lead=f"{each.metric} on all test rows, on {each.subset} and on the rest: means over "
            f"{len(each.tasks)} tasks and all seeds.",
            points=tuple(_points(each, reference)),
            grids=(_grid(each, roles),),
        )
        for each in subsets(results)
    )


def _points(each: SubsetScores, reference: str) -> Iterator[str]:
    yield f"On {each.subset} {_best(each, each.within)}; on all rows {_best(each, each.whole)}."
    if each.rest is None:
        yield (
            f"What the rest of the rows gives is not known: the results do not tell how many rows "
            f"belong to {each.subset}. The same command run again adds it, and computes nothing "
            "else again."
        )
    else:
        yield f"On the rest {_best(each, each.rest)}."
        yield from _excess(each, each.rest)
    who = reference if reference in each.embedders else each.embedders[0]
    compared = statistics.compare(each.table, who).against
    for verdict, words in ((1, "better"), (-1, "worse"), (0, "not shown to be better or worse")):
        labels = [label for label, against in compared.items() if decided(against) == verdict]
        if labels:
            yield f"On {each.subset} {who} is {words} than {listed(labels)}."


def _best(each: SubsetScores, values: Values) -> str:
    means = values.mean(axis=0)
    best = means.max() if METRICS[each.metric].greater_is_better else means.min()
    leaders = [label for label, mean in zip(each.embedders, means, strict=True) if mean == best]
    have = "have" if len(leaders) > 1 else "has"
    return f"{listed(leaders)} {have} the best mean {each.metric}, {short(float(best))}"


def _excess(each: SubsetScores, rest: Values) -> Iterator[str]:
    """How much the subset differs from the rest, for whom least and for whom most."""
    apart = (each.within - rest).mean(axis=0)
    least, most = int(np.abs(apart).argmin()), int(np.abs(apart).argmax())
    yield (
        f"{each.metric} on {each.subset} differs from that on the rest by "
        f"{short(float(apart[least]))} ({each.embedders[least]}) to {short(float(apart[most]))} "
        f"({each.embedders[most]})."
    )


def _grid(each: SubsetScores, roles: Mapping[str, str]) -> Grid:
    shown = [_column(values, with_ends) for values in (each.whole, each.within)]
    if each.rest is None:
        shown += [[NONE] * len(each.embedders)] * 2
    else:
        shown += [_column(each.rest, with_ends), _column(each.within - each.rest, difference)]
    means = each.within.mean(axis=0)
    sign = -1 if METRICS[each.metric].greater_is_better else 1
    order = sorted(range(len(each.embedders)), key=lambda row: sign * means[row])
    arrow = "↑" if METRICS[each.metric].greater_is_better else "↓"
    return Grid(
        caption=f"Mean {each.metric} {arrow} over tasks, with 95 % intervals over tasks, best on "
        f"{each.subset} first. Means need one unit of all tasks, as a benchmark of logarithms of "
        "concentrations has. The rest follows from both others and the numbers of rows.",
        header=cells(["embedder", "all", each.subset, "the rest", f"{each.subset} less the rest"]),
        rows=tuple(
            (
                Cell(each.embedders[row], role=roles[each.embedders[row]]),
                *cells([column[row] for column in shown]),
            )
            for row in order
        ),
        align="lrrrr",
    )


def _column(values: Values, words: Callable[[float, Iterable[float] | None], str]) -> list[str]:
    """One cell per embedder, of values of shape (t, e): the mean over tasks with its interval."""
    ends = intervals(values, seed=0)
    return [
        words(float(mean), None if ends is None else ends[:, row].tolist())
        for row, mean in enumerate(values.mean(axis=0))
    ]
