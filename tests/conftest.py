"""Fixtures shared by all tests."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile("molkd", deadline=None, max_examples=50)  # a loaded machine is no failure
settings.load_profile("molkd")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and weights: $MOLKD_SHARED, or `shared` beside the checkout."""
    folder = Path(os.environ.get("MOLKD_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is not there; set MOLKD_SHARED")
    return folder


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[None]:
    """Ray with two cores on this machine; tests of the group "ray" share it."""
    from molkd.runtime.cluster.connection import connected

    with connected(2):
        yield


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips tests marked `gpu` where there is none."""
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("no CUDA device")


def pytest_collection_finish() -> None:
    """Spares all later garbage collections what the imports made, which stays anyway."""
    gc.collect()
    gc.freeze()
