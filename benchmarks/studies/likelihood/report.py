"""What students of synthetic teachers kept, as tables and plain sentences.

Everything is said of differences to the mean squared error over seeds: each seed draws a world of
its own, in which every student learns from the same rows. With few seeds no rank test reaches any
level, and percentiles of a bootstrap are too narrow, so that intervals and p-values are those of
the paired t-test; p is corrected by Holm's method for what is compared at one level.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from molkd.benchmarks.statistics.sentences import listed, number, p_value
from molkd.benchmarks.studies.likelihood.conditions import CONDITIONS, Condition
from molkd.benchmarks.studies.likelihood.records import (
    CLEAN,
    REFERENCE,
    Record,
    Row,
    has_room,
    rows,
)

_OVERVIEW = ("cosine", "mi", "mi-free")


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
    clean = at.get(CLEAN, [])
    levels = {
        place: rows(own, clean if place != CLEAN and has_room(place[0]) else ())
        for place, own in at.items()
    }
    seeds = len({record.seed for record in records})
    options = ", ".join(f"{name} {value}" for name, value in settings.items())
    about_all = (
        f"{len(records)} students, {seeds} seeds; {options}. Each seed is a world of its own. Kept "
        "is the R2 with which a ridge regression reads the truth from the embedding on fresh "
        f"rows. Differences are to {REFERENCE}, with 95 % intervals and p of a paired t-test over "
        "seeds, corrected by Holm's method within a level, not over levels."
    )
    tried = {record.variant for record in records}
    named = [f"{name} is {text}" for name, text in variants.items() if name in tried - {text}]
    lines = ["# When does a likelihood pay?", "", about_all, "", *_overview(levels)]
    lines += ["", f"Of the names, {listed(named)}."] if named else []
    for condition, about in CONDITIONS.items():
        own_levels = {level: own for (name, level), own in levels.items() if name == condition}
        if not own_levels:
            continue
        lines += ["", f"## {condition}", "", about.says, "", *_table(about, own_levels), ""]
        lines += [f"- {text}" for text in sentences(about, own_levels)]
    return "\n".join(lines) + "\n"


def sentences(about: Condition, levels: Mapping[float, Sequence[Row]]) -> list[str]:
    """Returns plain sentences: every variant against the reference, and whose the gradient is.

    Args:
        about: the condition.
        levels: level -> its rows.
    """
    lines: list[str] = []
    for level, level_rows in levels.items():
        where = f"{about.knob} {level:g}: " if about.knob else ""
        lines += [where + text for text in _compared(level_rows)]
        shares = [f"{number(r.share)} of {r.variant}'s" for r in level_rows if r.share is not None]
        if shares:
            lines.append(
                f"{where}{about.marks} cause this share of the gradient: {listed(shares)}."
            )
    return lines


def _compared(level_rows: Sequence[Row]) -> Iterator[str]:
    for row in level_rows:
        if row.difference is None or row.low is None or row.high is None or row.p is None:
            continue
        interval = f"95 % {number(row.low)} to {number(row.high)}, {p_value(row.p)}"
        yield _verdict(row, interval) + _due(row)


def _verdict(row: Row, interval: str) -> str:
    if row.difference is None or not row.decided:
        return (
            f"no difference between {row.variant} and {REFERENCE} can be told "
            f"({_or_empty(row.difference)}, {interval})."
        )
    more = "more" if row.decided > 0 else "less"
    amount = number(abs(row.difference))
    return f"{row.variant} keeps {amount} {more} than {REFERENCE} ({interval})."


def _due(row: Row) -> str:
    """What of the difference is due to the condition."""
    if row.beyond is None:
        return ""
    mean, low, high = row.beyond
    ends = f"95 % {number(low)} to {number(high)}"
    if low <= 0 <= high:
        return f" It may be as large on clean teachers (beyond it {number(mean)}, {ends})."
    return f" Beyond the difference on clean teachers: {number(mean)} ({ends})."


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


def _table(about: Condition, levels: Mapping[float, Sequence[Row]]) -> list[str]:
    head = [
        "objective",
        "kept",
        f"less {REFERENCE}",
        "95 % interval",
        "p",
        "beyond clean",
        "rank",
        "share",
    ]
    lines = [
        f"| {about.knob or 'level'} | {' | '.join(head)} |",
        "| --: | :-- |" + " --: |" * (len(head) - 1),
    ]
    for level, level_rows in levels.items():
        for row in level_rows:
            cells = [
                f"{level:g}" if about.knob else "",
                row.variant,
                number(row.score),
                _or_empty(row.difference),
                _interval(row),
                "" if row.p is None else p_value(row.p).removeprefix("p = ").removeprefix("p "),
                "" if row.beyond is None else number(row.beyond[0]),
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
