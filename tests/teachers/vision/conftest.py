"""Fixtures shared by the tests of image teachers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest


@pytest.fixture(scope="session")
def cifar(shared: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images, shape (2000, 32, 32, 3), and their classes."""
    with np.load(shared / "data" / "vision" / "cifar10_test_2000.npz", allow_pickle=False) as data:
        return data["x"], data["y"]


@pytest.fixture(scope="session")
def pictures() -> list[Any]:
    """Images of different sizes and proportions, smooth like photographs."""
    rng = np.random.default_rng(0)
    sizes = [(32, 32), (48, 32), (20, 64), (97, 101), (1, 1), (64, 64)]
    return [_smooth(rng, height, width) for height, width in sizes]


def _smooth(rng: np.random.Generator, height: int, width: int) -> npt.NDArray[np.uint8]:
    from PIL import Image

    coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
