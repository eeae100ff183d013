"""What is asked of an embedding: one label of a task under one split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import Labels, LabelScale, TaskSplit
from molkd.types import Mask, Rows


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
        folds: in a learning curve, the training rows in parts, each of which chooses settings for
            the others; empty where validation rows choose. See `learning_curves`.
    """

    y: Labels
    split: TaskSplit
    kind: Kind
    scale: LabelScale
    seed: int
    subsets: Mapping[str, Mask]
    digest: str
    folds: tuple[Rows, ...] = ()

    @property
    def labelled(self) -> int | None:
        """Labelled rows of a learning curve; None where all are there."""
        return len(self.split.train) if self.folds else None

    def at(self, split: TaskSplit) -> ProbeTask:
        """Returns the same question under another split."""
        return replace(self, split=split, folds=())
