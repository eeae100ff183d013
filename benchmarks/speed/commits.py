"""Two commits against each other: both checked out, measured by turns, cell by cell."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path

from molkd.benchmarks.embedders import Embedder
from molkd.benchmarks.speed.corpus import Library
from molkd.benchmarks.speed.job import SpeedOptions
from molkd.benchmarks.speed.records import SpeedCell, SpeedMeasurement, SpeedRequest, Work
from molkd.benchmarks.speed.subprocess_ import CellError
from molkd.errors import ConfigError

HERE = "."
"""Stands for the working tree as it is."""

MeasureIn = Callable[[SpeedRequest, Path], SpeedMeasurement]
"""Measures one cell with the molkd of a folder; raises `CellError`."""


@contextlib.contextmanager
def trees(root: Path, commits: Sequence[str]) -> Generator[list[Path]]:
    """Checks commits out into temporary worktrees, and removes these at the end.

    Each gets the `benchmarks` of the working tree, so that the same code measures both, and so that
    commits can be measured that are older than it.

    Args:
        root: a git checkout of molkd.
        commits: what git can resolve, or `HERE`.

    Raises:
        ConfigError: the folder is no checkout, git is not there, or there is no such commit.
    """
    with tempfile.TemporaryDirectory(prefix="molkd-commits-") as folder:
        folders: list[Path] = []
        try:
            for place, commit in enumerate(commits):
                if commit == HERE:
                    folders.append(root)
                    continue
                tree = Path(folder) / str(place)
                _git(root, "worktree", "add", "--quiet", "--detach", str(tree), commit)
                folders.append(tree)
                _overlay(root, tree)
            yield folders
        finally:
            for tree in folders:
                if tree != root:
                    _git(root, "worktree", "remove", "--force", str(tree))


def run(
    embedders: Sequence[tuple[Embedder, Sequence[tuple[Work, int]]]],
    library: Library,
    options: SpeedOptions,
    roots: Sequence[Path],
    *,
    measure: MeasureIn,
    say: Callable[[str], None],
) -> tuple[list[SpeedCell], list[SpeedCell]]:
    """Measures every cell by turns with both molkd: old new old new ..., a process each.

    Args:
        embedders: each with its cells.
        library: the items.
        options: how to measure; there are as many processes on each side as rounds, with one round
            each, since processes differ more from each other than rounds of one.
        roots: folders of the old and the new molkd.
        measure: measures one cell.
        say: is told what happens.

    Returns:
        The old cells and the new ones.
    """
    sides: tuple[list[SpeedCell], list[SpeedCell]] = ([], [])
    each = replace(options, repeats=1, seconds=options.seconds / options.repeats)
    with tempfile.TemporaryDirectory() as folder:
        items = Path(folder) / "items.txt"
        library.write(items, max(options.sizes))
        for embedder, cells in embedders:
            for work, size in cells:
                say(f"{embedder.label}, {work} of {size:,} ...")
                request = each.request(embedder.spec, library.modality.name, work, size, items)
                pair = _by_turns(request, roots, options.repeats, measure)
                for side, one in zip(sides, pair, strict=True):
                    cell = SpeedCell(
                        label=embedder.label, digest=embedder.digest, work=work, size=size
                    )
                    changed = {"error": one} if isinstance(one, str) else {"measured": one}
                    side.append(replace(cell, **changed))
    return sides


def _by_turns(
    request: SpeedRequest, roots: Sequence[Path], repeats: int, measure: MeasureIn
) -> list[SpeedMeasurement | str]:
    """Measures the cell with each molkd in turn; what failed once is not asked again."""
    runs: list[list[SpeedMeasurement]] = [[] for _ in roots]
    errors = [""] * len(roots)
    for _ in range(repeats):
        for side, root in enumerate(roots):
            if errors[side]:
                continue
            try:
                measured = measure(request, root)
            except CellError as error:
                errors[side] = str(error)
                continue
            runs[side].append(measured)
            request = replace(request, count=measured.count)  # the same items for all
    return [errors[side] or _pooled(one) for side, one in enumerate(runs)]


def _pooled(measured: Sequence[SpeedMeasurement]) -> SpeedMeasurement:
    """Makes one record of several processes; their rounds follow each other."""
    rounds = {
        name: tuple(seconds for one in measured for seconds in one.rounds[name])
        for name in measured[0].rounds
    }
    return replace(measured[0], rounds=rounds)


def _overlay(root: Path, tree: Path) -> None:
    target = tree / "benchmarks"
    shutil.rmtree(target, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__", "results")
    shutil.copytree(root / "benchmarks", target, ignore=ignored)
    link = tree / "molkd" / "benchmarks"
    if not link.exists():
        link.symlink_to("../benchmarks")


def _git(root: Path, *arguments: str) -> None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise ConfigError("comparing commits needs git, which is not installed") from error
    if done.returncode:
        raise ConfigError(f"git {arguments[0]} {arguments[-1]}: {done.stderr.strip()}")
