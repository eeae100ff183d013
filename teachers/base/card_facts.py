"""What cards of different families say in the same words."""

from __future__ import annotations

import re

UNSTATED = "not stated upstream: see the hub page"
"""Stands for a licence that no source states."""


def kebab(text: str) -> str:
    """Returns a name that a card can carry: "My Model_v2" is "my-model-v2"."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-")
