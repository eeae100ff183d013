"""What a probe is: fitted on training rows, chosen on validation rows, blind to the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_expit

from molkd.benchmarks.task import Kind, Labels
from molkd.errors import InputError, ShapeError
from molkd.types import Matrix

Predict = Callable[[Matrix], Labels]
"""Embeddings of shape (m, d) -> shape (m,): probabilities of class 1, or values."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some rows of a task.

    Attributes:
        x: shape (n, d), float32, scaled by `inputs.Scaler`, without NaN.
        y: shape (n,), float64: 0 or 1, or targets of mean 0 and sd 1 on the training rows.
    """

    x: Matrix
    y: Labels


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A fitted probe.

    Attributes:
        predict: see `Predict`.
        chosen: setting -> value that was best on the validation rows.
    """

    predict: Predict
    chosen: Mapping[str, float] = field(default_factory=dict[str, float])


class Probe(Protocol):
    """A way to fit one label: a frozen dataclass whose fields are its options."""

    def fit(self, train: Part, valid: Part, *, kind: Kind, seed: int) -> Fitted:
        """Fits every candidate on `train` alone and keeps the one with least loss on `valid`.

        The loss is log-loss in classification, mean squared error in regression; the first of
        equal candidates, in a stated order, wins. Nothing is fitted again on both parts. The same
        arguments give the same bits: all computing is in one thread.

        Raises:
            InputError: a part is empty, holds NaN or labels that do not fit `kind`, or the
                training labels are all equal.
            ShapeError: the shapes of the parts do not fit.
        """
        ...

    @property
    def about(self) -> dict[str, object]:
        """All that decides its numbers, JSON-like: name, options, versions of libraries."""
        ...


def about(probe: Probe, name: str, libraries: Sequence[str]) -> dict[str, object]:
    """Returns what `Probe.about` promises, from the probe's fields and installed versions."""
    options = asdict(probe)  # pyright: ignore[reportArgumentType]  (every probe is a dataclass)
    return {"name": name, **options, "versions": {name: version(name) for name in libraries}}


def check(train: Part, valid: Part, kind: Kind) -> None:
    """Refuses what no probe can be fitted on; see `Probe.fit`."""
    for name, part in (("training", train), ("validation", valid)):
        if part.x.ndim != 2 or part.y.shape != part.x.shape[:1]:
            raise ShapeError(
                f"{name} rows: embeddings of shape {part.x.shape} do not fit labels of shape "
                f"{part.y.shape}; (n, d) and (n,) are expected"
            )
        if part.x.size == 0:
            raise InputError(f"no {name} rows, or embeddings of width 0: nothing can be probed")
        bad = np.flatnonzero(~(np.isfinite(part.x).all(axis=1) & np.isfinite(part.y)))
        if len(bad):
            raise InputError(
                f"{name} row {bad[0]} holds NaN or infinite values; drop rows that failed first"
            )
        if kind == "classification" and not np.isin(part.y, (0, 1)).all():
            raise InputError(f"{name} labels are not all 0 or 1, the classes that are expected")
    if train.x.shape[1] != valid.x.shape[1]:
        raise ShapeError(
            f"training rows are {train.x.shape[1]} wide, validation rows {valid.x.shape[1]}"
        )
    if train.y.min() == train.y.max():
        raise InputError(f"all training labels are {train.y[0]:g}: nothing can be learnt")


def log_loss(y: Labels, logits: Labels) -> float:
    """Returns the mean negative log-likelihood of classes 0 and 1, in nats, from log-odds."""
    return float(-np.mean(log_expit(np.where(y > 0, logits, -logits))))


def squared_error(y: Labels, predicted: Labels) -> float:
    """Returns the mean squared error."""
    return float(np.mean((y - predicted) ** 2))


def probability(logits: npt.NDArray[np.floating]) -> Labels:
    """Returns the probability of class 1 of log-odds, in double precision."""
    return expit(logits.astype(np.float64))
