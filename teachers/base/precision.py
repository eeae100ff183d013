"""How teachers compute: without gradients and without shortcuts in precision."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

import torch


@contextlib.contextmanager
def exact() -> Generator[None]:
    """Without gradients, and without TF32, which would round on a GPU to three digits."""
    with torch.inference_mode(), torch.backends.cudnn.flags(allow_tf32=False):
        yield
