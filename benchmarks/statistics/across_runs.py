"""What training again would change: embedders paired over the seeds of their training runs.

Tests over tasks ask whether a finding holds for other tasks; these ask whether it holds for other
training runs on the same ones. Neither answers the other's question. Embedders labelled
NAME#0, NAME#1, ... are training runs of one recipe, which takes their place in a report.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from scipy.stats import t as student

from molkd.benchmarks.records import EmbedderRecord, Results, recipe_of
from molkd.benchmarks.statistics import ScoreTable
from molkd.benchmarks.statistics.significance import ALPHA, Values, holm
from molkd.errors import ConfigError
from molkd.types import digest_of

_NO_SPREAD = 1e-12  # equal scores that were added up in another order are equal


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedRuns:
    """The reference against one other embedder, paired over seeds.

    Attributes:
        runs: training runs of the reference.
        ahead: runs in which the reference has the higher mean over tasks.
        mean_difference: mean over tasks and runs, reference minus other.
        low: lower end of Student's interval for the mean over runs.
        high: upper end.
        p: of the two-sided paired t-test.
        p_holm: the same, corrected for the number of embedders compared with the reference.
        by_task: task -> mean difference and its interval.
    """

    runs: int
    ahead: int
    mean_difference: float
    low: float
    high: float
    p: float
    p_holm: float
    by_task: Mapping[str, tuple[float, float, float]]

    @property
    def decided(self) -> int:
        """1 where the reference is better, -1 where it is worse, 0 where neither is shown."""
        if self.p_holm >= ALPHA:
            return 0
        return 1 if self.mean_difference > 0 else -1


def recipes(labels: Iterable[str]) -> dict[str, list[str]]:
    """Returns the name of each recipe -> labels of its training runs, by their numbers.

    What was trained once, or not at all, is a recipe of one run.

    Raises:
        ConfigError: a name is also the label of an embedder, or two recipes have several runs each,
            but not equally many.
    """
    found: dict[str, list[str]] = {}
    for label in labels:
        found.setdefault(recipe_of(label), []).append(label)
    for name, runs in found.items():
        if name in runs and len(runs) > 1:
            raise ConfigError(
                f"{name} is an embedder, and the name of the training runs {', '.join(runs)}: give "
                "one of them another label"
            )
        runs.sort(key=lambda label: int(label.removeprefix(name + "#") if label != name else 0))
    several = {name: len(runs) for name, runs in found.items() if len(runs) > 1}
    if len(set(several.values())) > 1:
        counted = ", ".join(f"{count} of {name}" for name, count in several.items())
        raise ConfigError(
            f"training runs: {counted}; compare recipes of equally many runs, or of one"
        )
    return found


def over_runs(results: Results) -> Results:
    """Returns the same with each recipe as one embedder, and a column per training run and seed.

    What was trained once has the same scores in every run; keys tell that they are the same. Seeds
    of the first run come first, then those of the second.

    Raises:
        ConfigError: see `recipes`; or the runs of a recipe were not asked the same.
    """
    records = {record.label: record for record in results.embedders}
    runs = recipes(records)
    if list(runs) == list(records):
        return results
    count = max(map(len, runs.values()))
    span = 1 + max((score.seed for score in results.scores), default=0)
    columns = {
        label: (name, [place] if len(labels) > 1 else range(count))
        for name, labels in runs.items()
        for place, label in enumerate(labels)
    }
    _refuse_ragged(results, runs)
    return replace(
        results,
        embedders=tuple(_one(name, [records[run] for run in own]) for name, own in runs.items()),
        scores=tuple(
            replace(score, embedder=columns[score.embedder][0], seed=run * span + score.seed)
            for score in results.scores
            for run in columns[score.embedder][1]
        ),
    )


def _one(name: str, runs: Sequence[EmbedderRecord]) -> EmbedderRecord:
    """The record of a recipe."""
    if len(runs) == 1:
        return replace(runs[0], label=name)
    return replace(
        runs[0],
        label=name,
        spec=" | ".join(record.spec for record in runs),
        digest=digest_of([record.digest for record in runs]),
        runs=len(runs),
    )


def _refuse_ragged(results: Results, runs: Mapping[str, Sequence[str]]) -> None:
    asked: dict[str, set[tuple[object, ...]]] = {}
    for s in results.scores:
        place = (s.task, s.label, s.split, s.probe, s.seed, s.labelled)
        asked.setdefault(s.embedder, set()).add(place)
    for name, own in runs.items():
        first = asked.get(own[0])
        for label in own:
            if asked.get(label) != first:
                raise ConfigError(
                    f"{own[0]} and {label} are training runs of {name}, but have scores of other "
                    "tasks, probes or seeds: ask all runs the same"
                )


def paired_runs(
    table: ScoreTable, reference: str, runs: Mapping[str, int]
) -> dict[str, PairedRuns]:
    """Compares an embedder that was trained several times with every other.

    An embedder that was trained once, as a teacher, is the same for every run: against it the
    spread is that of the reference alone. Seeds of one run are averaged.

    Args:
        table: the scores; seeds of the first run first, as many of each.
        reference: one of its embedders.
        runs: label -> number of training runs behind its scores.

    Returns:
        Label of every other embedder -> comparison; nothing where the reference was trained
        once, or where runs do not divide the seeds.
    """
    count, (*shape, seeds) = runs.get(reference, 1), table.values.shape
    if count < 2 or seeds % count:
        return {}
    values = table.values.reshape(*shape, count, -1).mean(axis=3)
    own = values[:, table.embedders.index(reference)]
    apart = {
        label: own - values[:, column]
        for column, label in enumerate(table.embedders)
        if label != reference
    }
    tests = {label: paired_t(difference.mean(axis=0)) for label, difference in apart.items()}
    corrected = holm({label: p for label, (_, _, _, p) in tests.items()})
    return {
        label: PairedRuns(
            runs=count,
            ahead=int((apart[label].mean(axis=0) > 0).sum()),
            mean_difference=mean,
            low=low,
            high=high,
            p=p,
            p_holm=corrected[label],
            by_task={
                task: paired_t(row)[:3] for task, row in zip(table.tasks, apart[label], strict=True)
            },
        )
        for label, (mean, low, high, p) in tests.items()
    }


def paired_t(difference: Values) -> tuple[float, float, float, float]:
    """Returns the mean, its interval, and p of Student's t-test that it is zero.

    Args:
        difference: shape (n,), n at least 2; without spread they are sure.
    """
    runs, mean = len(difference), float(difference.mean())
    error = float(difference.std(ddof=1)) / math.sqrt(runs)
    if error < _NO_SPREAD:
        return mean, mean, mean, float(abs(mean) < _NO_SPREAD)
    half = error * float(student.ppf(1 - ALPHA / 2, runs - 1))
    return mean, mean - half, mean + half, 2 * float(student.sf(abs(mean) / error, runs - 1))
