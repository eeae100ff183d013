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
    try:
        switch, off, before = "allow_tf32", False, products.allow_tf32
    except RuntimeError:  # torch refuses to read it where the program has set its newer switch
        switch, off, before = "fp32_precision", "ieee", products.fp32_precision
    setattr(products, switch, off)
    cudnn = torch.backends.cudnn
    others: dict[str, Any] = {  # what is not named here is switched off: see findings/
        name: getattr(cudnn, name) for name in ("enabled", "benchmark", "deterministic")
    }
    try:
        with cudnn.flags(**others, allow_tf32=False):
            yield
    finally:
        setattr(products, switch, before)
