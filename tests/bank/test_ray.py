"""Banks that are filled by a cluster of Ray."""

from __future__ import annotations

from pathlib import Path

import pytest

from molkd.bank import Bank
from molkd.bank.builder import build
from molkd.errors import IncompleteBankError, UnknownNameError, WorkerDiedError
from tests.fakes.fake_teachers import FakeTeacher

pytestmark = [pytest.mark.xdist_group("ray"), pytest.mark.timeout(600)]

ITEMS = [f"item {row}" for row in range(100)]


def _bits(bank: Bank) -> dict[str, list[bytes]]:
    return {
        name: [(folder.path / file).read_bytes() for file in ("values.npy", "valid.npy")]
        for name, folder in bank.folders.items()
    }


@pytest.mark.usefixtures("ray_cluster")
def test_a_bank_that_a_cluster_fills_is_the_same_and_goes_on_where_a_worker_died(
    tmp_path: Path,
) -> None:
    items = [*ITEMS[:50], "die", *ITEMS[50:]]
    teachers = [FakeTeacher(name="one"), FakeTeacher(name="other", support="bits")]
    with (
        pytest.warns(UserWarning, match=r"died: .*\brows 48 to 63\b.* are done again"),
        pytest.raises(WorkerDiedError, match="3 workers died over rows 48 to 63"),
    ):
        build(tmp_path / "bank", items, teachers, jobs=2, engine="ray", block=16, progress=False)
    with pytest.raises(IncompleteBankError, match="has 48 of 101 rows"):
        Bank.open(tmp_path / "bank")
    harmless = [FakeTeacher(name="one", obeys=False), FakeTeacher("other", 5, "bits", obeys=False)]
    bank = build(tmp_path / "bank", items, harmless, jobs=2, engine="ray", block=16, progress=False)
    whole = build(tmp_path / "whole", items, harmless, block=16, progress=False)
    assert _bits(bank) == _bits(whole)


def test_an_engine_that_is_not_there_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown engine 'rai'\. Did you mean 'ray'"):
        build(tmp_path / "bank", ITEMS, [FakeTeacher()], engine="rai")
    assert list(tmp_path.iterdir()) == []
