"""What a bank will cost: said before the work, from a few items, without touching the bank."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from molkd.bank import build
from molkd.bank.blocks import RowComputer
from molkd.bank.cost import SAMPLE, Cost, Work, costs, table
from molkd.errors import WeightsError, WorkerDiedError
from molkd.types import Embeddings
from tests.bank.node_teachers import LetterTeacher
from tests.fakes.fake_teachers import FakeTeacher, half_prepared

ITEMS = [f"item {row}" for row in range(500)]


@dataclass
class SlowTeacher(FakeTeacher):
    """Takes the same time for every item."""

    per_item: float = 0.0

    def embed(self, items: Sequence[str], /) -> Embeddings:
        time.sleep(self.per_item * len(items))
        return super().embed(items)


def work_of(*teachers: FakeTeacher, done: int = 0, jobs: int = 1) -> Work:
    names = [teacher.name for teacher in teachers]
    computer = RowComputer(
        dict(zip(names, teachers, strict=True)), dict.fromkeys(names, "fp32"), half_prepared
    )
    return Work(
        computer=computer,
        failures={name: {1: "broken", 400: "broken"} for name in names},
        done=dict.fromkeys(names, done),
        jobs=jobs,
    )


def test_the_slower_teacher_costs_more() -> None:
    fast, slow = FakeTeacher("fast"), SlowTeacher("slow", dim=7, per_item=1e-3)
    first, second, reading = costs(ITEMS, [work_of(fast, slow)], block=100)
    assert (first.name, second.name, reading.name) == ("fast", "slow", "reading")
    assert first.items == second.items == reading.items == 498
    assert first.rate > second.rate
    assert second.rate <= 1000
    assert second.seconds == pytest.approx(498 / second.rate)
    assert (first.megabytes, second.megabytes) == (500 * 5 * 4 / 1e6, 500 * 7 * 4 / 1e6)
    assert reading.megabytes == 0
    assert len(slow.asked) == SAMPLE + 1
    assert "broken" not in " ".join(slow.asked)
    assert "prepared item 499" in slow.asked


def test_only_what_is_missing_is_tried_and_told() -> None:
    teacher = FakeTeacher("one")
    (cost, _) = costs(ITEMS, [work_of(teacher, done=450)], block=50)
    assert (cost.items, cost.megabytes) == (50, 50 * 5 * 4 / 1e6)
    assert {int(item.split()[-1]) for item in teacher.asked} == set(range(450, 500))


def test_where_no_item_can_be_read_nothing_is_tried(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    errors = dict.fromkeys(range(3), "broken")
    with pytest.warns(UserWarning, match="failed on all 3 items"):
        build(tmp_path, ITEMS[:3], [FakeTeacher()], errors=errors, parse=half_prepared)
    assert capsys.readouterr().err == ""


def test_processes_divide_the_time_as_far_as_there_are_blocks() -> None:
    trial = SlowTeacher("slow", per_item=1e-3)
    for jobs, block, at_once in ((2, 100, 2), (2, 500, 1)):
        cost, _ = costs(ITEMS, [work_of(trial, jobs=jobs)], block=block)
        assert cost.seconds == pytest.approx(498 / cost.rate / at_once)


def test_the_table_adds_up() -> None:
    told = [
        Cost(name="minimol", rate=84.2, items=100_000, seconds=1188, megabytes=204.8),
        Cost(name="csp5", rate=2.66, items=1_000, seconds=376, megabytes=2.0),
    ]
    assert table(told).splitlines() == [
        "to compute    items  items/s   time     MB",
        "minimol     100,000       84  19:48  204.8",
        "csp5          1,000      2.7   6:16    2.0",
        "in all                        26:04  206.8",
    ]


def test_a_bank_says_it_once_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some = [FakeTeacher("one"), FakeTeacher("two", dim=3)]
    build(tmp_path / "told", ITEMS, some, block=64)
    told = capsys.readouterr().err
    assert re.search(r"^one +500 .*^two +500 .*^in all .* 0\.0$", told, re.DOTALL | re.MULTILINE)
    build(tmp_path / "told", ITEMS, some, block=64)
    build(tmp_path / "quiet", ITEMS, some, block=64, progress=False)
    assert capsys.readouterr().err == ""
    assert _files(tmp_path / "told") == _files(tmp_path / "quiet")


def test_a_complete_teacher_is_asked_nothing(tmp_path: Path) -> None:
    build(tmp_path, ITEMS, [FakeTeacher("one")], progress=False)
    one, two = FakeTeacher("one"), FakeTeacher("two")
    build(tmp_path, ITEMS, [one, two])
    assert not one.asked
    assert len(two.asked) == len(ITEMS) + SAMPLE + 1


def test_nodes_are_told_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    teacher = LetterTeacher("letters", width=300)
    bank = build(tmp_path, ITEMS, [teacher], nodes=["letters"])
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "(nodes)" in line]
    on_disk = sum(map(len, ITEMS)) * 300 * 2 / 1e6  # 300 numbers of two bytes per letter
    assert re.match(r"letters \(nodes\) +500 ", line)
    assert float(line.split()[-1]) == pytest.approx(on_disk, rel=0.05)
    assert len(bank.nodes("letters", np.arange(500))[0]) == sum(map(len, ITEMS))


@pytest.mark.parametrize(("jobs", "word"), [(1, "weights"), (2, "weights"), (2, "die")])
def test_a_teacher_that_cannot_be_tried_fails_in_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], jobs: int, word: str
) -> None:
    error = WorkerDiedError if word == "die" else WeightsError
    with pytest.raises(error):
        build(tmp_path, [f"{word} {row}" for row in range(9)], [FakeTeacher()], jobs=jobs, block=3)
    assert "in all" not in capsys.readouterr().err


def test_a_broken_item_of_a_trial_is_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bank = build(tmp_path, ["raise 1", "fail 2", "nan 3", "fine"], [FakeTeacher()], block=2)
    assert list(bank.failures("fake")) == [0, 1, 2]
    assert "in all" in capsys.readouterr().err


def _files(folder: Path) -> dict[Path, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder): path.read_bytes() for path in found}
