"""What is asked of an embedding: one label of a task under one split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import Labels, LabelScale, TaskSplit
from molkd.types import Mask


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProbeTask:
    """One label of a task under one split.

    Attributes:
        y: shape (n,), labels; only those of rows in the split are read.
        split: rows with a label that every embedder could embed.
        kind: what labels are; see `kinds.KINDS`.
        scale: "log10" where targets are fitted as decadic logarithms.
        seed: of probe and principal components.
        subsets: name -> shape (n,): test rows also scored on their own.
        digest: changes whenever an answer may change.
    """

    y: Labels
    split: TaskSplit
    kind: Kind
    scale: LabelScale
    seed: int
    subsets: Mapping[str, Mask]
    digest: str
