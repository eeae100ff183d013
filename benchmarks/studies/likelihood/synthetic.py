"""Synthetic worlds in which it is known what a student should keep.

A truth u of eight standard normal numbers is seen through features x, and by teachers: each
dimension of a teacher is one direction of u, of variance 1. x also shows a nuisance w, as large as
u, that says nothing about u. Teachers are then spoilt, in the ways of `conditions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from molkd.errors import ConfigError
from molkd.types import Mask, Matrix, Support

Floats = npt.NDArray[np.float64]

TRUTH, NUISANCE, FEATURES = 8, 8, 64
"""Widths of u, of w and of x."""

TEACHERS, DIM = 4, 16
"""How many teachers there are, and how wide each is."""

_FEATURE_NOISE = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticTeacher:
    """What a teacher says about the rows to learn from.

    Attributes:
        values: shape (n, d), in the teacher's own units.
        marked: shape (n, d), the entries whose share of the gradient is of interest: see
            `conditions.Condition`.
        support: what values it takes.
    """

    values: Matrix
    marked: Mask
    support: Support = "real"


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """A truth, its features and teachers.

    Attributes:
        truth: shape (m, 8), of the rows to learn from and then of fresh ones.
        features: shape (m, 64), standardised, of the same rows.
        teachers: name -> what it says about the first n rows.
    """

    truth: Matrix
    features: Matrix
    teachers: Mapping[str, SyntheticTeacher]


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """What all levels of all conditions share, for one seed.

    Attributes:
        truth: shape (n, 8), u of the rows to learn from.
        nuisance: shape (n, 8), w of these rows.
        signals: shape (4, n, 16), what each teacher sees of u; variance 1.
    """

    truth: Floats
    nuisance: Floats
    signals: Floats


class Spoil(Protocol):
    """Makes teachers of what is common to all levels, the level, and chance."""

    def __call__(
        self, base: Base, level: float, rng: np.random.Generator
    ) -> dict[str, SyntheticTeacher]:
        """Returns the teachers by name."""
        ...


def draw(spoil: Spoil, level: float, *, rows: int, fresh: int, seed: int, stream: int) -> World:
    """Draws a world.

    Args:
        spoil: makes the teachers.
        level: how much it spoils them.
        rows: n, to learn from.
        fresh: rows beside them, without teachers.
        seed: of everything; truth, features and signals depend on nothing else.
        stream: beside the seed, of what is spoilt.

    Raises:
        ConfigError: there are fewer than 2 rows.
    """
    if rows < 2:
        raise ConfigError(f"a world needs at least 2 rows to learn from, not {rows}")
    rng = np.random.default_rng([seed, 0])
    truth = rng.standard_normal((rows + fresh, TRUTH))
    nuisance = rng.standard_normal((rows + fresh, NUISANCE))
    features = _seen(truth, nuisance, rng)
    maps = unit(rng.standard_normal((TEACHERS, TRUTH, DIM)))
    base = Base(truth[:rows], nuisance[:rows], truth[:rows] @ maps)
    teachers = spoil(base, level, np.random.default_rng([seed, 1, stream]))
    return World(truth.astype(np.float32), features.astype(np.float32), teachers)


def unit(maps: Floats) -> Floats:
    """Returns maps of shape (..., u, d) with columns of length 1, so that variances are 1."""
    return maps / np.linalg.norm(maps, axis=-2, keepdims=True)


def _seen(truth: Floats, nuisance: Floats, rng: np.random.Generator) -> Floats:
    """Shape (m, 64): a curved, slightly noisy image of u beside w, rotated together."""
    width = FEATURES - NUISANCE
    slopes = rng.standard_normal((TRUTH, width)) / np.sqrt(TRUTH)
    image = np.tanh(truth @ slopes + 0.5 * rng.standard_normal(width))
    image = image + _FEATURE_NOISE * rng.standard_normal(image.shape)
    image = (image - image.mean(axis=0)) / image.std(axis=0)
    rotation, _ = np.linalg.qr(rng.standard_normal((FEATURES, FEATURES)))
    return np.concatenate([image, nuisance], axis=1) @ rotation
