"""The chapters about learning curves: a figure, what few labels show, and tables with intervals."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import numpy as np

from molkd.benchmarks.records import Results
from molkd.benchmarks.reports import curve_plot
from molkd.benchmarks.reports.document import Cell, Chapter, Grid, Picture
from molkd.benchmarks.reports.official import number, with_ends
from molkd.benchmarks.reports.tables import cells, difference
from molkd.benchmarks.statistics.curves import Curve, curves
from molkd.benchmarks.statistics.sentences import listed
from molkd.benchmarks.statistics.sentences import number as short

_RULE = (
    "Of every draw the smaller parts are beginnings of the larger ones; test rows stay the same. "
    "There are no other labels: the labelled rows are cut into five parts, a probe is fitted "
    "without each of them and chosen on it, and the five predictions are averaged. Scores with all "
    "labels, elsewhere in this report, are of one fit: they are not the end of these curves."
)


def chapters(results: Results, roles: Mapping[str, str], reference: str) -> tuple[Chapter, ...]:
    """Returns one chapter per group and split that has learning curves.

    Args:
        results: the scores.
        roles: label -> role.
        reference: label that the others are compared with, where it has a curve.
    """
    found: list[Chapter] = []
    by_place = itertools.groupby(curves(results), key=lambda curve: (curve.group, curve.split))
    for number_, ((group, split), each) in enumerate(by_place, start=1):
        same = list(each)
        wide, narrow = (
            tuple(curve_plot.panel(curve, roles, reference, narrow=flag) for curve in same)
            for flag in (False, True)
        )
        caption = (
            "Mean score over tasks against the number of labelled rows, one line per embedder. "
            "Within a panel all points are means over the same tasks."
        )
        found.append(
            Chapter(
                title=f"{group}: learning curves, {split} split",
                lead=f"{_RULE} Draws are averaged: tasks are the sample, draws are not.",
                pictures=(Picture(f"curves-{number_}", caption, wide, narrow=narrow),),
                parts=tuple(_part(curve, roles, reference) for curve in same),
            )
        )
    return tuple(found)


def _part(curve: Curve, roles: Mapping[str, str], reference: str) -> Chapter:
    known = reference if reference in curve.embedders else curve.embedders[0]
    where = f"{curve_plot.tasks(len(curve.tasks))} with {curve.labelled[-1]:,} labels"
    return Chapter(
        title=f"{curve.probe} probe, {where}",
        points=tuple(_points(curve)),
        grids=(_means(curve, roles), *_leads(curve, roles, known)),
    )


def _points(curve: Curve) -> Iterator[str]:
    """What the smallest and the largest number of labels show."""
    means = curve.means
    floor = None if curve.floor is None else curve.floor.mean(axis=0)
    for column in dict.fromkeys((0, len(curve.labelled) - 1)):
        best = means[:, column].max()
        leaders = [
            w for w, mean in zip(curve.embedders, means[:, column], strict=True) if mean == best
        ]
        beside = "" if floor is None else f"; the floor has {short(float(floor[column]))}"
        yield (
            f"With {curve.labelled[column]:,} labelled rows {listed(leaders)} "
            f"{'have' if len(leaders) > 1 else 'has'} the best mean score, "
            f"{short(float(best))}{beside}."
        )
    yield from _not_above(curve)
    if curve.others:
        yield (
            f"Not among these tasks, for they lack {curve.labelled[-1]:,} labelled rows or a score "
            f"of every embedder: {listed(curve.others)}."
        )


def _not_above(curve: Curve) -> Iterator[str]:
    """Who is not shown to have learnt anything from the fewest labels."""
    if curve.floor is None:
        return
    _, ends = curve.less(curve.floor)
    if ends is None:
        return
    for column, count in enumerate(curve.labelled):
        low = [w for w, end in zip(curve.embedders, ends[0, :, column], strict=True) if end <= 0]
        if len(low) == len(curve.embedders):
            yield f"With {count:,} labelled rows no embedder is shown to be above the floor."
        elif low:
            yield f"With {count:,} labelled rows not shown to be above the floor: {listed(low)}."


def _means(curve: Curve, roles: Mapping[str, str]) -> Grid:
    _, ends = curve.less(np.zeros_like(curve.values[:, 0]))
    rows: list[tuple[Cell, ...]] = [
        (
            Cell(label, role=roles[label]),
            *(
                Cell(
                    with_ends(
                        curve.means[row, column], None if ends is None else ends[:, row, column]
                    ),
                    best=bool(curve.means[row, column] == curve.means[:, column].max()),
                )
                for column in range(len(curve.labelled))
            ),
        )
        for label, row in _ordered(curve)
    ]
    if curve.floor is not None:
        rows.append((Cell("floor"), *map(Cell, map(number, curve.floor.mean(axis=0)))))
    return Grid(
        caption=f"Mean score over {curve_plot.tasks(len(curve.tasks))} and {curve.draws} draws by "
        "number of labelled rows, with 95 % intervals over tasks. The floor is the mean of the "
        "training labels. Intervals of two embedders may overlap where their difference, paired "
        "over tasks, is sure.",
        header=cells(["embedder", *(f"{count:,}" for count in curve.labelled)]),
        rows=tuple(rows),
        align="l" + "r" * len(curve.labelled),
    )


def _leads(curve: Curve, roles: Mapping[str, str], reference: str) -> Iterator[Grid]:
    if len(curve.embedders) == 1:
        return
    own = curve.values[:, curve.embedders.index(reference)]
    apart, ends = curve.less(own)
    rows = tuple(
        (
            Cell(label, role=roles[label]),
            *(
                Cell(
                    difference(
                        -apart[row, column], None if ends is None else -ends[::-1, row, column]
                    )
                )
                for column in range(len(curve.labelled))
            ),
        )
        for label, row in _ordered(curve)
        if label != reference
    )
    yield Grid(
        caption=f"{reference} less the embedder of the row: mean difference, paired over tasks, "
        f"with 95 % intervals; above zero favours {reference}.",
        header=cells(["embedder", *(f"{count:,}" for count in curve.labelled)]),
        rows=rows,
        align="l" + "r" * len(curve.labelled),
    )


def _ordered(curve: Curve) -> list[tuple[str, int]]:
    """Labels and their places, best with most labels first."""
    places = sorted(range(len(curve.embedders)), key=lambda row: -curve.means[row, -1])
    return [(curve.embedders[row], row) for row in places]
