"""What a benchmark needs to know of items: which are the same, which belong together in a split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from molkd.benchmarks.tasks import molecule_keys
from molkd.benchmarks.tasks.task import Item, SplitName, told_apart_by
from molkd.items.images import decoding
from molkd.items.texts import reading

Grouping = Callable[[Sequence[Any]], Sequence[str]]
"""n items -> n keys; items of equal keys stay on one side of a split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """One kind of items.

    Attributes:
        key: item -> a text that is equal for equal items, or None where it cannot be read.
        unreadable: those that cannot be read, in words.
        groups: ways to split -> what stays together; a split that is not here has no meaning.
        example: makes an item, to try a model on.
    """

    key: Callable[[Any], str | None]
    unreadable: str
    groups: Mapping[SplitName, Grouping]
    example: Callable[[], Item]


def keys(modality: str, items: Sequence[Item]) -> list[str]:
    """Returns one text per item, equal for equal items; an unreadable one has its own."""
    return _keys(HANDLED[modality].key, items)


def readable(modality: str, item: Item) -> bool:
    """Whether an item can be read at all."""
    return HANDLED[modality].key(item) is not None


def _keys(key: Callable[[Any], str | None], items: Sequence[Item]) -> list[str]:
    return [key(item) or told_apart_by(item) for item in items]


def _key_of_text(item: str) -> str | None:
    try:
        return reading.read(item).strip()
    except reading.InvalidTextError:
        return None


def _key_of_image(item: decoding.ImageItem) -> str | None:
    try:
        decoding.decode(item)
    except decoding.InvalidImageError:
        return None
    return decoding.key(item)


def _grey_square() -> bytes:
    image = decoding.stored(np.full((32, 32), 128, dtype=np.uint8))
    return image if isinstance(image, bytes) else image.read_bytes()


def _molecules(items: Sequence[str]) -> list[str]:
    return _keys(molecule_keys.canonical, items)


def _texts(items: Sequence[str]) -> list[str]:
    return _keys(_key_of_text, items)


def _images(items: Sequence[decoding.ImageItem]) -> list[str]:
    return list(map(told_apart_by, items))


def _scaffolds(items: Sequence[str]) -> list[str]:
    return [molecule_keys.scaffold(item) for item in items]


def _clusters(items: Sequence[str]) -> Sequence[str]:
    return molecule_keys.clusters(tuple(items))


HANDLED: Mapping[str, Handled] = {
    "molecules": Handled(
        key=molecule_keys.canonical,
        unreadable="molecules that RDKit cannot read",
        groups={
            "given": _scaffolds,
            "random": _molecules,
            "scaffold": _scaffolds,
            "cluster": _clusters,
            "time": _molecules,
        },
        example=lambda: "CCO",
    ),
    "texts": Handled(
        key=_key_of_text,
        unreadable="texts that are empty or not UTF-8",
        groups={"given": _texts, "random": _texts, "time": _texts},
        example=lambda: "A sentence.",
    ),
    "images": Handled(
        key=_key_of_image,
        unreadable="images that cannot be decoded",
        groups={"given": _images, "random": _images, "time": _images},
        example=_grey_square,
    ),
}
"""What tasks, teachers and students read -> how it is handled.

Where test rows are given, validation rows are drawn by what "given" keeps together."""
