"""What speeds are compared with: reading the same items with the plain library of their kind."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from molkd import images
from molkd.benchmarks.task import Item
from molkd.items import IMAGES, MOLECULES, TEXTS, ItemKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """How items of a kind are measured.

    Attributes:
        kind: the items.
        name: of the plain library, in tables.
        what: what it does, in words.
        read: does it to items, one by one, keeping nothing; what cannot be read costs what it
            costs.
        line: item -> one line of a file.
        item: the line -> the item.
        teachers: of which a student is trained: they cost little.
    """

    kind: ItemKind
    name: str
    what: str
    read: Callable[[Sequence[Any]], object]
    line: Callable[[Any], str]
    item: Callable[[str], Item]
    teachers: tuple[str, ...]


def _parse(smiles: Sequence[str]) -> None:
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        for text in smiles:
            Chem.MolFromSmiles(text)


def _count_words(texts: Sequence[str]) -> None:
    from sklearn.feature_extraction.text import HashingVectorizer

    HashingVectorizer().transform(texts)


def _decode(pictures: Sequence[images.ImageItem]) -> None:
    for picture in pictures:
        try:
            images.decode(picture)
        except images.InvalidImageError:
            continue


def _as_base64(picture: images.ImageItem) -> str:
    encoded = picture if isinstance(picture, bytes) else picture.read_bytes()
    return base64.b64encode(encoded).decode("ascii")


YARDSTICKS: Mapping[str, Yardstick] = {
    yardstick.kind.name: yardstick
    for yardstick in (
        Yardstick(
            kind=MOLECULES,
            name="RDKit",
            what="that of `Chem.MolFromSmiles` on",
            read=_parse,
            line=str,
            item=str,
            teachers=("ecfp4", "maccs"),
        ),
        Yardstick(
            kind=TEXTS,
            name="hashing",
            what="that of scikit-learn's `HashingVectorizer` on",
            read=_count_words,
            line=json.dumps,
            item=json.loads,
            teachers=("hashed-ngrams",),
        ),
        Yardstick(
            kind=IMAGES,
            name="Pillow",
            what="that of decoding with Pillow",
            read=_decode,
            line=_as_base64,
            item=base64.b64decode,
            teachers=("pixels:32",),
        ),
    )
}
"""Name of the kind -> how it is measured."""
