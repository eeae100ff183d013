"""SMILES as rows of character codes, for models with a fixed alphabet."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def refusal(text: str, *, alphabet: str, longest: int) -> str | None:
    """Says why a model cannot read a string, or None where it can.

    Args:
        text: the SMILES that the model would get.
        alphabet: every character the model knows.
        longest: characters the model takes at most.
    """
    if len(text) > longest:
        return f"canonical SMILES of {len(text)} characters; the model reads at most {longest}"
    unknown = sorted(set(text) - set(alphabet))
    if unknown:
        names = ", ".join(map(repr, unknown))
        return f"canonical SMILES {text} has {names}, unknown to the model"
    return None


def encoded(text: str, alphabet: str) -> Tensor:
    """Returns the position of every character in the alphabet; shape (len(text),), int64."""
    table = np.zeros(128, dtype=np.int64)
    table[np.frombuffer(alphabet.encode("ascii"), dtype=np.uint8)] = np.arange(len(alphabet))
    return torch.from_numpy(table[np.frombuffer(text.encode("ascii"), dtype=np.uint8)])
