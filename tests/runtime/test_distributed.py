"""Processes that train together; what two of them do is in tests/distillation/test_sharing.py."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from molkd.errors import ConfigError, WorkerDiedError
from molkd.runtime import distributed


def test_one_process_is_all_of_them():
    with distributed.joined(torch.device("cpu")):
        assert distributed.main()
        assert not distributed.several()
        assert distributed.share(7) == slice(0, 7)
        assert distributed.total(torch.ones(2)).tolist() == [1, 1]
        assert distributed.from_main(lambda: "answer") == "answer"
        distributed.refuse_others("anything")
        with distributed.main_first():
            pass


@given(count=st.integers(0, 50), size=st.integers(1, 9))
def test_shares_cover_all_once_and_differ_by_one(count: int, size: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distributed, "_PATIENT", [None])
        patch.setenv("WORLD_SIZE", str(size))
        shares: list[range] = []
        for rank in range(size):
            patch.setenv("RANK", str(rank))
            shares.append(range(count)[distributed.share(count)])
    assert [row for share in shares for row in share] == list(range(count))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("mps", "several processes train on cuda or cpu, not on mps"),
        ("cuda:0", "2 processes on this machine cannot share cuda:0: give --device cuda"),
        ("cpu", "cannot find the other processes .*MASTER_ADDR.* start with 'torchrun"),
    ],
)
def test_processes_that_cannot_work_together_are_refused(
    monkeypatch: pytest.MonkeyPatch, device: str, message: str
):
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    values = {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=message), distributed.joined(torch.device(device)):
        pass


def test_a_broken_connection_is_not_taken_for_the_cause():
    said = "[/a/b/pair.cc:5] Connection closed by peer [::1]:9. This is typically caused by more"
    with (
        pytest.raises(WorkerDiedError, match=r"that is the cause.*\(Connection .*\[::1\]:9\)$"),
        distributed._explained(),
    ):
        raise RuntimeError(said)


def test_what_a_device_says_is_left_as_it_is():
    with pytest.raises(torch.OutOfMemoryError, match="memory"), distributed._explained():
        raise torch.OutOfMemoryError("memory")
