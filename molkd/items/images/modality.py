"""Images as items: files or encoded bytes that are decoded where they are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from molkd.items.base import FileConventions, Modality, ReadItems
from molkd.items.images import decoding
from molkd.items.splits import random_split


def check(items: Sequence[object], _level: str) -> ReadItems:
    """Decodes every image once; a key is the digest of its encoded bytes."""
    keys, images, failures = [""] * len(items), list[Any]([None] * len(items)), dict[int, str]()
    for row, item in enumerate(items):
        try:
            image = decoding.stored(item)
            decoding.decode(image)
            keys[row], images[row] = decoding.key(image), image
        except decoding.InvalidImageError as error:
            failures[row] = str(error)
            keys[row] = str(item) if isinstance(item, str | Path) else ""
    return ReadItems(keys, images, failures)


def parse(items: Sequence[decoding.ImageItem]) -> Sequence[decoding.ImageItem]:
    """Returns files and bytes as they are: a teacher decodes as many at once as it can hold."""
    return items


IMAGES = Modality(
    name="images",
    one="image",
    example="""from molkd import students

vectors = students.load("path/to/this/folder").embed(["picture.png"]).values""",
    style=FileConventions(
        noun="images",
        column="image",
        usual=frozenset({"image", "img", "bytes"}),
        formats=("folder", "parquet"),
        ids=("id", "image_id", "file_name", "filename"),
        binary=True,
    ),
    standardizations=("none",),
    check=check,
    parse=parse,
    splits={"random": random_split},
    readable_keys=False,
    chunk=256,  # 40 MB as squares of 224 pixels
)
