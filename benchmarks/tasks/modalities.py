"""What the benchmark needs to know of a modality, all of it: a new one is an entry below."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from molkd.benchmarks.tasks import molecule_keys
from molkd.benchmarks.tasks.task import Item, SplitName, told_apart_by
from molkd.items import IMAGES, MOLECULES, TEXTS, Modality
from molkd.items.images import decoding
from molkd.items.molecules import chem
from molkd.items.texts import reading

Grouping = Callable[[Sequence[Any]], Sequence[str]]
"""n items -> n keys; items of equal keys stay on one side of a split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkModality:
    """A modality in the benchmark.

    Attributes:
        base: the modality.
        key: item -> a text that is equal for equal items, or None where it cannot be read.
        unreadable: those that cannot be read, in words.
        groups: ways to split -> what stays together; a split that is not here has no meaning.
            Where test rows are given, validation rows are drawn by what "given" keeps together.
        example: makes an item, to try a model on.
        baselines: embedders that stand beside every comparison, unless they were given already.
        library: name of the plain library that speeds are compared with, in tables.
        reading: what it does, in words.
        read: does it to items, one by one, keeping nothing; what cannot be read costs what it
            costs.
        parse: items -> what a student prepares, as far as that is a step of its own.
        parse_reads: whether `parse` does what `read` does, and more.
        line: item -> one line of a file, equal for equal items.
        item: the line -> the item.
        teachers: embedders of which a student is trained whose training is timed: they cost little.
    """

    base: Modality
    key: Callable[[Any], str | None]
    unreadable: str
    groups: Mapping[SplitName, Grouping]
    example: Callable[[], Item]
    baselines: tuple[str, ...]
    library: str
    reading: str
    read: Callable[[Sequence[Any]], object]
    parse: Callable[[Sequence[Any]], Sequence[Any]]
    line: Callable[[Any], str]
    item: Callable[[str], Item]
    teachers: tuple[str, ...]
    parse_reads: bool = False

    @property
    def name(self) -> str:
        """What its items are called: "molecules"."""
        return self.base.name

    def keys(self, items: Sequence[Item]) -> list[str]:
        """Returns one text per item, equal for equal items; an unreadable one has its own."""
        return _keys(self.key, items)


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


def _encoded(picture: decoding.ImageItem) -> bytes:
    return picture if isinstance(picture, bytes) else picture.read_bytes()


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


def _parse_smiles(smiles: Sequence[str]) -> None:
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        for text in smiles:
            Chem.MolFromSmiles(text)


def _count_words(texts: Sequence[str]) -> None:
    from sklearn.feature_extraction.text import HashingVectorizer

    HashingVectorizer().transform(texts)


def _decode(pictures: Sequence[decoding.ImageItem]) -> None:
    for picture in pictures:
        with contextlib.suppress(decoding.InvalidImageError):
            decoding.decode(picture)


BENCHMARKED: Mapping[str, BenchmarkModality] = {
    modality.name: modality
    for modality in (
        BenchmarkModality(
            base=MOLECULES,
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
            baselines=("ecfp4-count", "rdkit2d", "ecfp4-count+rdkit2d"),
            library="RDKit",
            reading="that of `Chem.MolFromSmiles` on",
            read=_parse_smiles,
            parse=lambda smiles: chem.parse_all(smiles).mols,
            line=lambda smiles: smiles.split(maxsplit=1)[0],  # a name may follow
            item=str,
            teachers=("ecfp4", "maccs"),
            parse_reads=True,
        ),
        BenchmarkModality(
            base=TEXTS,
            key=_key_of_text,
            unreadable="texts that are empty or not UTF-8",
            groups={"given": _texts, "random": _texts, "time": _texts},
            example=lambda: "A sentence.",
            baselines=("hashed-ngrams",),
            library="hashing",
            reading="that of scikit-learn's `HashingVectorizer` on",
            read=_count_words,
            parse=TEXTS.parse,
            line=json.dumps,
            item=json.loads,
            teachers=("hashed-ngrams",),
        ),
        BenchmarkModality(
            base=IMAGES,
            key=_key_of_image,
            unreadable="images that cannot be decoded",
            groups={"given": _images, "random": _images, "time": _images},
            example=lambda: _encoded(decoding.stored(np.full((32, 32), 128, dtype=np.uint8))),
            baselines=("pixels:32",),
            library="Pillow",
            reading="that of decoding with Pillow",
            read=_decode,
            parse=IMAGES.parse,
            line=lambda picture: base64.b64encode(_encoded(picture)).decode("ascii"),
            item=base64.b64decode,
            teachers=("pixels:32",),
        ),
    )
}
"""Name of a modality -> what the benchmark needs of it."""
