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
