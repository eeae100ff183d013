"""Statistics of a bank's columns, and the scalings that follow from them.

Both are fitted on rows that the caller names, so that validation rows cannot slip in, and in
float64. A fitted scaling is kept with the bank and found again by the digest of what it was
fitted on.
"""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import numpy.typing as npt

from molkd import store
from molkd.bank import Bank
from molkd.errors import ConfigError, OutputError
from molkd.types import Form, Matrix, Rows, Support, digest_of

Vector = npt.NDArray[np.float64]
"""Shape (d,)."""

NOISE = 1e-6
"""Share of its mean, or of the median sd of all columns, below which a column's sd is rounding."""

_CHUNK = 4096
_VERSION = 1


@dataclass(frozen=True)
class Statistics:
    """What the columns of a teacher look like over some rows.

    Attributes:
        count: rows in which the teacher succeeded.
        mean: shape (d,).
        sd: shape (d,), of the population (divided by `count`).
        minimum: shape (d,).
        maximum: shape (d,).
    """

    count: int
    mean: Vector
    sd: Vector
    minimum: Vector
    maximum: Vector

    @property
    def constant(self) -> npt.NDArray[np.bool_]:
        """Shape (d,): columns that say nothing.

        The scale they are compared with is the median sd: one wild column (such as an
        information content of 1e12) must not make all others look constant.
        """
        moving = self.sd[(self.minimum < self.maximum) & (self.sd > 0)]
        if not len(moving):
            return np.ones(len(self.sd), dtype=np.bool_)
        floor = NOISE * np.maximum(np.abs(self.mean), np.median(moving))
        return (self.minimum == self.maximum) | (self.sd <= floor)


def describe(chunks: Iterator[Vector]) -> Statistics | None:
    """Computes statistics in one pass.

    Chunks are merged with the formula of Chan, Golub & LeVeque (1979), so the result does not
    depend on where they are cut (to 1e-9) and does not cancel.

    Args:
        chunks: arrays of shape (m, d), without NaN, m of any size.

    Returns:
        The statistics, or None where there is no row.
    """
    total: Statistics | None = None
    for chunk in chunks:
        if not len(chunk):
            continue
        part = Statistics(
            len(chunk),
            chunk.mean(axis=0),
            chunk.std(axis=0),
            chunk.min(axis=0),
            chunk.max(axis=0),
        )
        total = part if total is None else _merged(total, part)
    return total


@dataclass(frozen=True)
class Scaling:
    """Turns a teacher's raw rows into the targets of an objective.

    Attributes:
        support: "real" unless the values stay as they are.
        kept: shape (d',), the columns that are used.
        log1p: whether the logarithm of 1 + value is taken first.
        mean: shape (d',), what is subtracted; None for values as they are.
        sd: shape (d',), what they are divided by.
        components: shape (q, d'), principal components of length 1, where asked for.
        scale: shape (q,), sd along each component.
        mean_of_targets: shape (dim,), over the rows it was fitted on.
    """

    support: Support
    kept: npt.NDArray[np.int64]
    log1p: bool
    mean: Vector | None
    sd: Vector | None
    components: Vector | None
    scale: Vector | None
    mean_of_targets: Vector

    @property
    def dim(self) -> int:
        """Width of the targets."""
        return len(self.mean_of_targets)

    def apply(self, values: Matrix) -> Matrix:
        """Scales raw rows.

        Args:
            values: shape (m, d), as the bank gives them.

        Returns:
            Shape (m, dim); rows that were NaN stay NaN.
        """
        taken = values if len(self.kept) == values.shape[1] else values[:, self.kept]
        if self.log1p:
            taken = np.log1p(taken)
        if self.mean is None or self.sd is None:
            return taken
        if self._projection is not None:
            return (taken - self.mean).astype(np.float32) @ self._projection
        return ((taken - self.mean) / self.sd).astype(np.float32)

    @cached_property
    def _projection(self) -> Matrix | None:
        if self.components is None or self.scale is None or self.sd is None:
            return None
        return (self.components / self.sd / self.scale[:, None]).T.astype(np.float32)


