"""Tasks of images: 2,000 of CIFAR-10, and the handwritten digits that come with scikit-learn.

Both are split by the order of their rows, the first for training, the next for validation, the last
for testing. The images of CIFAR-10 are in random order; the digits are in the order in which they
were collected, writer by writer, so that most of those tested come from other hands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from molkd.benchmarks.tasks.checks import checked
from molkd.benchmarks.tasks.downloads import DataFile
from molkd.benchmarks.tasks.entry import Entry
from molkd.benchmarks.tasks.task import Item, Task
from molkd.errors import CorruptFileError, InputError
from molkd.items.images import decoding
from molkd.runtime.arrays import read_arrays

CIFAR10_PARTS = (1000, 500, 500)
DIGITS_PARTS = (1000, 397, 400)
"""Rows for training, validation and testing."""

ENLARGED = 4
"""How often each pixel of a digit is repeated in both directions: 8 x 8 becomes 32 x 32."""


def read_cifar10(entry: Entry, paths: Sequence[Path]) -> Task:
    """Reads an archive of arrays: x of shape (2000, 32, 32, 3), 8 bits, and y of shape (2000,).

    Raises:
        InputError: it cannot be read, or holds other shapes.
    """
    (path,) = paths
    try:
        archive = read_arrays(path)
        pictures, labels = archive["x"], archive["y"]
    except (CorruptFileError, KeyError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    if pictures.shape != (sum(CIFAR10_PARTS), 32, 32, 3) or len(labels) != len(pictures):
        raise InputError(
            f"{path}: images of shape {pictures.shape} and {len(labels)} labels; "
            f"({sum(CIFAR10_PARTS)}, 32, 32, 3) and as many labels are expected"
        )
    return _task(entry, pictures, labels, CIFAR10_PARTS, str(path))


def read_digits(entry: Entry, _paths: Sequence[Path]) -> Task:
    """Reads the digits, 8 x 8 pixels of 17 greys, enlarged without smoothing."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    greys = np.rint(np.reshape(pixels, (-1, 8, 8)) * (255 / 16)).astype(np.uint8)
    large = greys.repeat(ENLARGED, axis=1).repeat(ENLARGED, axis=2)
    return _task(entry, large, np.asarray(labels), DIGITS_PARTS, "scikit-learn's digits")


def _task(
    entry: Entry,
    pictures: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.integer],
    parts: tuple[int, int, int],
    file: str,
) -> Task:
    place = np.repeat(["train", "valid", "test"], parts)
    items: list[Item] = [decoding.stored(picture) for picture in pictures]
    task = replace(
        entry.task(tuple(items), labels.astype(np.float64)),
        modality="images",
        split="given",
        test=place == "test",
        valid=place == "valid",
    )
    return checked(task, file=file)


TASKS = (
    Entry(
        name="cifar10-2000",
        group="vision",
        kind="multiclass",
        metric="Accuracy",
        files=(DataFile("vision/cifar10_test_2000.npz", ""),),
        source="CIFAR-10 (Krizhevsky 2009): 2,000 images of its test part",
        read=read_cifar10,
        count=lambda _: sum(CIFAR10_PARTS),
    ),
    Entry(
        name="digits",
        group="vision",
        kind="multiclass",
        metric="Accuracy",
        files=(),
        source="Handwritten digits (Alpaydin and Kaynak 1998, UCI), CC BY 4.0",
        read=read_digits,
        count=lambda _: sum(DIGITS_PARTS),
    ),
)
"""All tasks of images."""
