"""Kinds of items by name: what a teacher or student says it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from molkd.items.base import Checked, ItemKind
from molkd.items.images import IMAGES
from molkd.items.molecules import MOLECULES
from molkd.items.texts import TEXTS

__all__ = ["IMAGES", "KINDS", "MOLECULES", "TEXTS", "Checked", "ItemKind", "check"]

KINDS: Mapping[str, ItemKind] = {kind.name: kind for kind in (MOLECULES, TEXTS, IMAGES)}
"""Name -> kind: "molecules", "texts", "images"."""


def check(items: Sequence[object], *, kind: str, level: str) -> Checked:
    """Reads items of a kind; pickled by its own name, it reaches worker processes without torch.

    Args:
        items: of any usual form.
        kind: a key of `KINDS`.
        level: one of the kind's standardisations.
    """
    return KINDS[kind].check(items, level)
