"""The ways in which synthetic teachers are spoilt, each by degrees.

What a condition does not spoil is the same at every level of a seed: levels differ in one thing.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from molkd.benchmarks.studies.likelihood.synthetic import (
    DIM,
    NUISANCE,
    TEACHERS,
    TRUTH,
    Base,
    Floats,
    Spoil,
    SyntheticTeacher,
    World,
    draw,
    unit,
)
from molkd.errors import UnknownNameError
from molkd.runtime.registry import near
from molkd.types import Mask, Support

NOISE = 4.0
"""Standard deviation of the noise that rows share out unequally, in those of the signal."""

BLUR = 2.0
"""Standard deviation of the noise beside dimensions that can be copied."""

OUTLIER = 20.0
"""Standard deviation of an outlier, in those of the signal."""

COPY_NOISE = 0.1
"""Standard deviation of what tells one copy from another."""

LOG_RATE_SD = 0.7
"""Standard deviation of the log of a count's rate; its mean is 0."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One way in which teachers are imperfect.

    Attributes:
        says: what is done to the teachers, in words.
        knob: what a level says.
        levels: from weak to strong.
        marks: which entries' share of the gradient is reported, in words.
        spoil: makes the teachers.
        width: of the student's embedding.
    """

    says: str
    knob: str
    levels: tuple[float, ...]
    marks: str
    spoil: Spoil
    width: int = TRUTH


def make(condition: str, level: float, *, rows: int, fresh: int, seed: int) -> World:
    """Draws a world of a condition; see `synthetic.draw`.

    Raises:
        UnknownNameError: no such condition.
        ConfigError: there are fewer than 2 rows.
    """
    if condition not in CONDITIONS:
        raise UnknownNameError(
            f"unknown condition {condition!r}.{near(condition, CONDITIONS)} "
            f"Conditions are {', '.join(CONDITIONS)}."
        )
    stream = zlib.crc32(condition.encode())
    spoil = CONDITIONS[condition].spoil
    return draw(spoil, level, rows=rows, fresh=fresh, seed=seed, stream=stream)


def _named(values: Floats, marked: Mask, support: Support = "real") -> dict[str, SyntheticTeacher]:
    """Teachers t0, t1, ... from shapes (t, n, d)."""
    return {
        f"t{place}": SyntheticTeacher(one.astype(np.float32), mark, support)
        for place, (one, mark) in enumerate(zip(values, marked, strict=True))
    }


def _clean(base: Base, level: float, rng: np.random.Generator) -> dict[str, SyntheticTeacher]:  # noqa: ARG001
    return _named(base.signals, np.zeros(base.signals.shape, dtype=np.bool_))


def _even(base: Base, level: float, rng: np.random.Generator) -> dict[str, SyntheticTeacher]:
    noise = level * rng.standard_normal(base.signals.shape)
    return _named(base.signals + noise, np.zeros(noise.shape, dtype=np.bool_))


def _by(cause: Callable[[Base], Floats]) -> Spoil:
    """Noise whose log variance goes with one number of the row; its mean variance is NOISE^2."""

    def spoil(base: Base, level: float, rng: np.random.Generator) -> dict[str, SyntheticTeacher]:
        sd = NOISE * np.exp(0.5 * level * cause(base) - 0.25 * level**2)
        noisiest = sd >= np.quantile(sd, 0.9)
        noise = sd[:, None] * rng.standard_normal(base.signals.shape)
        marked = np.broadcast_to(noisiest[:, None], noise.shape).copy()
        return _named(base.signals + noise, marked)

    return spoil


def _dimensions(base: Base, level: float, rng: np.random.Generator) -> dict[str, SyntheticTeacher]:
    marked = np.zeros(base.signals.shape, dtype=np.bool_)
    marked[:, :, : round(level * DIM)] = True
    return _named(np.where(marked, rng.standard_normal(marked.shape), base.signals), marked)


def _teachers(base: Base, level: float, rng: np.random.Generator) -> dict[str, SyntheticTeacher]:
    marked = np.zeros(base.signals.shape, dtype=np.bool_)
    marked[: round(level)] = True
    return _named(np.where(marked, rng.standard_normal(marked.shape), base.signals), marked)


def _bits(base: Base, level: float, rng: np.random.Generator) -> dict[str, SyntheticTeacher]:  # noqa: ARG001
    bits = base.signals > np.quantile(base.signals, 1 - level, axis=1, keepdims=True)
    return _named(bits.astype(np.float64), bits, "bits")


def _counts(base: Base, level: float, rng: np.random.Generator) -> dict[str, SyntheticTeacher]:
    rates = np.exp(LOG_RATE_SD * base.signals)
    spread = rng.gamma(1 / level, level, rates.shape) if level else 1.0
    counts = rng.poisson(rates * spread).astype(np.float64)
    marked = counts > np.quantile(counts, 0.95, axis=1, keepdims=True)
    return _named(counts, marked, "counts")


def _copies(base: Base, level: float, rng: np.random.Generator) -> dict[str, SyntheticTeacher]:
    half = TRUTH // 2
    maps = unit(rng.standard_normal((2, half, DIM)))
    one, other = base.truth[:, :half] @ maps[0], base.truth[:, half:] @ maps[1]
    values = np.stack([other] + [one] * round(level))
    marked = np.ones(values.shape, dtype=np.bool_)
    marked[0] = False
    return _named(values + COPY_NOISE * rng.standard_normal(values.shape), marked)


def _outliers(base: Base, level: float, rng: np.random.Generator) -> dict[str, SyntheticTeacher]:
    marked = rng.random(base.signals.shape) < level
    noise = np.where(marked, OUTLIER * rng.standard_normal(marked.shape), 0.0)
    return _named(base.signals + noise, marked)


def _copyable(base: Base, level: float, rng: np.random.Generator) -> dict[str, SyntheticTeacher]:
    count = round(level)
    values = base.signals + BLUR * rng.standard_normal(base.signals.shape)
    marked = np.zeros(values.shape, dtype=np.bool_)
    for place in range(TEACHERS):
        chosen = (place * count + np.arange(count)) % NUISANCE
        values[place, :, :count] = base.nuisance[:, chosen]
        marked[place, :, :count] = True
    return _named(values, marked)


CONDITIONS: Mapping[str, Condition] = {
    "clean": Condition("Teachers without noise.", "", (0,), "", _clean),
    "even": Condition(
        "The same noise for every row and dimension: what the next two are to be held against.",
        "sd of the noise",
        (BLUR, NOISE),
        "",
        _even,
    ),
    "rows": Condition(
        f"Noise of mean variance {NOISE:g}^2 that differs between rows, by a number that x shows "
        "and that says nothing about the truth.",
        "sd of the log variance",
        (1.5, 3.0),
        "the noisiest tenth of the rows",
        _by(lambda base: base.nuisance[:, 0]),
    ),
    "rows-truth": Condition(
        "The same, by a number of the truth itself: how noisy a row is, is worth knowing.",
        "sd of the log variance",
        (1.5, 3.0),
        "the noisiest tenth of the rows",
        _by(lambda base: base.truth[:, 0]),
    ),
    "dimensions": Condition(
        "A share of each teacher's dimensions is nothing but noise.",
        "share",
        (0.5, 0.75),
        "the dimensions of noise",
        _dimensions,
    ),
    "teachers": Condition(
        "Whole teachers are nothing but noise.",
        "teachers of 4",
        (1, 3),
        "the teachers of noise",
        _teachers,
    ),
    "bits": Condition(
        "Only whether each dimension is above a threshold.",
        "share of ones",
        (0.3, 0.05, 0.01),
        "the ones",
        _bits,
    ),
    "counts": Condition(
        "Each dimension is the logarithm of the rate of a count.",
        "dispersion",
        (1, 4),
        "the largest twentieth of the counts",
        _counts,
    ),
    "copies": Condition(
        "One teacher sees one half of the truth, several copies of another the other half; the "
        "embedding has room for one half.",
        "copies",
        (1, 3, 6),
        "the copies",
        _copies,
        TRUTH // 2,
    ),
    "outliers": Condition(
        f"A share of all entries is moved by noise of sd {OUTLIER:g}.",
        "share",
        (0.01, 0.05),
        "the outliers",
        _outliers,
    ),
    "copyable": Condition(
        f"Some dimensions show the nuisance exactly, the others the truth with noise of sd {BLUR:g}"
        "; the embedding has room for truth or nuisance.",
        "dimensions of 16",
        (2, 4),
        "the copyable dimensions",
        _copyable,
    ),
}
