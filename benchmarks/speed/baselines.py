"""What speeds are compared with: reading the same items with the plain library of their kind."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from molkd.benchmarks.embedders.pixels import Pixels
from molkd.benchmarks.tasks.task import Item
from molkd.items import IMAGES, MOLECULES, TEXTS, Modality
from molkd.items.images import decoding
from molkd.items.molecules import chem
from molkd.types import Teacher


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """How items of a kind are measured.

    Attributes:
        kind: the items.
        name: of the plain library, in tables.
        what: what it does, in words.
        read: does it to items, one by one, keeping nothing; what cannot be read costs what it
            costs.
        parse: items -> what a student prepares, as far as that is a step of its own.
        line: item -> one line of a file, equal for equal items.
        item: the line -> the item.
        teachers: makes those of which a student is trained: they cost little.
    """

    kind: Modality
    name: str
    what: str
    read: Callable[[Sequence[Any]], object]
    parse: Callable[[Sequence[Any]], Sequence[Any]]
    line: Callable[[Any], str]
    item: Callable[[str], Item]
    teachers: Callable[[], Sequence[Teacher[Any]]]


def _made(*names: str) -> list[Teacher[Any]]:
    from molkd import teachers

    return [teachers.make(name) for name in names]


def _first_word(smiles: str) -> str:
    return smiles.split(maxsplit=1)[0]  # a name may follow


def _parse(smiles: Sequence[str]) -> None:
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        for text in smiles:
            Chem.MolFromSmiles(text)


def _parsed(smiles: Sequence[str]) -> Sequence[Any]:
    return chem.parse_all(smiles).mols


def _count_words(texts: Sequence[str]) -> None:
    from sklearn.feature_extraction.text import HashingVectorizer

    HashingVectorizer().transform(texts)


def _decode(pictures: Sequence[decoding.ImageItem]) -> None:
    for picture in pictures:
        try:
            decoding.decode(picture)
        except decoding.InvalidImageError:
            continue


def _as_base64(picture: decoding.ImageItem) -> str:
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
            parse=_parsed,
            line=_first_word,
            item=str,
            teachers=partial(_made, "ecfp4", "maccs"),
        ),
        Yardstick(
            kind=TEXTS,
            name="hashing",
            what="that of scikit-learn's `HashingVectorizer` on",
            read=_count_words,
            parse=TEXTS.parse,
            line=json.dumps,
            item=json.loads,
            teachers=partial(_made, "hashed-ngrams"),
        ),
        Yardstick(
            kind=IMAGES,
            name="Pillow",
            what="that of decoding with Pillow",
            read=_decode,
            parse=IMAGES.parse,
            line=_as_base64,
            item=base64.b64decode,
            teachers=lambda: [Pixels(32)],
        ),
    )
}
"""Name of the kind -> how it is measured."""
