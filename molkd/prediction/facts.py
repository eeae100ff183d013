"""What a fitted model is."""

from __future__ import annotations

from dataclasses import dataclass

from molkd.prediction.labels import Kind
from molkd.prediction.learners import ModelOf


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a model is.

    Attributes:
        target: column of the table it learnt from.
        kind: of the labels.
        classes: names of classes 0 and 1; empty where labels are numbers.
        model: what it reads.
        described: the estimator, in words.
        reads: the student it reads, or the teachers.
        reads_digest: of what it reads.
        standardize: what is done to molecules before they are read.
    """

    target: str
    kind: Kind
    classes: tuple[str, ...]
    model: ModelOf
    described: str
    reads: str
    reads_digest: str
    standardize: str = "none"
