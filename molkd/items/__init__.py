"""Kinds of items by name: what a teacher or student says it reads."""

from __future__ import annotations

from collections.abc import Mapping

from molkd.items.base import Checked, ItemKind
from molkd.items.images import IMAGES
from molkd.items.molecules import MOLECULES
from molkd.items.texts import TEXTS

__all__ = ["IMAGES", "KINDS", "MOLECULES", "TEXTS", "Checked", "ItemKind"]

KINDS: Mapping[str, ItemKind] = {kind.name: kind for kind in (MOLECULES, TEXTS, IMAGES)}
"""Name -> kind: "molecules", "texts", "images"."""
