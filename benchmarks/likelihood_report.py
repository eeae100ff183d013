"""What students of synthetic teachers kept, as tables and plain sentences.

Everything is said of differences to the mean squared error over seeds: each seed draws a world of
its own, in which every student learns from the same rows. With few seeds no rank test reaches any
level, and percentiles of a bootstrap are too narrow, so that intervals and p-values are those of
the paired t-test; p is corrected by Holm's method for what is compared at one level.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from molkd.benchmarks.conclusion import number, p_value
from molkd.benchmarks.likelihood_conditions import CONDITIONS, Condition
from molkd.benchmarks.significance import ALPHA, holm
from molkd.benchmarks.worlds import TRUTH, Floats

REFERENCE = "mse"
"""What everything is compared with."""

_OVERVIEW = ("cosine", "mi", "mi-free")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One student.

    Attributes:
        condition: a key of `CONDITIONS`.
        level: of its knob.
        variant: what the student was trained by.
        seed: of world and student.
        kept: R2 of a ridge regression from embedding to truth on fresh rows.
        halves: the same of the first and of the last four numbers of the truth.
        rank: effective rank of the embedding.
        share: of the gradient, what comes from the marked entries; None where it is not known.
    """

    condition: str
    level: float
    variant: str
    seed: int
    kept: float
    halves: tuple[float, float]
    rank: float
    share: float | None

    @property
    def score(self) -> float:
        """What is kept; of the worse half where the embedding has no room for the whole truth."""
        room = CONDITIONS[self.condition].width >= TRUTH
        return self.kept if room else min(self.halves)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """All students of one variant at one level.

    Attributes:
        variant: what they were trained by.
        score: mean over seeds; see `Record.score`.
        difference: of the score to the reference, mean over seeds; None for the reference.
        low: lower end of its 95 % interval.
        high: upper end.
        p: corrected; None for the reference.
        rank: mean effective rank.
        share: mean share of the gradient; None where it is not known.
    """

    variant: str
    score: float
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    rank: float
    share: float | None

    @property
    def decided(self) -> int:
        """1 where more is kept than by the reference, -1 where less, 0 where neither is shown."""
        if self.p is None or self.difference is None or self.p >= ALPHA:
            return 0
        return 1 if self.difference > 0 else -1


def rows(records: Sequence[Record]) -> list[Row]:
    """Returns a row per variant from the records of one level, all of the same seeds."""
    by = {name: _of(records, name) for name in dict.fromkeys(r.variant for r in records)}
    scores = {name: np.array([one.score for one in own]) for name, own in by.items()}
    apart = {
        name: paired(score - scores[REFERENCE])
        for name, score in scores.items()
        if name != REFERENCE
    }
    p = holm({name: found[3] for name, found in apart.items()})
    return [
        Row(
            variant=name,
            score=float(scores[name].mean()),
            difference=apart[name][0] if name in apart else None,
            low=apart[name][1] if name in apart else None,
            high=apart[name][2] if name in apart else None,
            p=p.get(name),
            rank=float(np.mean([one.rank for one in own])),
            share=_mean([one.share for one in own]),
        )
        for name, own in by.items()
    ]


def paired(difference: Floats) -> tuple[float, float, float, float]:
    """Returns mean, lower and upper end of its interval, and p of the t-test that it is zero.

    Args:
        difference: shape (n,), n at least 2.
    """
    count, mean = len(difference), float(difference.mean())
    error = float(difference.std(ddof=1)) / np.sqrt(count)
    if error == 0:
        return mean, mean, mean, 1.0 if mean == 0 else 0.0
    reach = float(stats.t.ppf(1 - ALPHA / 2, count - 1)) * error
    p = 2 * float(stats.t.sf(abs(mean) / error, count - 1))
    return mean, mean - reach, mean + reach, p


