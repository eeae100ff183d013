"""The noise floor of an embedding is the share of its variance that is variance over draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from molkd import teachers
from molkd.benchmarks.diagnostics.noise_floor import draw, noise_floor
from molkd.errors import ConfigError, InputError
from molkd.types import Embeddings


def _drawn(noise: list[float], *, draws: int = 4, items: int = 20_000) -> Any:
    """Dimensions of sd 1 over items, with noise of the sd given on top."""
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(1, items, len(noise)))
    return (signal + rng.normal(size=(draws, items, len(noise))) * noise).astype(np.float32)


def test_shares_are_those_that_were_put_in() -> None:
    floor = noise_floor(_drawn([0, 0.5, 1, 3]))
    shares = [0, 0.2, 0.5, 0.9]
    assert floor.mean == pytest.approx(np.mean(shares), abs=0.01)
    assert floor.median == pytest.approx(0.35, abs=0.01)
    assert floor.whole == pytest.approx(10.25 / 14.25, abs=0.01)
    assert floor.worst == pytest.approx(np.quantile(shares, 0.9), abs=0.01)
    assert (floor.dims, floor.items, floor.failed, floor.draws) == (4, 20_000, 0, 4)


def test_pure_noise_is_all_noise() -> None:
    drawn = np.random.default_rng(1).normal(size=(3, 20_000, 5)).astype(np.float32)
    assert noise_floor(drawn).whole == pytest.approx(1, abs=0.01)


def test_constant_columns_and_failed_items_are_left_out() -> None:
    drawn = np.concatenate([_drawn([1]), np.full((4, 20_000, 1), 7, dtype=np.float32)], axis=2)
    drawn[2, 5] = np.nan
    floor = noise_floor(drawn)
    assert (floor.dims, floor.items, floor.failed) == (1, 19_999, 1)
    assert floor.mean == floor.whole == pytest.approx(0.5, abs=0.01)


def test_too_few_items_or_nothing_to_measure() -> None:
    with pytest.raises(InputError, match="only 9 of 9 items could be embedded"):
        noise_floor(_drawn([1], items=9))
    with pytest.raises(InputError, match="all columns are constant over 10 items"):
        noise_floor(np.ones((2, 10, 3), dtype=np.float32))


@dataclass
class _Drawing:
    """Says from which seed it drew, and what it was given."""

    seed: int = 5
    conformers: int = 3
    card = teachers.make("maccs").card

    def get_params(self, deep: bool = True) -> dict[str, int]:
        return {"seed": self.seed, "conformers": self.conformers}

    def set_params(self, seed: int) -> None:
        self.seed = seed

    def embed(self, items: list[int]) -> Embeddings:
        values = np.tile(np.array([[self.seed], *([item] for item in items)])[1:], self.card.dim)
        return Embeddings((values * 1000 + self.seed).astype(np.float32), {})


def test_draws_share_no_conformer() -> None:
    teacher = _Drawing()
    drawn = draw(teacher, list(range(70)), draws=3)
    assert drawn.shape == (3, 70, 167)
    assert drawn[:, 0, 0].tolist() == [5, 8, 11]
    np.testing.assert_array_equal(drawn[1, :, 0], np.arange(70) * 1000 + 8)
    assert teacher.seed == 5


def test_what_draws_nothing_has_no_noise() -> None:
    with pytest.raises(ConfigError, match="maccs draws nothing"):
        draw(teachers.make("maccs"), ["C"], draws=2)
    with pytest.raises(ConfigError, match="at least 2 draws, not 1"):
        draw(_Drawing(), [0], draws=1)
