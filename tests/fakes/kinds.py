"""Every kind of items and of students, small: what the contract tests run over."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from molkd.items import MODALITIES, Modality
from molkd.items.images import decoding
from molkd.types import Embeddings, TeacherCard

WORDS = [
    "my",
    "card",
    "has",
    "not",
    "arrived",
    "why",
    "is",
    "the",
    "transfer",
    "of",
    "money",
    "late",
    "again",
    "today",
    "please",
]


def sentences(count: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(2, 12))) for _ in range(count)]


def pngs(count: int, seed: int = 0, size: int = 20) -> list[bytes]:
    rng = np.random.default_rng(seed)
    return [_png(rng.integers(0, 256, (size, size, 3), dtype=np.uint8)) for _ in range(count)]


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


CHAINS = ["C" * n + tail for n in range(1, 13) for tail in ("O", "N", "Cl", "c1ccccc1", "C(=O)O")]


@dataclass(frozen=True)
class Sample:
    """A student of every architecture with items that it reads and others that it cannot read.

    `options` make the student small, `wrong` are items with a word of the reason they get.
    """

    size: str
    options: dict[str, Any]
    items: Sequence[Any]
    wrong: dict[Any, str] = field(default_factory=dict[Any, str])

    @property
    def kind(self) -> Modality:
        from molkd.students.settings import sized

        return MODALITIES[sized(self.size).modality]


_TEXTS = sentences(60)
_BAD_TEXTS = {"": "empty", " \t": "empty", None: "missing", 7: "type int", "a\udcff": "UTF-8"}
_BAD_IMAGES = {
    b"": "no image",
    b"\x89PNG\r\n\x1a\n1234": "no image",
    pngs(1)[0][:200]: "corrupt",
    "/nowhere/at.png": "cannot read",
    None: "missing",
    7: "type int",
}
_BAD_MOLECULES = {"xx": "syntax", None: "missing", "": "empty", 7: "type int"}
SAMPLES = {
    "gine": Sample("tiny", {"hidden": 16, "layers": 2, "embedding_dim": 8}, CHAINS, _BAD_MOLECULES),
    "counts": Sample(
        "static-molecules", {"width": 16, "hidden": 16, "embedding_dim": 8}, CHAINS, _BAD_MOLECULES
    ),
    "hybrid": Sample(
        "hybrid-tiny", {"hidden": 16, "layers": 2, "embedding_dim": 8}, CHAINS, _BAD_MOLECULES
    ),
    "static": Sample(
        "static-small",
        {"width": 16, "hidden": 16, "embedding_dim": 8, "vocabulary": 80},
        _TEXTS,
        _BAD_TEXTS,
    ),
    "text-encoder": Sample(
        "bert-tiny",
        {"hidden": 16, "heads": 2, "embedding_dim": 8, "vocabulary": 80, "max_length": 10},
        _TEXTS,
        _BAD_TEXTS,
    ),
    "vit": Sample("vit-tiny", {"embedding_dim": 8, "image_size": 8}, pngs(60), _BAD_IMAGES),
    "pvt": Sample("pvt-tiny", {"embedding_dim": 8, "image_size": 16}, pngs(60), _BAD_IMAGES),
}


@dataclass
class ByContent:
    """A teacher of any kind of items: a few numbers of what `parse` made of each."""

    modality: str
    name: str = "content"
    scale: float = 1.0
    fails: str = ""

    @property
    def card(self) -> TeacherCard:
        return TeacherCard(
            name=self.name,
            kind="fake",
            dim=6,
            support="real",
            source="tests",
            license="none",
            limits="none",
            options={"scale": self.scale},
            modality=self.modality,
        )

    def embed(self, items: Sequence[Any], /) -> Embeddings:
        values = np.stack([self._row(item) for item in items])
        return Embeddings(values.astype(np.float32) * self.scale, {})

    def _row(self, item: Any) -> np.ndarray:
        if isinstance(item, bytes):
            item = decoding.decode(item)
            return np.array([*item.mean(axis=(0, 1)), *item.std(axis=(0, 1))]) / 100
        text = (
            item
            if isinstance(item, str)
            else item.GetProp("_smiles")
            if item.HasProp("_smiles")
            else "C" * item.GetNumAtoms()
        )
        return np.array([text.count(letter) for letter in "eatrnC"]) + len(text) / 10
