"""What a benchmark needs to know of items: which are the same, which belong together in a split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from molkd import images, text
from molkd.benchmarks import structures
from molkd.benchmarks.task import Item, SplitName, told_apart_by

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


def keys(reads: str, items: Sequence[Item]) -> list[str]:
    """Returns one text per item, equal for equal items; an unreadable one has its own."""
    return _keys(HANDLED[reads].key, items)


def readable(reads: str, item: Item) -> bool:
    """Whether an item can be read at all."""
    return HANDLED[reads].key(item) is not None


def _keys(key: Callable[[Any], str | None], items: Sequence[Item]) -> list[str]:
    return [key(item) or told_apart_by(item) for item in items]


def _key_of_text(item: str) -> str | None:
    try:
        return text.read(item).strip()
    except text.InvalidTextError:
        return None


def _key_of_image(item: images.ImageItem) -> str | None:
    try:
        images.decode(item)
    except images.InvalidImageError:
        return None
    return images.key(item)


def _grey_square() -> bytes:
    image = images.stored(np.full((32, 32), 128, dtype=np.uint8))
    return image if isinstance(image, bytes) else image.read_bytes()


def _molecules(items: Sequence[str]) -> list[str]:
    return _keys(structures.canonical, items)


def _texts(items: Sequence[str]) -> list[str]:
    return _keys(_key_of_text, items)


def _images(items: Sequence[images.ImageItem]) -> list[str]:
    return list(map(told_apart_by, items))


def _scaffolds(items: Sequence[str]) -> list[str]:
    return [structures.scaffold(item) for item in items]


def _clusters(items: Sequence[str]) -> Sequence[str]:
    return structures.clusters(tuple(items))


HANDLED: Mapping[str, Handled] = {
    "molecules": Handled(
        key=structures.canonical,
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
