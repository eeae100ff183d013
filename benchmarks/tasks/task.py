"""A task: a named table of items and labels, with its metric and its split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from molkd.benchmarks.tasks.kinds import KINDS, Kind
from molkd.items.images import decoding
from molkd.types import Mask, Rows, digest_of

Item = str | Path | bytes
"""A SMILES or a text; an image as a file or as encoded bytes."""

SplitName = Literal["given", "random", "scaffold", "cluster", "time"]
LabelScale = Literal["linear", "log10"]
Labels = npt.NDArray[np.float64]
"""One value per item, or per item and label; classes count from 0."""


@dataclass(frozen=True, slots=True, eq=False)
class TaskSplit:
    """Rows of a task, disjoint and ascending.

    Attributes:
        train: what probes and scalers are fitted on.
        valid: what settings of a probe are chosen on.
        test: what is scored.
    """

    train: Rows
    valid: Rows
    test: Rows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """One task.

    Attributes:
        name: lower case, unique among all tasks: "caco2_wang".
        group: the benchmark it belongs to: "tdc-admet"; "own" for a user's table.
        kind: what labels are and how they are asked for, a key of `kinds.KINDS`.
        metric: official metric, a key of `metrics.METRICS`.
        items: n SMILES, texts or images, as in the table.
        others: what each item is compared with, in a task of pairs; else empty.
        modality: what the items are: a key of `modalities.BENCHMARKED`.
        labels: shape (n, l), float64, in the unit of the table; NaN where a label is missing.
        label_names: l names; several in multi-label tasks such as Tox21.
        scale: "log10" where probes are fitted to decadic logarithms of the labels.
        split: how it is split unless the caller asks for another way.
        test: shape (n,), the official test rows; None where there is no official split.
        valid: shape (n,), the official validation rows; None where there are none.
        times: shape (n,), for a split by time; None where the table has no date.
        subsets: name -> shape (n,): rows of the test part that are also scored on their own.
        notes: what was noticed on reading, in sentences.
        source: where the data come from, with licence.
    """

    name: str
    group: str
    kind: Kind
    metric: str
    items: tuple[Item, ...]
    labels: Labels
    others: tuple[Item, ...] = ()
    modality: str = "molecules"
    label_names: tuple[str, ...] = ("y",)
    scale: LabelScale = "linear"
    split: SplitName = "random"
    test: Mask | None = None
    valid: Mask | None = None
    times: Labels | None = None
    subsets: Mapping[str, Mask] = field(default_factory=dict[str, Mask])
    notes: tuple[str, ...] = ()
    source: str = ""

    @property
    def sides(self) -> tuple[tuple[Item, ...], ...]:
        """The items, and what they are compared with, if anything: each of n."""
        return (self.items, self.others) if self.others else (self.items,)

    @property
    def comparable(self) -> str:
        """The metric without unit that means and tests over tasks are computed from."""
        return "R2" if self.metric == "R2" else KINDS[self.kind].comparable

    @property
    def digest(self) -> str:
        """64 hexadecimal digits that change whenever a score may change."""
        official = [
            None if mask is None else np.flatnonzero(mask).tolist()
            for mask in (self.test, self.valid)
        ]
        labels = [repr(value) for value in self.labels.ravel().tolist()]
        subsets = {name: np.flatnonzero(mask).tolist() for name, mask in self.subsets.items()}
        times = None if self.times is None else [repr(value) for value in self.times.tolist()]
        about = [self.name, self.kind, self.scale, list(self.label_names)]
        keys, *others = [list(map(told_apart_by, side)) for side in self.sides]
        return digest_of([about, keys, labels, official, subsets, times, *others])


def told_apart_by(item: Item) -> str:
    """Returns a text that is the same for the same item: itself, or the digest of an image.

    A file that cannot be read is told by its path.
    """
    if isinstance(item, str):
        return item
    try:
        return decoding.key(item)
    except decoding.InvalidImageError:
        return f"path:{item}"