def report(
    records: Sequence[Record], settings: Mapping[str, object], variants: Mapping[str, str]
) -> str:
    """Returns the whole report in Markdown.

    Args:
        records: of every level that was tried, with the reference and all of the same seeds.
        settings: of the study.
        variants: what students were trained by, in words.
    """
    at: dict[tuple[str, float], list[Record]] = {}
    for record in records:
        at.setdefault((record.condition, record.level), []).append(record)
    levels = {place: rows(own) for place, own in at.items()}
    seeds = len({record.seed for record in records})
    asked = ", ".join(f"{name} {value}" for name, value in settings.items())
    about_all = (
        f"{len(records)} students, {seeds} seeds; {asked}. Each seed is a world of its own. Kept "
        "is the R2 with which a ridge regression reads the truth from the embedding on fresh "
        f"rows. Differences are to {REFERENCE}, with 95 % intervals and p of a paired t-test over "
        "seeds, corrected by Holm's method within a level, not over levels."
    )
    tried = {record.variant for record in records}
    named = [f"{name} is {text}" for name, text in variants.items() if name in tried - {text}]
    lines = ["# When does a likelihood pay?", "", about_all, "", *_overview(levels)]
    lines += ["", f"Of the names, {_and(named)}."] if named else []
    for condition, about in CONDITIONS.items():
        found = {level: own for (name, level), own in levels.items() if name == condition}
        if not found:
            continue
        lines += ["", f"## {condition}", "", about.says, "", *_table(about, found), ""]
        lines += [f"- {text}" for text in sentences(about, found)]
    return "\n".join(lines) + "\n"


def sentences(about: Condition, found: Mapping[float, Sequence[Row]]) -> list[str]:
    """Returns plain sentences: every variant against the reference, and whose the gradient is.

    Args:
        about: the condition.
        found: level -> its rows.
    """
    said: list[str] = []
    for level, level_rows in found.items():
        where = f"{about.knob} {level:g}: " if about.knob else ""
        said += [where + text for text in _compared(level_rows)]
        shares = [f"{number(r.share)} of {r.variant}'s" for r in level_rows if r.share is not None]
        if shares:
            said.append(f"{where}{about.marks} cause this share of the gradient: {_and(shares)}.")
    return said


def _compared(level_rows: Sequence[Row]) -> Iterator[str]:
    for row in level_rows:
        if row.difference is None or row.low is None or row.high is None or row.p is None:
            continue
        interval = f"95 % {number(row.low)} to {number(row.high)}, {p_value(row.p)}"
        if row.decided:
            more = "more" if row.decided > 0 else "less"
            amount = number(abs(row.difference))
            yield f"{row.variant} keeps {amount} {more} than {REFERENCE} ({interval})."
        else:
            yield (
                f"no difference between {row.variant} and {REFERENCE} can be told "
                f"({number(row.difference)}, {interval})."
            )


def _overview(levels: Mapping[tuple[str, float], Sequence[Row]]) -> list[str]:
    """One line per level; + and - where a difference to the reference is shown."""
    lines = [
        f"| condition | level | {REFERENCE} | {' | '.join(_OVERVIEW)} | others |",
        f"| :-- | --: | --: |{' --: |' * len(_OVERVIEW)} :-- |",
    ]
    for (condition, level), level_rows in levels.items():
        by = {row.variant: row for row in level_rows}
        cells = [_marked(by[name]) if name in by else "" for name in (REFERENCE, *_OVERVIEW)]
        others = [
            f"{name} {_marked(row)}"
            for name, row in by.items()
            if name not in (REFERENCE, *_OVERVIEW)
        ]
        shown = f"{level:g}" if CONDITIONS[condition].knob else ""
        lines.append(f"| {condition} | {shown} | {' | '.join(cells)} | {', '.join(others)} |")
    note = (
        f"Kept, mean over seeds; + more and - less than {REFERENCE}, where that is shown. For "
        "copies, of the half that is kept worse."
    )
    return [*lines, "", note]


def _table(about: Condition, found: Mapping[float, Sequence[Row]]) -> list[str]:
    head = ["objective", "kept", f"less {REFERENCE}", "95 % interval", "p", "rank", "share"]
    lines = [
        f"| {about.knob or 'level'} | {' | '.join(head)} |",
        "| --: | :-- |" + " --: |" * (len(head) - 1),
    ]
    for level, level_rows in found.items():
        for row in level_rows:
            cells = [
                f"{level:g}" if about.knob else "",
                row.variant,
                number(row.score),
                _or_empty(row.difference),
                _interval(row),
                "" if row.p is None else p_value(row.p).removeprefix("p = ").removeprefix("p "),
                f"{row.rank:.1f}",
                _or_empty(row.share),
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def _marked(row: Row) -> str:
    return number(row.score) + {1: " +", -1: " -", 0: ""}[row.decided]


def _interval(row: Row) -> str:
    return "" if row.low is None or row.high is None else f"{number(row.low)} to {number(row.high)}"


def _or_empty(value: float | None) -> str:
    return "" if value is None else number(value)


def _of(records: Sequence[Record], variant: str) -> list[Record]:
    """Those of a variant, by seed."""
    return sorted((r for r in records if r.variant == variant), key=lambda r: r.seed)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _and(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
