"""Two commits by turns, in a small repository of its own."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from molkd.benchmarks.speed import commits
from molkd.benchmarks.speed.comparison import compare
from molkd.benchmarks.speed.corpus import Library
from molkd.benchmarks.speed.job import SpeedOptions
from molkd.benchmarks.speed.records import SpeedMeasurement, SpeedRequest
from molkd.benchmarks.speed.subprocess_ import CellError
from molkd.errors import ConfigError
from tests.fakes.speed import Named, measured

LIBRARY = Library("drugs.smi", ("C", "CC"))
OPTIONS = SpeedOptions(sizes=(50,), seconds=10.0, repeats=5)


def _git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit before there were benchmarks, one after, and a change that is not committed."""
    root = tmp_path / "checkout"
    (root / "molkd").mkdir(parents=True)
    (root / "molkd" / "__init__.py").write_text("old = True\n")
    _git(root, "init", "--quiet", "--initial-branch=main")
    _git(root, "add", ".")
    _git(root, "commit", "--quiet", "-m", "old")
    _git(root, "tag", "old")
    (root / "molkd" / "__init__.py").write_text("old = False\n")
    (root / "benchmarks").mkdir()
    (root / "benchmarks" / "measure.py").write_text("version = 1\n")
    (root / "molkd" / "benchmarks").symlink_to("../benchmarks")
    _git(root, "add", ".")
    _git(root, "commit", "--quiet", "-m", "new")
    (root / "benchmarks" / "measure.py").write_text("version = 2\n")
    return root


def test_commits_are_checked_out_with_the_same_measuring_code(repository: Path) -> None:
    with commits.trees(repository, ("old", "main")) as (old, new):
        assert (old / "molkd" / "__init__.py").read_text() == "old = True\n"
        assert (new / "molkd" / "__init__.py").read_text() == "old = False\n"
        for tree in (old, new):
            assert (tree / "molkd" / "benchmarks" / "measure.py").read_text() == "version = 2\n"
    assert not old.exists()
    assert len(_git(repository, "worktree", "list").splitlines()) == 1
    assert _git(repository, "status", "--short").splitlines() == [" M benchmarks/measure.py"]


def test_worktrees_go_when_the_measurement_is_stopped(repository: Path) -> None:
    with pytest.raises(KeyboardInterrupt), commits.trees(repository, ("old", "main")):
        raise KeyboardInterrupt
    assert len(_git(repository, "worktree", "list").splitlines()) == 1


def test_the_working_tree_is_measured_where_it_is(repository: Path) -> None:
    with commits.trees(repository, ("old", commits.HERE)) as (old, new):
        assert new == repository
        assert old != repository
    assert (repository / "benchmarks" / "measure.py").exists()


def test_an_unknown_commit_is_refused_and_nothing_stays(repository: Path) -> None:
    with (
        pytest.raises(ConfigError, match=r"worktree nowhere: .*nowhere"),
        commits.trees(repository, ("old", "nowhere")),
    ):
        pass
    assert len(_git(repository, "worktree", "list").splitlines()) == 1


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="git"), commits.trees(tmp_path, ("old",)):
        pass


@dataclass
class Molkds:
    """The new molkd takes twice as long; a folder called "broken" fails."""

    asked: list[tuple[str, SpeedRequest]] = field(default_factory=list[tuple[str, SpeedRequest]])

    def ask(self, request: SpeedRequest, root: Path) -> SpeedMeasurement:
        self.asked.append((root.name, request))
        if root.name == "broken":
            raise CellError("ImportError: no students")
        ratio = {"old": 2.0, "new": 4.0}[root.name] + 0.01 * len(self.asked)
        return measured([ratio] * request.repeats, count=request.count or 33)


def test_processes_alternate_and_measure_the_same_molecules() -> None:
    molkds = Molkds()
    embedders = [(Named("a"), [("embedding", 50), ("training", 50)])]
    old, new = commits.run(
        embedders,  # pyright: ignore[reportArgumentType]
        LIBRARY,
        OPTIONS,
        [Path("old"), Path("new")],
        measure=molkds.ask,
        say=lambda _: None,
    )
    assert [name for name, _ in molkds.asked] == ["old", "new"] * 10
    requests = [request for _, request in molkds.asked[:10]]
    assert [request.count for request in requests] == [None] + [33] * 9
    assert molkds.asked[10][1].count is None, "another cell begins anew"
    assert {(request.repeats, request.seconds) for request in requests} == {(1, 2.0)}
    assert [len(cell.measured.ratios()) for cell in old if cell.measured] == [5, 5]
    assert {change.verdict for change in compare(old, new)} == {"slower"}


def test_a_side_that_fails_is_not_asked_again() -> None:
    molkds = Molkds()
    old, new = commits.run(
        [(Named("a"), [("embedding", 50)])],
        LIBRARY,
        OPTIONS,
        [Path("broken"), Path("new")],
        measure=molkds.ask,
        say=lambda _: None,
    )
    assert [name for name, _ in molkds.asked] == ["broken"] + ["new"] * 5
    assert old[0].error == "ImportError: no students"
    (change,) = compare(old, new)
    assert (change.verdict, change.note) == ("only new", "ImportError: no students")
