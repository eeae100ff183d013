"""A corpus of images: the training images of tasks, without their labels, and random views of them.

    python -m molkd.benchmarks.image_corpus --task vision --views 4 --out FILE.parquet

A view is shifted by up to an eighth of the width, its border mirrored, and turned left to right
half of the time. Images of validation and test rows never enter.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from molkd import images, store
from molkd.benchmarks import splitting, tasks
from molkd.benchmarks.task import Task
from molkd.errors import ConfigError, MolkdError


def training_images(task: Task) -> list[images.ImageItem]:
    """Returns the images of the training rows.

    Raises:
        ConfigError: the task reads something else.
    """
    if task.reads != "images":
        raise ConfigError(f"task {task.name!r} reads {task.reads}, not images")
    rows = splitting.split(task, seed=0).train
    return [images.stored(task.items[int(row)]) for row in rows]


def views(item: images.ImageItem, count: int, random: np.random.Generator) -> Iterator[bytes]:
    """Yields random views of an image, encoded as PNG."""
    picture = images.decode(item)
    border = max(min(picture.shape[:2]) // 8, 1)
    wide = np.pad(picture, ((border, border), (border, border), (0, 0)), mode="reflect")
    height, width = picture.shape[:2]
    for _ in range(count):
        top, left = random.integers(0, 2 * border + 1, size=2)
        view = wide[top : top + height, left : left + width]
        if random.random() < 0.5:
            view = view[:, ::-1]
        yield cast("bytes", images.stored(np.ascontiguousarray(view)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes a table with columns id and image; see the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--task", action="append", required=True, help="or a group; again for more")
    parser.add_argument("--views", type=int, default=0, help="random views of each image")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, help="folder of the tasks' data")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    random = np.random.default_rng(given.seed)
    rows: list[tuple[str, bytes]] = []
    try:
        for task in tasks.load(given.task, data=given.data):
            for number, item in enumerate(training_images(task)):
                whole = item if isinstance(item, bytes) else item.read_bytes()
                made = [whole, *views(item, given.views, random)]
                rows += [(f"{task.name}-{number}-{view}", one) for view, one in enumerate(made)]
        table = pa.table({"id": [name for name, _ in rows], "image": [one for _, one in rows]})
        with store.atomic_path(given.out) as temporary:
            pq.write_table(table, temporary)
    except MolkdError as error:
        parser.exit(2, f"{error}\n")
    print(f"{given.out}: {len(rows)} images")


if __name__ == "__main__":
    main()
