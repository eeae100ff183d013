"""The chapter of a section about a chosen probe: candidates, and how often each was chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from molkd.benchmarks.probes import FLOOR
from molkd.benchmarks.records import Results, Score
from molkd.benchmarks.reports.document import Cell, Chapter, Grid
from molkd.benchmarks.reports.tables import cells
from molkd.benchmarks.statistics import Section
from molkd.benchmarks.statistics.chosen import candidates
from molkd.benchmarks.statistics.sentences import listed

_NAMED = 8  # embedders that are named one by one


def chapters(results: Results, section: Section) -> Iterator[Chapter]:
    """Yields one chapter, or none where a section is about a single probe.

    Args:
        results: with the scores that `statistics.chosen` adds.
        section: one of theirs.
    """
    names = candidates(section.probe)
    if len(names) < 2:
        return
    places = {
        place
        for task in results.tasks
        if (task.group, task.split) == (section.group, section.split)
        for place in task.places
    }
    scores = [score for score in results.full if score.valid and score.place in places]
    compared = len(section.table.embedders)
    rule = (
        "For every task, embedder and seed that probe counts which is best on the validation rows; "
        f"candidates are {listed(names)}, the same for all {compared} embedders. Test rows have no "
        "part in it. The settings of each candidate were chosen on the same rows, which favours "
        "candidates with many settings."
    )
    points = [rule, *_absent(scores, section, names)]
    yield Chapter("Probes chosen", points=tuple(points), grids=(_grid(results, scores, section),))


def _absent(scores: list[Score], section: Section, names: tuple[str, ...]) -> Iterator[str]:
    """Which probes are no candidates, and which embedders are not compared."""
    probed = [s for s in scores if len(candidates(s.probe)) == 1 and s.probe != FLOOR]
    others = list(dict.fromkeys(s.probe for s in probed if s.probe not in names))
    if others:
        yield (
            f"No candidate, for not every one of these embedders was asked with every seed: "
            f"{listed(others)}."
        )
    left = list(dict.fromkeys(s.embedder for s in probed))
    left = [label for label in left if label not in section.table.embedders]
    if left:
        more = [f"{len(left) - _NAMED} more"] if len(left) > _NAMED else []
        yield f"Not compared here, for they lack a candidate: {listed([*left[:_NAMED], *more])}."


def _grid(results: Results, scores: list[Score], section: Section) -> Grid:
    names = candidates(section.probe)
    by_key = {(s.embedder, s.key): s.probe for s in scores if s.probe in names}
    chosen = Counter(
        (s.embedder, by_key[s.embedder, s.key])
        for s in scores
        if s.probe == section.probe and s.task in section.table.tasks
    )
    roles = {record.label: record.role for record in results.embedders}
    rows = tuple(
        (
            Cell(label, role=roles[label]),
            *cells([f"{100 * chosen[label, name] / total:.0f} %" for name in names]),
        )
        for label in section.table.embedders
        if (total := sum(chosen[label, name] for name in names))
    )
    caption = "Share of the choices that fell on each candidate, over tasks, labels and seeds."
    return Grid(caption, cells(["embedder", *names]), rows, "l" + "r" * len(names))