def fit_scaling(
    bank: Bank, teacher: str, rows: Rows, *, form: Form, components: int = 256
) -> Scaling:
    """Fits a scaling on some rows of a bank, or finds the one fitted on them before.

    Args:
        bank: holds the teacher.
        teacher: name.
        rows: shape (m,), the rows to learn from; their order does not matter.
        form: what targets shall look like.
        components: principal components at most; fewer where the rows span fewer.

    Returns:
        The scaling.

    Raises:
        ConfigError: no such form, or the rows hold nothing to learn from.
    """
    if form not in get_args(Form):
        raise ConfigError(f"form is one of {get_args(Form)}, not {form!r}")
    if components < 1:
        raise ConfigError(f"components must be at least 1, not {components}")
    rows = np.sort(bank.checked(rows))
    width = components if form == "pca" else 0
    folder = bank.folder(teacher)
    key = digest_of(
        [
            _VERSION,
            folder.card.digest,
            folder.checksum(),
            hashlib.sha256(rows.tobytes()).hexdigest(),
            form,
            width,
        ]
    )
    path = folder.path / f"statistics-{key[:16]}.npz"
    found = _load(path, key)
    if found is not None:
        return found
    fitted = _fit(bank, teacher, rows, form, components)
    with contextlib.suppress(OutputError):  # a bank that cannot be written is fitted every time
        _save(path, key, fitted)
    return fitted


def _fit(bank: Bank, teacher: str, rows: Rows, form: Form, components: int) -> Scaling:
    support = bank.cards[teacher].support
    log1p = form == "pca" and support == "counts"
    statistics = describe(_chunks(bank, teacher, rows, log1p=log1p))
    if statistics is None:
        raise ConfigError(
            f"teacher {teacher!r} failed on all {len(rows)} rows to learn from: leave it out"
        )
    kept = np.flatnonzero(~statistics.constant)
    if not len(kept):
        raise ConfigError(
            f"all columns of teacher {teacher!r} are constant over the {statistics.count} rows to "
            "learn from: leave it out or give more rows"
        )
    mean, sd = statistics.mean[kept], statistics.sd[kept]
    if form == "as-is":
        return Scaling(support, kept, log1p, None, None, None, None, mean)
    if form == "standardized":
        return Scaling("real", kept, log1p, mean, sd, None, None, np.zeros(len(kept)))
    if support != "real":
        sd = np.ones(len(kept))  # rare bits and counts must not lead the components
    axes, scale = _principal(
        ((chunk[:, kept] - mean) / sd for chunk in _chunks(bank, teacher, rows, log1p=log1p)),
        statistics.count,
        components,
    )
    return Scaling("real", kept, log1p, mean, sd, axes, scale, np.zeros(len(axes)))


def _chunks(bank: Bank, teacher: str, rows: Rows, *, log1p: bool) -> Iterator[Vector]:
    rows = rows[bank.valid(teacher)[rows]]
    for start in range(0, len(rows), _CHUNK):
        values = bank.raw(teacher, rows[start : start + _CHUNK]).astype(np.float64)
        yield np.log1p(values) if log1p else values


def _merged(left: Statistics, right: Statistics) -> Statistics:
    count = left.count + right.count
    shift = right.mean - left.mean
    mean = left.mean + shift * (right.count / count)
    squares = left.count * left.sd**2 + right.count * right.sd**2
    squares += shift**2 * (left.count * right.count / count)
    return Statistics(
        count,
        mean,
        np.sqrt(squares / count),
        np.minimum(left.minimum, right.minimum),
        np.maximum(left.maximum, right.maximum),
    )


def _principal(chunks: Iterator[Vector], count: int, wanted: int) -> tuple[Vector, Vector]:
    """Returns components (q, d) by falling variance, and the sd (q,) along each."""
    scatter: Vector | None = None
    for chunk in chunks:
        product = chunk.T @ chunk
        scatter = product if scatter is None else scatter + product
    variances, axes = np.linalg.eigh(cast("Vector", scatter) / count)
    variances, axes = variances[::-1][:wanted], axes[:, ::-1].T[:wanted]
    spanned = variances > NOISE**2 * variances[0]
    variances, axes = variances[spanned], axes[spanned]
    leading = np.abs(axes).argmax(axis=1)
    signs = np.sign(axes[np.arange(len(axes)), leading])  # eigenvectors have none of their own
    return axes * signs[:, None], np.sqrt(variances)


_ARRAYS = ("kept", "mean", "sd", "components", "scale", "mean_of_targets")


def _save(path: Path, key: str, scaling: Scaling) -> None:
    arrays = {name: getattr(scaling, name) for name in _ARRAYS}
    given: dict[str, Any] = {name: array for name, array in arrays.items() if array is not None}
    with store.atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, key=key, support=scaling.support, log1p=scaling.log1p, **given)


def _load(path: Path, key: str) -> Scaling | None:
    """Returns what was saved; None where it is absent, damaged or belongs to another key."""
    try:
        with path.open("rb") as stream:  # numpy leaves a damaged file open
            raw: dict[str, npt.NDArray[Any]] = dict(np.load(stream, allow_pickle=False))
        if str(raw["key"]) != key:
            return None
        arrays: dict[str, Any] = {name: raw.get(name) for name in _ARRAYS}
        support = cast("Support", str(raw["support"]))
        return Scaling(support=support, log1p=bool(raw["log1p"]), **arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
