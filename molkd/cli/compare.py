"""`molkd bench compare`: embedders of a finished benchmark, each read by a probe of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from molkd.cli.options import several
from molkd.cli.output import print_table
from molkd.cli.results import Folder

if TYPE_CHECKING:
    from molkd.benchmarks.statistics import Section

COLUMNS = (
    *("benchmark", "split", "tasks", "embedder", "mean", "rank", "ahead", "difference", "95 %"),
    *("p", "p (Holm)", "better", "equivalent", "worse"),
)


def compare(
    *,
    output: Folder,
    embedder: Annotated[
        list[str],
        typer.Option(
            "--embedder",
            "-e",
            help="EMBEDDER:PROBE, or EMBEDDER:PROBE+PROBE for the one that is best on validation "
            "rows. The first is compared with all others.",
        ),
    ],
) -> None:
    """Compare embedders, each read by a probe of its own.

    Of a finished benchmark. Means are of AUROC, Spearman's correlation and the like, more is
    better; differences are the first less the other, paired over tasks, p by Wilcoxon's
    signed-rank test. The last three columns say how likely the first is better by more than a
    region, equivalent, worse (Bayesian signed-rank test).
    """
    from molkd.benchmarks import records, statistics
    from molkd.benchmarks.quality.evaluation import RESULTS
    from molkd.benchmarks.statistics.across_runs import over_runs
    from molkd.benchmarks.statistics.each_its_own import Reading, each_its_own

    readings = [Reading.of(text) for text in several(embedder)]
    found = over_runs(records.reported(records.read(output / RESULTS)))
    sections = statistics.tables(each_its_own(found, readings))
    first = str(readings[0])
    asked = [section for section in sections if first in section.table.embedders]
    lines = [line for section in asked for line in _lines(section, first)]
    print_table(COLUMNS, lines)


def _lines(section: Section, first: str) -> list[list[str]]:
    from molkd.benchmarks import statistics
    from molkd.benchmarks.statistics import equivalence
    from molkd.benchmarks.statistics.sentences import number

    compared = statistics.compare(section.table, first)
    head = [section.group, section.split, str(len(section.table.tasks))]
    lines: list[list[str]] = []
    for label in section.table.embedders:
        own = [*head, label, number(compared.means[label]), f"{compared.ranks[label]:.2f}"]
        if label == first:
            lines.append([*own, *[""] * (len(COLUMNS) - len(own))])
            continue
        one = compared.against[label]
        ends = [number(end) for end in (one.low, one.high) if end is not None]
        outlook = equivalence.between(section, equivalence.REGIONS, first, label)
        sure = [f"{chance:.2f}" for chance in (outlook.better, outlook.equivalent, outlook.worse)]
        wins = f"{one.wins} of {len(section.table.tasks)}"
        tests = [f"{one.p:.4f}", f"{one.p_holm:.4f}"]
        lines.append([*own, wins, number(one.mean_difference), " to ".join(ends), *tests, *sure])
    return lines
