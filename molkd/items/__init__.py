"""Modalities by name, and reading items of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from molkd.deprecated import renamed
from molkd.items.base import Modality, ReadItems
from molkd.items.images.modality import IMAGES
from molkd.items.molecules.modality import MOLECULES
from molkd.items.texts.modality import TEXTS
from molkd.runtime.registry import Registry

__all__ = ["IMAGES", "MODALITIES", "MOLECULES", "TEXTS", "Modality", "ReadItems", "check"]

MODALITIES: Registry[Modality] = Registry(
    "modality", {modality.name: modality for modality in (MOLECULES, TEXTS, IMAGES)}
)


def check(items: Sequence[object], *, modality: str, level: str) -> ReadItems:
    """Reads items; pickled by its own name, it reaches worker processes without torch.

    Args:
        items: of any usual form.
        modality: a name in `MODALITIES`.
        level: one of the modality's standardisations.

    Raises:
        UnknownNameError: there is no such modality.
    """
    return MODALITIES[modality].check(items, level)


if not TYPE_CHECKING:  # a checker would take any name for one of these

    def __getattr__(name: str) -> object:
        return renamed(__name__, name)
