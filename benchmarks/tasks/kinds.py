"""Kinds of tasks: what their labels are, which rows they need, how they are scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from molkd.types import Mask

Kind = Literal[
    "classification", "regression", "multiclass", "clustering", "retrieval", "similarity"
]
PartName = Literal["train", "valid", "test"]
PARTS: tuple[PartName, ...] = get_args(PartName)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskKind:
    """A kind of tasks.

    Attributes:
        comparable: metric without unit that means and tests over tasks are computed from.
        least: part of a split -> rows below which a label is left out; parts that it lacks are not
            read, and may be empty.
        classes: number of classes of a label, 0 for any number; None where labels are real numbers.
        measure: what answers in the place of the probes, a key of `zero_shot.MEASURES`; None where
            probes are fitted.
    """

    comparable: str
    least: Mapping[PartName, int]
    classes: int | None = None
    measure: str | None = None

    def asks(self, name: str) -> bool:
        """Whether a probe or a measure of this name answers for tasks of this kind."""
        return name == self.measure if self.measure else not is_measure(name)

    @property
    def single(self) -> str:
        """What labels without spread are called."""
        return "constant labels" if self.classes is None else "a single class"

    @property
    def expected(self) -> str:
        """What every label must be."""
        if self.classes is None:
            return "a finite number"
        return "0 or 1" if self.classes else "a whole number from 0"

    def misfits(self, labels: npt.NDArray[np.floating]) -> Mask:
        """Returns where labels are not what they must be; NaN is a missing label, and fits."""
        if self.classes is None:
            return np.isinf(labels)
        if self.classes:
            return ~np.isnan(labels) & ~np.isin(labels, range(self.classes))
        with np.errstate(invalid="ignore"):
            return ~np.isnan(labels) & ~((labels >= 0) & (labels % 1 == 0))


_PROBED: Mapping[PartName, int] = {"train": 10, "valid": 2, "test": 2}

KINDS: Mapping[Kind, TaskKind] = {
    "classification": TaskKind(comparable="AUROC", least=_PROBED, classes=2),
    "regression": TaskKind(comparable="Spearman", least=_PROBED),
    "multiclass": TaskKind(comparable="Accuracy", least=_PROBED, classes=0),
    "clustering": TaskKind(comparable="V-measure", least={"test": 2}, classes=0, measure="kmeans"),
    "retrieval": TaskKind(
        comparable="Accuracy", least={"train": 1, "test": 2}, classes=0, measure="nearest"
    ),
    "similarity": TaskKind(comparable="Spearman", least={"test": 2}, measure="cosine"),
}
"""Name -> kind. Labels are two classes, real numbers, or any number of classes; in similarity, how
alike the two items of a row are. Clustering, retrieval and similarity train nothing."""


def is_measure(name: str) -> bool:
    """Whether a name is that of a measure, not of a probe."""
    return name in {kind.measure for kind in KINDS.values()}
