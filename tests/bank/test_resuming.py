"""Banks that were interrupted, filled the disk, exist already or are of something else."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil
import pytest

from molkd.bank import Bank
from molkd.bank.builder import build
from molkd.errors import (
    ConfigError,
    CorruptFileError,
    IncompleteBankError,
    OutputError,
    StaleBankError,
    WorkerDiedError,
)
from molkd.runtime import files
from tests.fakes.fake_teachers import FakeTeacher

ITEMS = [f"item {row}" for row in range(100)]


def _build(path: Path, items: Sequence[str], *teachers: FakeTeacher, **options: Any) -> Bank:
    return build(path, items, teachers, progress=False, **{"block": 16, **options})


def _bits(bank: Bank) -> dict[str, list[bytes]]:
    return {
        name: [(folder.path / file).read_bytes() for file in ("values.npy", "valid.npy")]
        for name, folder in bank.folders.items()
    }


# == Interruption


def test_an_interrupted_bank_resumes_where_it_stopped(tmp_path: Path) -> None:
    items = [*ITEMS[:50], "stop", *ITEMS[50:]]
    with pytest.raises(KeyboardInterrupt):
        _build(tmp_path / "bank", items, FakeTeacher())
    with pytest.raises(IncompleteBankError, match=r"'fake' in .* has 48 of 101 rows: build"):
        Bank.open(tmp_path / "bank")
    resumed = FakeTeacher(obeys=False)
    bank = _build(tmp_path / "bank", items, resumed, block=5)
    assert resumed.asked == items[48:]
    assert _bits(bank) == _bits(_build(tmp_path / "whole", items, FakeTeacher(obeys=False)))


@pytest.mark.parametrize("block", [5, 16, 40])
def test_teachers_that_stopped_at_different_rows_resume_together(
    tmp_path: Path, block: int
) -> None:
    items = [*ITEMS[:50], "stop", *ITEMS[50:]]
    with pytest.raises(KeyboardInterrupt):
        _build(tmp_path / "bank", items, FakeTeacher("far"))
    far, new = FakeTeacher("far", obeys=False), FakeTeacher("new", obeys=False)
    bank = _build(tmp_path / "bank", items, new, far, block=block)
    assert far.asked == items[48:]
    assert new.asked == items
    assert _bits(bank) == _bits(_build(tmp_path / "whole", items, new, far))


def test_a_cut_line_of_the_journal_does_not_count(tmp_path: Path) -> None:
    items = [*ITEMS, "stop"]
    with pytest.raises(KeyboardInterrupt):
        _build(tmp_path / "bank", items, FakeTeacher())
    journal = tmp_path / "bank" / "fake" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-3])
    resumed = FakeTeacher(obeys=False)
    bank = _build(tmp_path / "bank", items, resumed)
    assert resumed.asked == items[80:]
    assert _bits(bank) == _bits(_build(tmp_path / "whole", items, FakeTeacher(obeys=False)))


@pytest.mark.parametrize(
    "line",
    [
        b"\0\0",
        b'{"stop": 9999, "failures": {}}',
        b'{"stop": Infinity, "failures": {}}',
        b'{"stop": 16, "failures": []}',
        b"[" * 5000,
    ],
)
def test_a_damaged_journal_is_named(tmp_path: Path, line: bytes) -> None:
    with pytest.raises(KeyboardInterrupt):
        _build(tmp_path / "bank", [*ITEMS, "stop"], FakeTeacher())
    (tmp_path / "bank" / "fake" / "journal.jsonl").write_bytes(line + b"\n")
    with pytest.raises(CorruptFileError, match=r"cannot read .*journal.jsonl"):
        _build(tmp_path / "bank", [*ITEMS, "stop"], FakeTeacher(obeys=False))


def test_an_interruption_while_sealing_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: Path) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(files, "sha256_of", interrupt)
        with pytest.raises(KeyboardInterrupt):
            _build(tmp_path / "bank", [*ITEMS, "fail"], FakeTeacher())
    resumed = FakeTeacher()
    bank = _build(tmp_path / "bank", [*ITEMS, "fail"], resumed)
    assert resumed.asked == []
    assert bank.failures("fake") == {100: "fail is too hard"}
    bank.verify()


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.fakes.fake_teachers import FakeTeacher
from molkd.bank.builder import build
if __name__ == "__main__":
    items = [f"item {row}" for row in range(100)]
    teachers = [FakeTeacher("a", seconds=0.1), FakeTeacher("b", seconds=0.1, support="bits")]
    build(Path(sys.argv[1]), items, teachers, block=2, jobs=int(sys.argv[3]), progress=False)
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_building_resumes_to_the_same_bits(tmp_path: Path, jobs: int) -> None:
    script = tmp_path / "script.py"
    script.write_text(KILLED)
    root = str(Path(__file__).parents[2])
    command = [sys.executable, str(script), str(tmp_path / "bank"), root, str(jobs)]
    with subprocess.Popen(command) as process:
        journal = tmp_path / "bank" / "b" / "journal.jsonl"
        _wait_for(lambda: journal.exists() and len(journal.read_bytes().splitlines()) > 3)
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    _wait_for(lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE
                              for child in family))  # fmt: skip
    with pytest.raises(IncompleteBankError, match="of 100 rows"):
        Bank.open(tmp_path / "bank")
    teachers = FakeTeacher("a"), FakeTeacher("b", support="bits")
    bank = _build(tmp_path / "bank", ITEMS, *teachers)
    assert len(teachers[1].asked) <= 92
    assert _bits(bank) == _bits(_build(tmp_path / "whole", ITEMS, *teachers))
    bank.verify()


def _wait_for(condition: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def test_a_full_disk_is_explained_and_resumed_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bank"
    fsync = os.fsync

    def full(descriptor: int) -> None:
        fsync(descriptor)
        journal = path / "fake" / "journal.jsonl"
        if journal.exists() and len(journal.read_bytes().splitlines()) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match=r"values.npy: the disk is full: free some space"):
            _build(path, ITEMS, FakeTeacher())
    resumed = FakeTeacher()
    bank = _build(path, ITEMS, resumed)
    assert resumed.asked == ITEMS[48:]
    assert _bits(bank) == _bits(_build(tmp_path / "whole", ITEMS, FakeTeacher()))


def test_a_worker_that_dies_is_explained(tmp_path: Path) -> None:
    with pytest.raises(WorkerDiedError, match="a worker process died"):
        _build(tmp_path / "bank", [*ITEMS, "die"], FakeTeacher(), jobs=2)


def test_a_teacher_that_cannot_travel_is_explained(tmp_path: Path) -> None:
    class Local(FakeTeacher):
        pass

    with pytest.raises(ConfigError, match="cannot be sent to worker processes, use 1 job"):
        _build(tmp_path / "bank", ITEMS, Local(), jobs=2)


# == Banks that exist already


def test_adding_a_teacher_computes_only_this_one(tmp_path: Path) -> None:
    first = _build(tmp_path / "bank", ITEMS, FakeTeacher("a"))
    before = _bits(first)["a"]
    again, new = FakeTeacher("a"), FakeTeacher("b", dim=3)
    bank = _build(tmp_path / "bank", ITEMS, again, new)
    assert again.asked == []
    assert new.asked == ITEMS
    assert _bits(bank)["a"] == before
    assert set(Bank.open(tmp_path / "bank").cards) == {"a", "b"}


def test_a_card_may_hold_any_mapping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = MappingProxyType({"pools": ("mean", "max")})
    card = replace(FakeTeacher().card, options=options)
    monkeypatch.setattr(FakeTeacher, "card", card)
    _build(tmp_path / "bank", ITEMS, FakeTeacher())
    again = FakeTeacher()
    bank = _build(tmp_path / "bank", ITEMS, again)
    assert again.asked == []
    assert bank.cards["fake"].digest == card.digest


def test_another_teacher_by_the_same_name_is_refused(tmp_path: Path) -> None:
    _build(tmp_path / "bank", ITEMS, FakeTeacher())
    difference = r"'fake' in .*options: {'scale': 1.0} there, {'scale': 2.0} now.*delete .*fake"
    with pytest.raises(StaleBankError, match=difference):
        _build(tmp_path / "bank", ITEMS, FakeTeacher(scale=2.0))
    with pytest.raises(StaleBankError, match="dtype: fp32 there, fp16 now"):
        _build(tmp_path / "bank", ITEMS, FakeTeacher(), dtype="fp16")


@pytest.mark.parametrize(
    ("items", "options", "match"),
    [
        ([*ITEMS[:40], "x", *ITEMS[41:]], {}, "row 40 is 'item 40' there and 'x' now"),
        (ITEMS[:60], {}, r"\(100, now 60\): row 60 is 'item 60' there and missing now"),
        ([*ITEMS, "more"], {}, "row 100 is missing there and 'more' now"),
        (ITEMS, {"errors": {3: "broken"}}, "row 3 is valid there and broken now"),
        (ITEMS, {"standardization": "full"}, "standardization 'none', not 'full'"),
    ],
)
def test_a_bank_of_other_items_is_refused(
    tmp_path: Path, items: list[str], options: dict[str, Any], match: str
) -> None:
    _build(tmp_path / "bank", ITEMS, FakeTeacher())
    with pytest.raises(StaleBankError, match=match):
        _build(tmp_path / "bank", items, FakeTeacher("other"), **options)
    assert not (tmp_path / "bank" / "other").exists()


def test_a_damaged_teacher_is_refused_before_anything_is_computed(tmp_path: Path) -> None:
    bank = _build(tmp_path / "bank", ITEMS, FakeTeacher())
    values = bank.folders["fake"].path / "values.npy"
    values.write_bytes(values.read_bytes()[:-1])
    new = FakeTeacher("new")
    with pytest.raises(CorruptFileError, match=r"values.npy"):
        _build(tmp_path / "bank", ITEMS, FakeTeacher(), new)
    assert new.asked == []
