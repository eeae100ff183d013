"""Statistics of a bank's columns, and the scalings that follow from them.

Both are fitted in float64, on the rows that the caller names, so that validation rows cannot slip
in. A fitted scaling is stored in the bank, under the digest of what it was fitted on.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import numpy.typing as npt

from molkd.bank import Bank
from molkd.errors import ConfigError, OutputError
from molkd.targets import rotations, scaling
from molkd.targets.rotations import Vector
from molkd.targets.scaling import Scaling
from molkd.types import Form, Rows, digest_of

NOISE = 1e-6
"""Share of its mean, or of the median sd of all columns, below which a column's sd is rounding."""

_ABOVE_ROUNDING = 2
"""An axis is whitened only if its sd is at least this multiple of that of rounding along it."""

_ROTATED = ("pca", "whitened", "phi-s")
_CHUNK = 4096
_VERSION = 2


@dataclass(frozen=True)
class Statistics:
    """Moments and range of a teacher's columns over some rows.

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
    def middle(self) -> Vector:
        """Shape (d,): the mean, without its rounding where a column has a single value."""
        return np.where(self.minimum == self.maximum, self.minimum, self.mean)

    @property
    def constant(self) -> npt.NDArray[np.bool_]:
        """Shape (d,): columns that do not vary.

        Their sd is compared with the median sd: one column of huge values (such as an information
        content of 1e12) must not make all others look constant.
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


def fit_scaling(
    bank: Bank,
    teacher: str,
    rows: Rows,
    *,
    form: Form,
    components: int = 256,
    winsorize: float | None = None,
) -> Scaling:
    """Fits a scaling on some rows of a bank, or reads the one fitted on them before.

    Args:
        bank: holds the teacher.
        teacher: name.
        rows: shape (m,), the rows to learn from; their order does not matter.
        form: of the targets; see `molkd.types.Form`.
        components: principal components of `pca` at most; fewer where the rows span fewer.
        winsorize: standardised values are clipped at plus and minus this many sd of the values
            before clipping; for descriptors with heavy tails.

    Returns:
        The scaling.

    Raises:
        ConfigError: no such form, a bound on another form than `standardized`, or the rows hold
            nothing to learn from.
    """
    _check(form, components, winsorize)
    rows = np.sort(bank.checked(rows))
    bound = None if winsorize is None else float(winsorize)
    folder = bank.folder(teacher)
    key = digest_of(
        [
            _VERSION,
            folder.card.digest,
            folder.checksum(),
            hashlib.sha256(rows.tobytes()).hexdigest(),
            form,
            components if form == "pca" else 0,
            bound,
        ]
    )
    path = folder.path / f"statistics-{key[:16]}.npz"
    stored = scaling.load(path, key)
    if stored is not None:
        return stored
    fitted = replace(_fit(bank, teacher, rows, form, components), bound=bound)
    with contextlib.suppress(OutputError):  # of a read-only bank: fitted again every time
        scaling.save(path, key, fitted)
    return fitted


def _check(form: Form, components: int, winsorize: float | None) -> None:
    if form not in get_args(Form):
        raise ConfigError(f"form is one of {get_args(Form)}, not {form!r}")
    if components < 1:
        raise ConfigError(f"components must be at least 1, not {components}")
    if winsorize is None:
        return
    if not winsorize > 0:
        raise ConfigError(f"winsorize must be a positive number of sd, not {winsorize}")
    if form != "standardized":
        raise ConfigError(
            f"winsorize bounds standardised values, not form {form!r}: leave it out, or take form "
            "'standardized'"
        )


def _fit(bank: Bank, teacher: str, rows: Rows, form: Form, components: int) -> Scaling:
    support = bank.cards[teacher].support
    log1p = form in _ROTATED and support == "counts"
    statistics = _described(bank, teacher, rows, log1p=log1p)
    kept = np.flatnonzero(~statistics.constant)
    mean, sd = statistics.mean[kept], statistics.sd[kept]
    filling = statistics.middle
    as_is = Scaling(
        support=support if form == "as-is" else "real",
        kept=kept,
        log1p=log1p,
        mean=None,
        sd=None,
        components=None,
        scale=None,
        bound=None,
        mean_of_targets=mean,
        filling=np.expm1(filling) if log1p else filling,
    )
    if form in ("as-is", "raw"):
        return as_is
    if form in _ROTATED and (support != "real" or form == "phi-s"):
        sd = np.ones(len(kept))  # divided by it, rare bits would dominate and distances change
    scaled = replace(as_is, mean=mean, sd=sd, mean_of_targets=np.zeros(len(kept)))
    if form == "standardized":
        return scaled
    matrix = rotations.covariance(
        ((chunk[:, kept] - mean) / sd for chunk in _chunks(bank, teacher, rows, log1p=log1p)),
        statistics.count,
    )
    rounding = _rounding(bank, teacher, statistics)[kept] / sd
    axes, scale = _axes(form, matrix, components, rounding)
    if not len(axes):
        raise ConfigError(
            f"teacher {teacher!r} varies by no more than what storing it rounds off: store it as "
            "fp32, or take another form than 'whitened'"
        )
    return replace(scaled, components=axes, scale=scale, mean_of_targets=np.zeros(len(axes)))


def _described(bank: Bank, teacher: str, rows: Rows, *, log1p: bool) -> Statistics:
    """Of a teacher that says something on some rows, and not the same on all."""
    statistics = describe(_chunks(bank, teacher, rows, log1p=log1p))
    if statistics is None:
        raise ConfigError(
            f"teacher {teacher!r} failed on all {len(rows)} rows to learn from: leave it out"
        )
    if statistics.constant.all():
        raise ConfigError(
            f"all columns of teacher {teacher!r} are constant over the {statistics.count} rows to "
            "learn from: leave it out or give more rows"
        )
    return statistics


def _axes(form: Form, matrix: Vector, most: int, rounding: Vector) -> tuple[Vector, Vector]:
    """Axes (q, d') of a covariance for a form, and the scale (q,) along each."""
    variances, principal = rotations.principal(matrix)
    if form == "phi-s":
        variances = variances.clip(min=0)
        scale = np.sqrt(variances.mean())
        return rotations.equalizing_rotation(variances) @ principal, np.full(len(variances), scale)
    spanned = variances > NOISE**2 * variances[0]
    if form == "whitened":
        spanned &= variances > _ABOVE_ROUNDING**2 * (np.square(principal) @ np.square(rounding))
    else:
        spanned[most:] = False
    return principal[spanned], np.sqrt(variances[spanned])


def _rounding(bank: Bank, teacher: str, statistics: Statistics) -> Vector:
    """Shape (d,): bounds on the sd of the rounding errors of a teacher's stored columns.

    A stored value is at most half a unit in the last place, eps |x| / 2, from the exact x; an error
    that is uniform there has the variance (eps x)^2 / 12. Bits and counts are exact.
    """
    if bank.cards[teacher].support != "real":
        return np.zeros(len(statistics.mean))
    eps = float(np.finfo(bank.folder(teacher).values().dtype).eps)
    return eps / np.sqrt(12) * np.hypot(statistics.mean, statistics.sd)


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
