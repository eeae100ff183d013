"""What a comparison shows and what it does not, in plain sentences."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from molkd.benchmarks.statistics import Against, Comparison, Section, cliques, differences
from molkd.benchmarks.statistics.significance import ALPHA, Values, holm, signed_rank_p

FEW_TASKS = 10
"""Below so many tasks, intervals are markedly too narrow and tests find large differences alone."""

_SHOWN = 3  # tasks that are named one by one


def sentences(section: Section, comparison: Comparison) -> list[str]:
    """Returns plain sentences, one per finding or caveat: the whole, each pair, what limits both.

    One embedder is called better than another where the tasks agree (Wilcoxon's test after Holm's
    correction), the interval of the mean difference leaves zero out, and both point the same way;
    all else is called undecided. Tasks without which a finding would not stand are named.

    Args:
        section: the scores.
        comparison: of the section's table.
    """
    apart = differences(section.table, comparison.reference)
    hinges = _hinges(comparison, apart, section.table.tasks)
    lines = list(_overall(section, comparison))
    for label, against in comparison.against.items():
        lines.append(_pair(comparison.reference, label, against, len(comparison.against)))
        lines += hinges[label]
    return [*lines, *_caveats(section, comparison)]


def decided(against: Against) -> int:
    """Returns 1 where the reference is better, -1 where it is worse, 0 where neither is shown."""
    if against.p_holm >= ALPHA or against.low is None or against.high is None:
        return 0
    if against.low > 0 and against.wins > against.losses:
        return 1
    return -1 if against.high < 0 and against.wins < against.losses else 0


def number(value: float) -> str:
    """Returns a score or a difference with three decimals and no zero before the point."""
    text = f"{round(value, 3) + 0.0:.3f}"
    return re.sub(r"^(-?)0\.", r"\1.", text)


def p_value(p: float) -> str:
    """Returns "p = .012", "p < .0001"; three digits where two would hide which side of .05."""
    if p < 0.0001:
        return "p < .0001"
    digits = 3 if 0.045 <= p < 0.055 else 2
    return f"p = {p:.{digits}g}".replace(" 0.", " .")


def _overall(section: Section, comparison: Comparison) -> Iterator[str]:
    """What the ranks of all embedders say."""
    ranks, critical = comparison.ranks, comparison.critical_difference
    if len(ranks) < 2:
        return
    best = min(ranks.values())
    leaders = [label for label, rank in ranks.items() if rank == best]
    yield (
        f"Of {len(ranks)} embedders on {_tasks(len(section.table.tasks))} of {section.group}, "
        f"{listed(leaders)} {'have' if len(leaders) > 1 else 'has'} the best mean rank, "
        f"{best:.2f}."
    )
    if critical is None or comparison.friedman_p is None or comparison.friedman_chi2 is None:
        return
    test = f"Friedman chi-squared {comparison.friedman_chi2:.1f}, {p_value(comparison.friedman_p)}"
    if comparison.friedman_p >= ALPHA:
        yield f"That the embedders rank differently may be chance ({test})."
        return
    first = next((group for group in cliques(ranks, critical) if ranks[group[0]] == best), ())
    others = [label for label in first if label not in leaders]
    alike = (
        f"so {listed(others)} cannot be told apart from the best by rank"
        if others
        else "so no other comes near the best"
    )
    yield (
        f"The embedders rank differently ({test}). Two of them differ where their mean ranks are "
        f"{critical:.2f} or more apart (Nemenyi), {alike}."
    )


def _pair(reference: str, label: str, against: Against, pairs: int) -> str:
    count = against.wins + against.ties + against.losses
    if against.ties == count:
        return f"{reference} and {label} have the same score on every task."
    lead = f"ahead on {against.wins} of {_tasks(count)}"
    tied = f", tied on {against.ties}" if against.ties else ""
    corrected = " after Holm" if pairs > 1 else ""
    figures = (
        f"{lead}{tied}, mean difference {number(against.mean_difference)}{_interval(against)}, "
        f"{p_value(against.p_holm)}{corrected}."
    )
    verdict = decided(against)
    if verdict:
        return f"{reference} is {'better' if verdict > 0 else 'worse'} than {label}: {figures}"
    if against.p_holm < ALPHA:
        return (
            f"{reference} and {label}: test and interval do not agree, so neither is called "
            f"better: {reference} is {figures}"
        )
    return f"{reference} and {label} cannot be told apart: {reference} is {figures}"


def _interval(against: Against) -> str:
    if against.low is None or against.high is None:
        return ""
    return f" (95 % {number(against.low)} to {number(against.high)})"


def _hinges(
    comparison: Comparison, apart: Mapping[str, Values], tasks: Sequence[str]
) -> dict[str, list[str]]:
    """Label -> sentences that name the tasks without which a finding would not stand."""
    if len(tasks) < 3:
        return {label: [] for label in apart}
    shorter = [
        {label: np.delete(difference, row) for label, difference in apart.items()}
        for row in range(len(tasks))
    ]
    p = [holm({label: signed_rank_p(d) for label, d in each.items()}) for each in shorter]
    return {
        label: list(
            _hinge(
                label,
                against,
                {
                    task: float(each[label].mean())
                    for task, each in zip(tasks, shorter, strict=True)
                },
                {task: each[label] for task, each in zip(tasks, p, strict=True)},
            )
        )
        for label, against in comparison.against.items()
    }


def _hinge(
    label: str, against: Against, means: Mapping[str, float], p: Mapping[str, float]
) -> Iterator[str]:
    """Sentences about one pair, from task -> mean difference and corrected p without the task."""
    whole = against.mean_difference
    turned = [task for task, mean in means.items() if mean * whole < 0]
    if turned and len(turned) <= _SHOWN:
        values = [f"{number(means[task])} without {task}" for task in turned]
        yield f"The sign of the mean difference to {label} hangs on one task: {listed(values)}."
    moved = [task for task in p if (p[task] < ALPHA) != (against.p_holm < ALPHA)]
    values = [f"{p_value(p[task])} without {task}" for task in moved[:_SHOWN]]
    if moved and len(moved) <= _SHOWN:
        yield f"Whether {label} differs significantly hangs on one task: {listed(values)}."
    elif moved:
        yield (
            f"Whether {label} differs significantly hangs on any one of {len(moved)} tasks, as in "
            f"{listed(values)}: the figures are at the limit of what these tasks can show."
        )
    carried = [task for task, mean in means.items() if 0 <= mean * np.sign(whole) < abs(whole) / 2]
    if decided(against) and carried:
        yield f"More than half of the mean difference to {label} comes from {listed(carried)}."


def _caveats(section: Section, comparison: Comparison) -> Iterator[str]:
    """What limits all of the above, as far as the data show it."""
    tasks = section.table.tasks
    yield from _few(len(tasks), len(comparison.against))
    if section.table.values.shape[2] == 1:
        yield "There is one seed: how much scores vary from seed to seed is not known."
    elif section.split == "given":
        varied = {
            "probe": "the validation rows and the probe",
            "measure": "the draws of the measure, if it makes any",
        }
        yield (
            f"Test rows are the same for every seed: seeds vary {varied[section.way]}, so the "
            "spread over seeds does not say how much hangs on the choice of test rows."
        )
    if section.left_out:
        yield f"Without a score of every embedder, and so left out: {listed(section.left_out)}."
    counts = Counter(section.metrics)
    if len(counts) > 1:
        parts = [f"{metric} on {_tasks(count)}" for metric, count in counts.items()]
        yield (
            f"Means and differences mix {listed(parts)}: the metric that spreads more weighs more."
        )
    related = _families(tasks)
    if related:
        yield (
            f"Tasks are counted as independent, but {listed(related)} are related: p-values are "
            "somewhat too small and intervals somewhat too narrow."
        )
    yield (
        f"All of this holds for the {section.way} {section.probe}, {section.split} splits and "
        "tasks like these; others may rank otherwise. What another training run of a model would "
        "change is in the figures only where there are several, as in an ablation or of embedders "
        "labelled NAME#SEED."
    )


def _few(tasks: int, pairs: int) -> Iterator[str]:
    if not pairs:
        return
    least = min(1.0, pairs * 2 * 0.5**tasks)
    if least >= ALPHA:
        yield (
            f"{_tasks(tasks).capitalize()} cannot show any difference: even an embedder that is "
            f"ahead on every one would reach {p_value(least)} against the others."
        )
    elif tasks < FEW_TASKS:
        yield (
            f"{_tasks(tasks).capitalize()} are few: intervals are too narrow, and differences that "
            "could not be shown may well exist."
        )


def _families(tasks: Sequence[str]) -> list[str]:
    """Groups of tasks whose names begin with the same letters: "6 tasks named cyp..."."""
    names = [task.rpartition(":")[2] for task in tasks]  # without the benchmark
    stems = [match.group() for name in names if (match := re.match(r"[a-z]+", name))]
    return [f"{count} tasks named {stem}..." for stem, count in Counter(stems).items() if count > 1]


def _tasks(count: int) -> str:
    return "1 task" if count == 1 else f"{count} tasks"


def listed(parts: Sequence[str]) -> str:
    """Returns "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
