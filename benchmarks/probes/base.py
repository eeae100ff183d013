"""What a probe is: fitted on training rows, chosen on validation rows, blind to the rest."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_expit, log_softmax, softmax

from molkd.benchmarks.tasks.kinds import KINDS, Kind
from molkd.benchmarks.tasks.task import Labels
from molkd.errors import InputError, ShapeError
from molkd.types import Matrix, Rows

Predict = Callable[[Matrix], Labels]
"""Embeddings of shape (m, d) -> shape (m,): probabilities of class 1, or values; of many classes,
shape (m, k): the probability of each, 0 for one that is in no training row."""

IMPROBABLE = -35.0
"""Log-probability, in nats, that a class without any training row counts in the loss."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some rows of a task.

    Attributes:
        x: shape (n, d), float32, scaled by `inputs.Scaler`, without NaN.
        y: shape (n,), float64: classes, or targets of mean 0 and sd 1 on the training rows.
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


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One split of the rows of a table, with what is fitted to and chosen by.

    Attributes:
        train: rows, likewise `valid` and `test`.
        valid: see `train`.
        test: see `train`.
        train_y: labels of the training rows, as in `Part`.
        valid_y: of the validation rows.
    """

    train: Rows
    valid: Rows
    test: Rows
    train_y: Labels
    valid_y: Labels


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """What a probe says of the rows of a question.

    Attributes:
        valid: of its validation rows; see `Predict`.
        test: of its test rows.
        chosen: see `Fitted`.
    """

    valid: Labels
    test: Labels
    chosen: Mapping[str, float]


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


@runtime_checkable
class Shares(Protocol):
    """A probe that answers questions about one table together, faster than one by one."""

    def answers(
        self, x: Matrix, questions: Sequence[Question], *, kind: Kind
    ) -> list[Answered] | None:
        """Answers as `Probe.fit` would on embeddings scaled by `inputs.Scaler`.

        Args:
            x: embeddings as they are, shape (n, d), without NaN in the rows that are asked.
            questions: splits of its rows, much alike.
            kind: of all labels.

        Returns:
            One per question; None where they have to be asked one by one.
        """
        ...


@runtime_checkable
class ReadsCounts(Protocol):
    """A probe that reads embeddings as they are, such as counts, and not scaled."""

    @property
    def reads_counts(self) -> bool:
        """True."""
        ...


def about(probe: Probe, name: str, libraries: Sequence[str]) -> dict[str, object]:
    """Returns what `Probe.about` promises, from the probe's fields and installed versions."""
    options = asdict(probe)  # pyright: ignore[reportArgumentType]  (every probe is a dataclass)
    return {"name": name, **options, "versions": {name: _version(name) for name in libraries}}


@functools.cache
def _version(library: str) -> str:
    return version(library)


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
        if KINDS[kind].misfits(part.y).any():
            expected = KINDS[kind].expected
            raise InputError(f"{name} labels are not all {expected}, the classes that are expected")
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


def log_loss_of_many(y: Labels, logits: Labels) -> float:
    """Returns the mean negative log-likelihood of classes, in nats, from logits of shape (n, k).

    A class beyond k, or of a logit of minus infinity, counts `IMPROBABLE`.
    """
    trained = np.flatnonzero(y < logits.shape[1])
    losses = np.full(len(y), IMPROBABLE)
    losses[trained] = log_softmax(logits[trained], axis=1)[
        np.arange(len(trained)), y[trained].astype(int)
    ]
    return float(-np.mean(np.where(np.isneginf(losses), IMPROBABLE, losses)))


def probability(logits: npt.NDArray[np.floating]) -> Labels:
    """Returns the probability of class 1 of log-odds, in double precision."""
    return expit(logits.astype(np.float64))


def probabilities(logits: npt.NDArray[np.floating]) -> Labels:
    """Returns the probabilities of classes of logits of shape (m, k), in double precision."""
    return softmax(logits.astype(np.float64), axis=1)


def as_they_are(values: npt.NDArray[np.floating]) -> Labels:
    """Returns predicted values."""
    return values.astype(np.float64, copy=False)


LOSSES: Mapping[Kind, Callable[[Labels, Labels], float]] = {
    "classification": log_loss,
    "multiclass": log_loss_of_many,
    "regression": squared_error,
}
"""Kind -> (labels, outputs) -> the loss that chooses among candidates."""

LINKS: Mapping[Kind, Callable[[Labels], Labels]] = {
    "classification": probability,
    "multiclass": probabilities,
    "regression": as_they_are,
}
"""Kind -> outputs -> what is predicted. Outputs are log-odds, logits of shape (m, k), or values."""


def count_of(classes: Labels) -> int:
    """Returns k, one more than the largest class."""
    return int(classes.max()) + 1


def spread(columns: Labels, classes: Labels, *, absent: float) -> Labels:
    """Returns one column per class, shape (m, k), from those of the classes there are.

    Args:
        columns: shape (m, c).
        classes: shape (c,), which they are, ascending.
        absent: value of the others.
    """
    whole = np.full((len(columns), count_of(classes)), absent)
    whole[:, classes.astype(int)] = columns
    return whole
