"""Devices by name, and random states that come back."""

from __future__ import annotations

import pytest
import torch

from molkd.errors import ConfigError
from molkd.runtime import devices


def test_auto_takes_the_fastest_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for cuda, mps, expected in (
        (True, True, "cuda"),
        (False, True, "mps"),
        (False, False, "cpu"),
    ):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=cuda: there)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda there=mps: there)
        assert devices.choose("auto").type == expected


def test_a_device_by_name() -> None:
    assert devices.choose("cpu") == torch.device("cpu")


def _one_of_several(monkeypatch: pytest.MonkeyPatch, local_rank: int) -> None:
    for name, value in (("WORLD_SIZE", 8), ("RANK", 4 + local_rank), ("LOCAL_RANK", local_rank)):
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)


def test_each_of_several_processes_takes_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    _one_of_several(monkeypatch, 3)
    assert devices.choose("auto") == torch.device("cuda", 3)
    assert devices.choose("cpu") == torch.device("cpu")


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _one_of_several(monkeypatch, 4)
    with pytest.raises(
        ConfigError, match=r"5 or more processes .* give torchrun --nproc-per-node 4"
    ):
        devices.choose("auto")


@pytest.mark.parametrize("name", ["abacus", "cuda:99", "", "meta"])
def test_what_is_no_device_here_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"device '{name}' is not available here: use auto"):
        devices.choose(name)


def test_random_numbers_go_on_from_a_kept_state() -> None:
    cpu = torch.device("cpu")
    before = torch.get_rng_state()
    states = devices.random_state(cpu)
    first = torch.rand(3)
    devices.set_random_state(states, cpu)
    assert torch.equal(torch.rand(3), first)
    torch.set_rng_state(before)


@pytest.mark.gpu
def test_random_numbers_of_a_gpu_go_on_from_a_kept_state() -> None:
    gpu = devices.choose("cuda")
    states = devices.random_state(gpu)
    first = torch.rand(3, device=gpu)
    devices.set_random_state(states, gpu)
    assert torch.equal(torch.rand(3, device=gpu), first)
