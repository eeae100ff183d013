"""Quality against the number of teachers: embedders whose sources are nested in each other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from molkd.benchmarks.embedders.sources import sources_of
from molkd.benchmarks.records import EmbedderRecord
from molkd.benchmarks.reports import panels
from molkd.benchmarks.reports.document import Cell, Chapter, Grid, Picture
from molkd.benchmarks.reports.equivalence import chance
from molkd.benchmarks.reports.official import number
from molkd.benchmarks.reports.panels import Panel
from molkd.benchmarks.reports.tables import NONE, cells, signed
from molkd.benchmarks.statistics import Comparison, Section, equivalence
from molkd.benchmarks.statistics.sentences import listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEAST = 3  # embedders that make a curve
_LEFT, _RIGHT, _TOP, _BOTTOM, _KEY = 44.0, 14.0, 28.0, 240.0, 14.0


@dataclass(frozen=True, slots=True)
class Step:
    """One embedder on a curve.

    Attributes:
        label: its name.
        role: its role.
        sources: models that it was made from.
        score: mean over tasks.
        rank: mean over tasks.
    """

    label: str
    role: str
    sources: tuple[str, ...]
    score: float
    rank: float

    @property
    def count(self) -> int:
        """Number of models that it was made from."""
        return len(self.sources)


def chapters(
    section: Section,
    comparison: Comparison,
    embedders: Mapping[str, EmbedderRecord],
    widths: Mapping[str, float],
    name: str,
) -> Iterator[Chapter]:
    """Yields one chapter, or none where no three embedders of a kind have nested sources.

    Args:
        section: the scores.
        comparison: of the section's table.
        embedders: label -> record.
        widths: see `equivalence.regions`.
        name: of the section, for the file of its picture.
    """
    curves = _curves(comparison, embedders)
    if not curves:
        return
    wide, narrow = (_panel(curves, narrow=narrow) for narrow in (False, True))
    caption = (
        "Mean score over tasks against the number of models that an embedder was made from; on a "
        "line, each has the sources of the one before and more."
    )
    yield Chapter(
        "Quality against the number of teachers",
        points=tuple(_sentence(kind, steps) for kind, steps in curves.items()),
        pictures=(Picture(f"teachers-curve-{name}", caption, (wide,), narrow=(narrow,)),),
        grids=(_grid(section, widths, curves),),
        beside=True,
    )


def _curves(
    comparison: Comparison, embedders: Mapping[str, EmbedderRecord]
) -> dict[str, list[Step]]:
    """Kind of embedders -> its longest chain, from few sources to many."""
    kinds: dict[str, list[Step]] = {}
    for label, score in comparison.means.items():
        record = embedders[label]
        sources = record.sources or sources_of(record.spec)
        if sources:
            step = Step(label, record.role, sources, score, comparison.ranks[label])
            kinds.setdefault(_kind(record), []).append(step)
    chains = {kind: _longest(steps) for kind, steps in kinds.items()}
    return {kind: chain for kind, chain in chains.items() if len(chain) >= _LEAST}


def _kind(record: EmbedderRecord) -> str:
    if record.spec.startswith("pca:"):
        return f"side by side on {record.spec.split(':')[1]} components"
    return "students" if record.role == "student" else "side by side"


def _longest(steps: Sequence[Step]) -> list[Step]:
    """The longest chain of steps in which each has all sources of the one before, and more."""
    best: list[list[Step]] = []
    for step in sorted(steps, key=lambda step: step.count):
        within = [chain for chain in best if set(chain[-1].sources) < set(step.sources)]
        best.append([*max(within, key=len, default=[]), step])
    return max(best, key=len, default=[])


def _sentence(kind: str, steps: Sequence[Step]) -> str:
    first, last = steps[0], steps[-1]
    top = max(steps, key=lambda step: step.score)
    text = (
        f"{kind[0].upper()}{kind[1:]}: from {number(first.score)} with {_models(first.count)} to "
        f"{number(last.score)} with {last.count}"
    )
    if number(top.score) != number(last.score):
        text += f"; the best is {number(top.score)} with {top.count}, then it falls"
    before, after = max(itertools.pairwise(steps), key=lambda pair: pair[1].score - pair[0].score)
    gain = after.score - before.score
    if gain > 0:
        text += f"; {listed(_added(before, after))} brought most, {signed(gain)}"
    return f"{text}."


def _models(count: int) -> str:
    return "1 model" if count == 1 else f"{count} models"


def _added(before: Step, after: Step) -> list[str]:
    return [source for source in after.sources if source not in before.sources]


def _grid(
    section: Section, widths: Mapping[str, float], curves: Mapping[str, Sequence[Step]]
) -> Grid:
    rows: list[tuple[Cell, ...]] = []
    for kind, steps in curves.items():
        for before, step in zip([None, *steps], steps, strict=False):
            about = [kind, str(step.count)]
            change = [", ".join(step.sources), NONE, *[NONE] * 3]
            if before is not None:
                look = equivalence.between(section, widths, step.label, before.label)
                chances = [chance(x) for x in (look.better, look.equivalent, look.worse)]
                change = [
                    ", ".join(_added(before, step)),
                    signed(step.score - before.score),
                    *chances,
                ]
            figures = [number(step.score), f"{step.rank:.2f}"]
            name = Cell(step.label, role=step.role)
            rows.append((name, *cells([*about, *figures, *change])))
    titles = ["embedder", "kind", "models", "mean score", "mean rank", "added"]
    titles += ["change", "better", "equivalent", "worse"]
    caption = (
        "Each embedder against the one before it on its curve: what was added, the change of the "
        "mean score, and the chances that it is better, practically equivalent or worse."
    )
    return Grid(caption, cells(titles), tuple(rows), "llrrrlrrrr")


def _panel(curves: Mapping[str, Sequence[Step]], *, narrow: bool) -> Panel:
    listing = "; ".join(
        f"{kind}: " + ", ".join(f"{number(step.score)} with {step.count}" for step in steps)
        for kind, steps in curves.items()
    )
    return Panel(
        title="Quality against the number of teachers",
        description=f"Mean scores by number of models. {listing}.",
        width=330.0 if narrow else 560.0,
        height=_BOTTOM + 30 + _KEY * len(curves),
        draw=partial(_draw, curves=curves, width=330.0 if narrow else 560.0),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """(number of models, score) -> place; `low` and `high` are the ends of the scores."""

    low: float
    high: float
    most: int
    right: float

    @classmethod
    def around(cls, steps: Sequence[Step], right: float) -> _Scale:
        scores = [step.score for step in steps]
        middle = (min(scores) + max(scores)) / 2
        reach = 0.6 * max(max(scores) - min(scores), 0.01)
        return cls(middle - reach, middle + reach, max(step.count for step in steps), right)

    def across(self, count: float) -> float:
        return _LEFT + (self.right - _LEFT) * (count - 0.5) / self.most

    def down(self, score: float) -> float:
        return _BOTTOM - (score - self.low) / (self.high - self.low) * (_BOTTOM - _TOP)


def _draw(axes: Axes, *, curves: Mapping[str, Sequence[Step]], width: float) -> None:
    scale = _Scale.around([step for chain in curves.values() for step in chain], width - _RIGHT)
    _axes(axes, scale)
    for place, (kind, chain) in enumerate(curves.items()):
        xs = [scale.across(step.count) for step in chain]
        ys = [scale.down(step.score) for step in chain]
        panels.line(axes, xs, ys, chain[-1].role, 1.5)
        for x, y, step in zip(xs, ys, chain, strict=True):
            tip = f"{step.label}: {step.score:.3f}, {_models(step.count)}"
            panels.mark(axes, x, y, step.role, size=7, tip=tip)
        key = _BOTTOM + 30 + _KEY * place
        panels.mark(axes, 5, key, chain[-1].role, size=7)
        panels.text(axes, 14, key, kind, color="muted")


def _axes(axes: Axes, scale: _Scale) -> None:
    from matplotlib.ticker import MaxNLocator

    panels.text(axes, 0, 8, "mean score over tasks", color="muted")
    for value in MaxNLocator(nbins=5).tick_values(scale.low, scale.high):
        if scale.low <= value <= scale.high:
            y = scale.down(value)
            panels.line(axes, [_LEFT, scale.right], [y, y], "faint", 1)
            panels.text(axes, _LEFT - 6, y, f"{value:g}", ha="right", color="muted")
    for count in range(1, scale.most + 1, max(1, round(scale.most / 10))):
        panels.text(axes, scale.across(count), _BOTTOM + 13, str(count), ha="center", color="muted")
    panels.line(axes, [_LEFT, scale.right], [_BOTTOM, _BOTTOM], "muted", 1.2)
    panels.text(axes, scale.right, _BOTTOM + 30, "models", ha="right", color="muted")
