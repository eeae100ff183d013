"""What the endurance run has found: one table, what it means, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

FIRST, WHOLE, LAST = "small first", "one run", "small last"
"""Names of stages; see `molkd.benchmarks.scripts.endurance`."""

COLUMNS = (
    *("way", "commands", "kills", "files", "same bytes", "wall s", "processor s"),
    *("parent MB", "workers MB", "together MB"),
)

Stages = Mapping[str, Mapping[str, Any]]
"""Name -> what a stage has left."""

_POINTS = 50


def rows(found: Stages) -> list[list[str]]:
    """Returns one row of cells per stage, in the order of `COLUMNS`."""
    return [_row(name, stage, found[WHOLE]) for name, stage in found.items()]


def _row(name: str, stage: Mapping[str, Any], whole: Mapping[str, Any]) -> list[str]:
    runs, sums = stage["runs"], stage.get("sha256")
    same = "" if sums is None else "yes" if sums == whole["sha256"] else "NO"
    return [
        name,
        str(len(runs)),
        str(stage.get("kills", 0)),
        "" if sums is None else str(len(sums) - 1),
        same,
        *(f"{sum(run[unit] for run in runs):.1f}" for unit in ("seconds", "processor")),
        *(f"{peak(runs, size):,.0f}" for size in ("parent_mb", "workers_mb", "together_mb")),
    ]


def peak(runs: Sequence[Mapping[str, Any]], size: str) -> float:
    """Returns the largest of one size of memory, in MB."""
    return max(run[size] for run in runs)


def linear(found: Stages, total: int) -> dict[str, float]:
    """Returns how cost grows, as microseconds of the processor per row, and memory.

    Start-up is that of a run of hardly any rows, which is subtracted; the small runs before and
    after the large one are averaged.
    """
    pairs = [found[name]["runs"] for name in (FIRST, LAST)]
    large = found[WHOLE]["runs"][0]
    start, few = fmean(pair[0]["processor"] for pair in pairs), pairs[0][0]["rows"]
    many = pairs[0][1]["rows"]
    shares = [(pair[1]["processor"] - pair[0]["processor"]) / max(many - few, 1) for pair in pairs]
    return {
        "us_per_row_small_first": 1e6 * shares[0],
        "us_per_row_small_last": 1e6 * shares[1],
        "us_per_row": 1e6 * (large["processor"] - start) / max(total - few, 1),
        "startup_s": start,
        "together_mb_small": peak([pair[1] for pair in pairs], "together_mb"),
        "together_mb": large["together_mb"],
    }


def sentences(found: Stages, total: int, within: Mapping[str, float | None]) -> Iterator[str]:
    """Says what was compared.

    Args:
        found: all stages.
        total: rows of the library.
        within: rows of the run -> microseconds of the processor per row there.
    """
    seen = found[WHOLE]["checked"]
    yield (
        f"{seen['rows']:,} rows, {seen['lost']} lost, {seen['shifted']} shifted; "
        f"{seen['damaged']:,} damaged, RDKit refuses {seen['refused']:,}; "
        f"{seen['invalid']:,} without an embedding, {seen['reasons']:,} of them with a reason"
    )
    if seen["refused_though"]:
        yield f"refused though RDKit reads them: {seen['refused_though']}"
    cost = linear(found, total)
    before = (cost["us_per_row_small_first"] + cost["us_per_row_small_last"]) / 2
    yield (
        f"processor time per row: {cost['us_per_row']:.0f} us, alone in small runs {before:.0f} "
        f"({cost['us_per_row_small_first']:.0f} first, {cost['us_per_row_small_last']:.0f} last): "
        f"{_percent(cost['us_per_row'], before)}; start-up {cost['startup_s']:.1f} s apart"
    )
    parts = ", ".join(
        f"{name} {'not seen' if value is None else f'{value:.0f}'}"
        for name, value in within.items()
    )
    yield f"within the one run, us per row: {parts}"
    yield (
        f"memory of all processes: {cost['together_mb']:,.0f} MB, in small runs "
        f"{cost['together_mb_small']:,.0f}: "
        f"{_percent(cost['together_mb'], cost['together_mb_small'])}"
    )
    if "killed" in found:
        done = [run["done"] for run in found["killed"]["runs"][:-1]]
        yield f"rows done at each kill: {', '.join(f'{rows:,}' for rows in done)}"


def wrong(found: Stages) -> list[str]:
    """Says what must not be: other bytes, rows lost or shifted, reasons that lack."""
    whole = found[WHOLE]
    other = [
        f"{name}: other bytes than in one run"
        for name, stage in found.items()
        if "sha256" in stage and stage["sha256"] != whole["sha256"]
    ]
    seen = whole["checked"]
    names = ("lost", "shifted", "of_two_minds", "embedded_though")
    other += [f"{seen[name]} rows: {name}" for name in names if seen[name]]
    told = whole["manifest"]
    if (told["rows"], told["invalid"]) != (seen["rows"], seen["invalid"]):
        other.append(f"the manifest says {told['rows']} rows, {told['invalid']} of them invalid")
    return other


def content(found: Stages) -> dict[str, Any]:
    """Returns all stages for a file; of what happened in time only some points."""
    return {
        name: {**stage, "runs": [_thinned(run) for run in stage["runs"]]}
        for name, stage in found.items()
    }


def _thinned(run: Mapping[str, Any]) -> dict[str, Any]:
    trace = run["trace"]
    every = -(-len(trace) // _POINTS) or 1
    return {**run, "trace": [[round(value, 2) for value in point] for point in trace[::every]]}


def _percent(value: float, reference: float) -> str:
    return f"{value / reference - 1:+.1%}" if reference > 0 else "-"
