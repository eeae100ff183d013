"""The table of a search for analogues, as cells and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from molkd.benchmarks.analogues.records import Found, Run
from molkd.benchmarks.reports import markdown
from molkd.benchmarks.reports.document import Chapter, Document, Grid
from molkd.benchmarks.reports.tables import NONE, cells, signed
from molkd.benchmarks.statistics.significance import Values, intervals
from molkd.runtime import files

PAGE = "analogues.md"

COLUMNS = (
    *("embedder", "metric", "dim", "found", "95 % interval"),
    *("difference", "95 % interval of it", "first", "times the reference's", "95 % interval of it"),
)


_SHARED = {
    "scaffold": "with the same Bemis-Murcko scaffold, without stereochemistry,",
    "framework": "that have different Bemis-Murcko scaffolds, one molecule of each, but the same "
    "framework (the scaffold with all atoms and bonds alike)",
}


def rows(found: Sequence[Found]) -> list[list[str]]:
    """Returns one row of cells per embedder and metric, in the order of `COLUMNS`.

    Args:
        found: the reference first, all on the same series.
    """
    shares = np.array([one.shares for one in found]).T
    firsts = np.log(np.array([one.firsts for one in found]).T)
    gain, delay = shares - shares[:, :1], firsts - firsts[:, :1]
    within, gained, delayed = (intervals(part, seed=0) for part in (shares, gain, delay))
    lines: list[list[str]] = []
    for place, one in enumerate(found):
        line = [one.embedder, one.metric, f"{one.dim:,}", f"{shares[:, place].mean():.3f}"]
        line += [_ends(within, place, "{:.3f}"), signed(float(gain[:, place].mean()))]
        line += [_ends(gained, place, "{:+.3f}")]
        times = None if delayed is None else np.exp(delayed)
        line += [f"{np.exp(firsts[:, place].mean()):.2f}", f"{np.exp(delay[:, place].mean()):.2f}"]
        line += [_ends(times, place, "{:.2f}")]
        lines.append(line if place else [*line[:5], "reference", NONE, line[7], NONE, NONE])
    return lines


def write(folder: Path, run: Run, found: Sequence[Found]) -> Path:
    """Writes `analogues.md`: what was asked, one table, and what was left out.

    Args:
        folder: where to write.
        run: what was asked.
        found: see `rows`.

    Raises:
        OutputError: the folder cannot be written.
    """
    table = tuple(cells(line) for line in rows(found))
    caption = (
        f"Found: mean over series of the share of analogues among the first "
        f"{run.settings['neighbours']} neighbours. First: rank of the first analogue, geometric "
        "mean over series. Intervals: bootstrap over series; differences and ratios to the "
        "reference are paired."
    )
    grid = Grid(caption, cells(COLUMNS), table, "llr" + "r" * (len(COLUMNS) - 3))
    chapter = Chapter(title="Analogues found", lead=lead(run), points=run.notes, grids=(grid,))
    members = sum(count for _, _, count in run.series)
    facts = (
        ("series", f"{len(run.series):,}"),
        ("actives", f"{members:,}"),
        ("targets", str(len({target for target, _, _ in run.series}))),
        ("decoys", f"{run.decoys:,}"),
    )
    page = folder / PAGE
    text = markdown.render(Document("Analogues among decoys", facts, (chapter,)))
    files.write_bytes(page, text.encode())
    return page


def lead(run: Run) -> str:
    """Says what a series is, and how it is looked for."""
    about = run.settings
    return (
        f"A series: at least {about['least_members']} actives of one target of MoleculeACE (Ki or "
        f"EC50 at most {about['most_nm']:,.0f} nM) {_SHARED[about['by']]} of at least "
        f"{about['least_rings']} rings. Stereoisomers and charge states count once, and so does "
        "what several targets share: with the target that has most of its actives. Each active "
        "looks for the others among the decoys by exact search; of equal similarities decoys stand "
        "first. No decoy is a molecule of the tables or has the scaffold of a member."
    )


def _ends(ends: Values | None, place: int, form: str) -> str:
    if ends is None:
        return NONE
    low, high = (form.format(end).replace("-", "\N{MINUS SIGN}") for end in ends[:, place])
    return f"{low} to {high}"
