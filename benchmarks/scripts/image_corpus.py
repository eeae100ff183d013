"""A corpus of images: the training images of tasks, without their labels, and random views of them.

    python -m molkd.benchmarks.scripts.image_corpus --task vision --views 14 --out FILE.parquet

A view is a random part of the image, somewhat stretched, turned left to right half of the time;
through half of the views a part of another image shines. After Beyer et al., Knowledge
distillation: a good teacher is patient and consistent, CVPR 2022: teacher and student see the same
view. Images of validation and test rows never enter.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from molkd.benchmarks import tasks
from molkd.benchmarks.tasks import splitting
from molkd.benchmarks.tasks.task import Task
from molkd.errors import ConfigError, MolkdError
from molkd.items.images import decoding
from molkd.runtime import files

AREA = (0.3, 1.0)
"""Share of an image that a part covers, from and to."""

STRETCH = 4 / 3
"""Most by which the sides of a part differ in their shares."""

MIXED = 0.5
"""Share of the views through which another image shines; its weight is at most one half."""


def training_images(task: Task) -> list[decoding.ImageItem]:
    """Returns the images of the training rows.

    Raises:
        ConfigError: the task reads something else.
    """
    if task.modality != "images":
        raise ConfigError(f"task {task.name!r} reads {task.modality}, not images")
    rows = splitting.split(task, seed=0).train
    return [decoding.stored(task.items[int(row)]) for row in rows]


def views(
    pictures: Sequence[decoding.Picture], which: int, count: int, random: np.random.Generator
) -> Iterator[bytes]:
    """Yields random views of an image, encoded as PNG.

    Args:
        pictures: all images of the corpus; another one may shine through.
        which: place of the image.
        count: number of views.
        random: where chance comes from.
    """
    size = pictures[which].shape[1], pictures[which].shape[0]
    for _ in range(count):
        view = _part(pictures[which], size, random)
        if random.random() < MIXED:
            share = random.uniform(0, 1) / 2
            other = _part(pictures[int(random.integers(len(pictures)))], size, random)
            mixed = (1 - share) * view.astype(float) + share * other
            view = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
        yield cast("bytes", decoding.stored(np.ascontiguousarray(view)))


def _part(
    picture: decoding.Picture, size: tuple[int, int], random: np.random.Generator
) -> decoding.Picture:
    """A random part of a picture, turned left to right half of the time, enlarged to a size."""
    height, width = picture.shape[:2]
    scale = np.sqrt(random.uniform(*AREA))
    stretch = np.exp(random.uniform(-np.log(STRETCH), np.log(STRETCH)) / 2)
    across, down = min(scale * stretch, 1) * width, min(scale / stretch, 1) * height
    left, top = random.uniform(0, width - across), random.uniform(0, height - down)
    box = (left, top, left + across, top + down)
    resized = Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC, box=box)
    part = np.asarray(resized)
    return part[:, ::-1] if random.random() < 0.5 else part


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes a table with columns id and image; see the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--task", action="append", required=True, help="or a group; again for more")
    parser.add_argument("--views", type=int, default=0, help="random views of each image")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, help="folder of the tasks' data")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    random = np.random.default_rng(options.seed)
    named: list[tuple[str, decoding.ImageItem]] = []
    rows: list[tuple[str, bytes]] = []
    try:
        for task in tasks.load(options.task, data=options.data):
            named += [(f"{task.name}-{n}", item) for n, item in enumerate(training_images(task))]
        pictures = [decoding.decode(item) for _, item in named]
        for which, (name, item) in enumerate(named):
            whole = item if isinstance(item, bytes) else item.read_bytes()
            images = [whole, *views(pictures, which, options.views, random)]
            rows += [(f"{name}-{view}", one) for view, one in enumerate(images)]
        table = pa.table({"id": [name for name, _ in rows], "image": [one for _, one in rows]})
        with files.atomic_path(options.out) as temporary:
            pq.write_table(table, temporary)
    except MolkdError as error:
        parser.exit(2, f"{error}\n")
    print(f"{options.out}: {len(rows)} images")


if __name__ == "__main__":
    main()
