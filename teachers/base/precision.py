"""How teachers compute on a GPU: without shortcuts in precision."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

import torch


@contextlib.contextmanager
def no_tf32() -> Generator[None]:
    """Without TF32, which rounds to three digits on a GPU, whatever the program around chose."""
    products: Any = torch.backends.cuda.matmul
    # The older switch of torch before 2.9 cannot be read once somebody has set the newer one.
    newer = hasattr(products, "fp32_precision")
    switch, off = ("fp32_precision", "ieee") if newer else ("allow_tf32", False)
    before = getattr(products, switch)
    setattr(products, switch, off)
    try:
        with torch.backends.cudnn.flags(allow_tf32=False):  # which turns cuDNN off as well
            yield
    finally:
        setattr(products, switch, before)
