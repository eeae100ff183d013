"""What a report says, put together from results, statistics and what others have published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from molkd.benchmarks import statistics
from molkd.benchmarks.quality.cost_records import EmbeddingCost
from molkd.benchmarks.records import Results
from molkd.benchmarks.reports import (
    contamination,
    curves,
    dot_plot,
    equivalence,
    official,
    overview,
    probe_choice,
    quality_table,
    ranks,
    retraining,
    splits,
    subsets,
    tables,
    teachers_curve,
    tradeoff,
)
from molkd.benchmarks.reports.document import Chapter, Document, Picture, slug, unique
from molkd.benchmarks.reports.official import Line
from molkd.benchmarks.statistics import Comparison, Section, sentences
from molkd.benchmarks.statistics.across_runs import paired_runs
from molkd.benchmarks.statistics.chosen import shown
from molkd.benchmarks.statistics.equivalence import REGIONS
from molkd.benchmarks.statistics.published import Published
from molkd.benchmarks.tasks.kinds import is_measure
from molkd.errors import UnknownNameError
from molkd.runtime.registry import near


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReportInputs:
    """What a report is made from.

    Attributes:
        results: the scores.
        reference: label of the embedder that all others are compared with.
        published: figures of others.
        speed: label -> how fast it is; empty where nothing was timed.
        similar: the chapter about the similarity of teachers; None where it was not measured.
        costs: label -> cost of an embedding, of the embedders as they were scored.
        regions: comparable metric -> region of practical equivalence.
    """

    results: Results
    reference: str
    published: Sequence[Published] = ()
    speed: Mapping[str, tradeoff.Timing] = field(default_factory=dict[str, tradeoff.Timing])
    similar: Chapter | None = None
    costs: Mapping[str, EmbeddingCost] = field(default_factory=dict[str, EmbeddingCost])
    regions: Mapping[str, float] = field(default_factory=lambda: dict(REGIONS))

    @property
    def roles(self) -> dict[str, str]:
        """Label -> role."""
        return {record.label: record.role for record in self.results.embedders}


def reference_of(results: Results, label: str | None) -> str:
    """Returns the embedder that others are compared with: the first student unless one is named.

    Raises:
        UnknownNameError: the results hold no such embedder.
    """
    labels = [record.label for record in results.embedders]
    if label is None:
        students = [record.label for record in results.embedders if record.role == "student"]
        return (students or labels)[0]
    if label not in labels:
        raise UnknownNameError(f"no embedder {label!r} in the results.{near(label, labels)}")
    return label


def document(inputs: ReportInputs) -> Document:
    """Returns a report: one chapter per section, then what everything rests on."""
    asked, results = inputs.results, shown(inputs.results)
    inputs = replace(inputs, results=results)
    sections = statistics.tables(results)
    names = unique([slug(s.group, s.probe, s.split) for s in sections])
    pairs = [(section, compared(section, inputs.reference)) for section in sections]
    chapters = [*overview.chapters(pairs, results.embedders, inputs.costs)]
    chapters += [_section(inputs, *each, n) for each, n in zip(pairs, names, strict=True)]
    chapters += contamination.chapters(results, sections)
    if not sections:
        chapters = [Chapter("No result", lead="No task has a score of every embedder.")]
    chapters += splits.chapters(sections, inputs.roles)
    chapters += subsets.chapters(results, inputs.roles, inputs.reference)
    chapters += curves.chapters(results, inputs.roles, inputs.reference)
    if inputs.similar is not None:
        chapters.append(inputs.similar)
    return Document(
        f"Benchmark of embeddings of {results.noun}", _facts(asked), (*chapters, _basis(asked))
    )


def _facts(results: Results) -> tuple[tuple[str, str], ...]:
    scored = {score.task for score in results.scores}
    names = {score.probe: is_measure(score.probe) for score in results.full}
    counted = (
        ("embedder", len(results.embedders)),
        ("task", len(scored)),
        ("probe", sum(not measured for measured in names.values())),
        ("measure", sum(names.values())),
        ("seed", len({score.seed for score in results.full})),
        ("score", len(results.scores)),
    )
    return tuple(
        (what if count == 1 else f"{what}s", f"{count:,}") for what, count in counted if count
    )


def compared(section: Section, reference: str) -> Comparison:
    """Compares the embedders of a section with the reference, or the first where it has none."""
    labels = section.table.embedders
    return statistics.compare(section.table, reference if reference in labels else labels[0])


def _section(inputs: ReportInputs, section: Section, comparison: Comparison, name: str) -> Chapter:
    reference, widths = comparison.reference, inputs.regions
    lines = official.lines(
        inputs.results, group=section.group, probe=section.probe, split=section.split
    )
    records = {record.label: record for record in inputs.results.embedders}
    runs = {label: record.runs for label, record in records.items()}
    repeated = paired_runs(section.table, reference, runs)
    return Chapter(
        title=f"{section.group}: {section.probe} {section.way}, {section.split} split",
        lead=_lead(section, comparison),
        points=tuple(sentences.sentences(section, comparison)),
        pictures=(_ranks(inputs, section, comparison, name),),
        beside=True,
        parts=(
            Chapter("Summary", grids=(tables.summary(section, comparison, records, inputs.costs),)),
            *equivalence.chapters(section, comparison, inputs.roles, widths, name),
            *teachers_curve.chapters(section, comparison, records, widths, name),
            *retraining.chapters(section.table.tasks, reference, repeated),
            *_tradeoff(inputs, section, comparison, lines, name),
            *probe_choice.chapters(inputs.results, section),
            _by_task(inputs, lines, section.table.values.shape[2], comparison, name),
            *_published(inputs, section, lines, comparison),
        ),
    )


def _lead(section: Section, comparison: Comparison) -> str:
    count = len(section.table.tasks)
    return (
        f"{len(comparison.ranks)} embedders on {count} task{'s' * (count != 1)}; "
        f"the others are compared with {comparison.reference}."
    )


def _ranks(inputs: ReportInputs, section: Section, comparison: Comparison, name: str) -> Picture:
    caption = "Mean rank of each embedder over the tasks; 1 is best."
    if comparison.critical_difference is not None:
        caption += (
            " A thick line joins embedders that the Nemenyi test at the 5 % level cannot tell "
            "apart: their mean ranks are closer than the critical difference."
        )
    else:
        caption += " There is no critical difference for fewer than three embedders."
    wide, narrow = (
        ranks.panel(comparison, inputs.roles, len(section.table.tasks), narrow=narrow)
        for narrow in (False, True)
    )
    return Picture(f"ranks-{name}", caption, (wide,), narrow=(narrow,))


def _tradeoff(
    inputs: ReportInputs,
    section: Section,
    comparison: Comparison,
    lines: Sequence[Line],
    name: str,
) -> tuple[Chapter, ...]:
    points = [
        tradeoff.Point(
            label=label,
            role=inputs.roles[label],
            speed=timed.rate,
            quality=comparison.means[label],
            parameters=timed.parameters,
        )
        for label, timed in inputs.speed.items()
        if label in comparison.means
    ]
    if not points:
        return ()
    caption = (
        "Mean score over tasks against speed; the area of a mark grows "
        "with the number of weights. Nothing is both faster and better than what lies on the line."
    )
    wide, narrow = (
        tradeoff.panel(points, comparison.reference, narrow=narrow) for narrow in (False, True)
    )
    picture = Picture(f"speed-{name}", caption, (wide,), narrow=(narrow,))
    grid = quality_table.grid(
        quality_table.Sources(
            {record.label: record for record in inputs.results.embedders},
            {label: timed.rate for label, timed in inputs.speed.items()},
            inputs.costs,
            inputs.published,
        ),
        section,
        comparison,
        lines,
    )
    return (Chapter("Quality against speed", pictures=(picture,), grids=(grid,), beside=True),)


def _by_task(
    inputs: ReportInputs, lines: Sequence[Line], seeds: int, comparison: Comparison, name: str
) -> Chapter:
    """The official scores; drawn, too, where so many embedders can be told apart."""
    reference, order = comparison.reference, _order(comparison)
    caption = "One panel per task, embedders in the order of their mean ranks. "
    caption += (
        "Marks: means over seeds; bars: one standard deviation to both sides"
        if seeds > 1
        else "Marks: scores of the only seed"
    )
    caption += f"; thin line: {reference}. A hollow mark with a number lies beyond the axis."
    panels = tuple(dot_plot.panel(line, order, inputs.roles, reference) for line in lines)
    picture = Picture(f"tasks-{name}", caption, panels, small=True)
    return Chapter(
        title="Scores by task",
        pictures=(picture,) if len(order) <= dot_plot.MOST else (),
        grids=(tables.scores(lines, order, inputs.roles),),
    )


def _published(
    inputs: ReportInputs, section: Section, lines: Sequence[Line], comparison: Comparison
) -> tuple[Chapter, ...]:
    figures = [figure for figure in inputs.published if figure.group == section.group]
    grid = tables.published(lines, _order(comparison), figures, inputs.roles)
    if grid is None:
        return ()
    notes = tuple(dict.fromkeys(f"{f.source}: {f.note}" for f in figures if f.note))
    return (Chapter("Published figures, not ours, never ranked", points=notes, grids=(grid,)),)


def _basis(results: Results) -> Chapter:
    """Tasks, embedders, leakage and versions."""
    notes = (f"{task.name}: {note}" for task in results.tasks for note in task.notes)
    absent = (f"{name} was left out: its table was not there" for name in results.run.absent)
    parts = [
        Chapter(
            "Tasks", points=tuple(dict.fromkeys((*absent, *notes))), grids=(tables.tasks(results),)
        ),
        Chapter("Embedders", grids=(tables.embedders(results),)),
    ]
    if results.run.leakage:
        leaked = tables.leakage(results.run.leakage)
        parts.append(Chapter("Leakage from the distillation corpus", grids=(leaked,)))
    parts.append(Chapter("Settings and versions", grids=(tables.provenance(results),)))
    return Chapter("What this rests on", parts=tuple(parts))


def _order(comparison: Comparison) -> list[str]:
    """Labels from best to worst mean rank."""
    return sorted(comparison.ranks, key=lambda label: comparison.ranks[label])
