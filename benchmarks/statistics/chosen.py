"""The probe chosen on validation rows, as one more probe: what holds for others holds for it.

Scores are added to the results, under a name that lists the candidates. Nothing is fitted again.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from molkd.benchmarks.probes import FLOOR, PROBES
from molkd.benchmarks.records import Results, Score
from molkd.benchmarks.statistics.across_runs import over_runs

_NAME = re.compile(r"chosen \((.+)\)")
_ORDER = {name: place for place, name in enumerate(PROBES)}


def shown(results: Results) -> Results:
    """Returns what a report compares: recipes in the place of their training runs, and the choice.

    Raises:
        ConfigError: the training runs of an embedder do not fit together; see `over_runs`.
    """
    return with_chosen(over_runs(results))


def candidates(probe: str) -> tuple[str, ...]:
    """Returns the probes that the scores under a name were chosen from; of any other, itself."""
    listed = _NAME.fullmatch(probe)
    return tuple(listed[1].split(", ")) if listed else (probe,)


def with_chosen(results: Results) -> Results:
    """Adds the scores of the probe that is best on validation rows, for all whom two or more asked.

    For every label of a task, embedder and seed, that candidate counts whose comparable metric on
    the validation rows is highest, at a tie the first in `PROBES`; its test score is the one of the
    choice. All embedders under one name have the same candidates with the same seeds. Where
    probes asked different embedders or seeds, each such set gets a name of its own, with all probes
    that asked the whole of it. The floor is no candidate: it reads no embedding.

    Scores of validation rows in the place of test rows get no choice: to choose and to report on
    the same rows flatters, most of all where many candidates are tried.
    """
    if results.run.settings.get("part") == "valid":
        return results
    added: list[Score] = []
    for group, split in dict.fromkeys((task.group, task.split) for task in results.tasks):
        tasks = [task for task in results.tasks if (task.group, task.split) == (group, split)]
        metrics = {place: task.comparable for task in tasks for place in task.places}
        own = [s for s in results.full if s.place in metrics and metrics[s.place] in s.valid]
        added += _choices(
            [s for s in own if s.probe != FLOOR and not _NAME.match(s.probe)], metrics
        )
    return replace(results, scores=(*added, *results.scores))


def _choices(scores: Sequence[Score], metrics: Mapping[tuple[str, str], str]) -> Iterator[Score]:
    """Yields the choices of one group and split."""
    asked: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
    for score in scores:
        asked[score.probe].add((score.embedder, score.seed))
    everyone = {score.embedder for score in scores}
    for whom in dict.fromkeys(map(frozenset, asked.values())):
        fitting = [name for name in asked if asked[name] >= whom]
        names = sorted(fitting, key=lambda name: (_ORDER.get(name, len(_ORDER)), name))
        compared = {embedder for embedder, _ in whom}
        if len(names) > 1 and (len(compared) > 1 or compared == everyone):
            yield from _best([s for s in scores if (s.embedder, s.seed) in whom], names, metrics)


def _best(
    scores: Sequence[Score], names: Sequence[str], metrics: Mapping[tuple[str, str], str]
) -> Iterator[Score]:
    """Yields the best candidate of every cell that has all of them."""
    cells: defaultdict[tuple[str, ...], dict[str, Score]] = defaultdict(dict)
    for score in scores:
        place = (score.task, score.split, score.label, score.embedder, str(score.seed))
        cells[place][score.probe] = score
    for cell in cells.values():
        if all(name in cell for name in names):
            tried = [cell[name] for name in names]
            best = max(tried, key=lambda score: score.valid[metrics[score.place]])
            yield replace(best, probe=f"chosen ({', '.join(names)})")
