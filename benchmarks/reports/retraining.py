"""The chapter of a report about training again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from molkd.benchmarks.reports import tables
from molkd.benchmarks.reports.document import Chapter, Grid
from molkd.benchmarks.statistics import sentences
from molkd.benchmarks.statistics.across_runs import PairedRuns

_SHOWN = 4  # tasks with a column of their own


def chapters(
    tasks: Sequence[str], reference: str, repeated: Mapping[str, PairedRuns]
) -> Iterator[Chapter]:
    """Yields one chapter, or none where nothing was trained more than once.

    Args:
        tasks: their names.
        reference: label of the embedder that the others are compared with.
        repeated: what `paired_runs` returned.
    """
    if repeated:
        yield Chapter(
            "Over training runs",
            points=tuple(_sentence(reference, *pair) for pair in repeated.items()),
            grids=(_grid(tasks, reference, repeated),),
        )


def _sentence(reference: str, label: str, repeat: PairedRuns) -> str:
    figures = (
        f"ahead in {repeat.ahead} of {repeat.runs} runs, mean difference "
        f"{sentences.number(repeat.mean_difference)} (95 % {sentences.number(repeat.low)} to "
        f"{sentences.number(repeat.high)}), {sentences.p_value(repeat.p_holm)} after Holm."
    )
    if not repeat.decided:
        return f"{reference} and {label} cannot be told apart: {reference} is {figures}"
    return f"{reference} is {'better' if repeat.decided > 0 else 'worse'} than {label}: {figures}"


def _grid(tasks: Sequence[str], reference: str, repeated: Mapping[str, PairedRuns]) -> Grid:
    apart = tasks if 1 < len(tasks) <= _SHOWN else ()
    titles = ["embedder", "runs ahead", "difference", "95 % interval", "p (Holm)", *apart]
    rows = [
        tables.cells(
            [
                label,
                f"{repeat.ahead}/{repeat.runs}",
                tables.signed(repeat.mean_difference),
                tables.interval(repeat.low, repeat.high),
                tables.p_value(repeat.p_holm),
                *(_with_interval(*repeat.by_task[task]) for task in apart),
            ]
        )
        for label, repeat in repeated.items()
    ]
    caption = (
        f"{reference} minus the embedder of the row, mean over tasks, paired over training "
        "runs; Student's interval and test over runs. They say what "
        "training again would change on these tasks and test rows, not what other tasks would."
    )
    return Grid(caption, tables.cells(titles), tuple(rows), "l" + "r" * (len(titles) - 1))


def _with_interval(mean: float, low: float, high: float) -> str:
    return f"{tables.signed(mean)} ({tables.interval(low, high)})"
