"""A teacher's raw values as the targets of an objective, and back.

Scalings are fitted in `molkd.targets.fitting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from molkd.errors import CorruptFileError, ShapeError
from molkd.runtime import files
from molkd.runtime.arrays import read_arrays
from molkd.targets.rotations import Vector
from molkd.types import Matrix, Support


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """Turns a teacher's raw rows into the targets of an objective.

    Attributes:
        support: "real" unless bits or counts stay as they are.
        kept: shape (d',), the columns that are used.
        log1p: whether the logarithm of 1 + value is taken first.
        mean: shape (d',), subtracted next; None for unscaled values.
        sd: shape (d',), divides next.
        components: shape (q, d'), orthogonal axes of length 1 onto which values are projected.
        scale: shape (q,), divides the coordinate along each axis.
        bound: targets are clipped at plus and minus this; None for no bound.
        mean_of_targets: shape (dim,), over the rows of the fit, before clipping.
        filling: shape (d,), `invert` gives these raw values to columns that are not kept.
    """

    support: Support
    kept: npt.NDArray[np.int64]
    log1p: bool
    mean: Vector | None
    sd: Vector | None
    components: Vector | None
    scale: Vector | None
    bound: float | None
    mean_of_targets: Vector
    filling: Vector

    @property
    def dim(self) -> int:
        """Width of the targets."""
        return len(self.mean_of_targets)

    def apply(self, values: Matrix) -> Matrix:
        """Scales raw rows.

        Args:
            values: shape (m, d), as the bank gives them.

        Returns:
            Shape (m, dim); rows that were NaN stay NaN. Clipped values are not standardised again:
            their sd is below 1.
        """
        taken = values if len(self.kept) == values.shape[1] else values[:, self.kept]
        if self.log1p:
            taken = np.log1p(taken)
        if self.mean is None or self.sd is None:
            return taken
        if self._projection is not None:
            return (taken - self.mean).astype(np.float32) @ self._projection
        scaled = ((taken - self.mean) / self.sd).astype(np.float32)
        return scaled if self.bound is None else scaled.clip(-self.bound, self.bound)

    def invert(self, values: Matrix) -> Matrix:
        """Returns scaled rows, or predictions of them, in the teacher's own units.

        Exact, up to the rounding of float32, where the axes span the columns. With fewer axes
        (`pca`, `whitened`) it returns the projection onto them, the nearest rows in the space of
        the axes. Clipped values come back at the bound, constant columns at their constant.

        Args:
            values: shape (m, dim).

        Returns:
            Shape (m, d), the columns of the bank; rows with NaN are NaN.

        Raises:
            ShapeError: values have another shape.
        """
        columns = self._columns(values)
        raw = np.tile(self.filling, (len(columns), 1))
        raw[:, self.kept] = np.expm1(columns) if self.log1p else columns
        raw[np.isnan(columns).any(axis=1)] = np.nan
        return raw.astype(np.float32)

    def invert_sd(self, values: Matrix, sd: Matrix) -> Matrix:
        """Returns standard deviations of predictions in the teacher's own units.

        Exact for unscaled and standardised values. Through a rotation it is exact where the errors
        of the targets are uncorrelated, apart from variance outside the axes, which is not counted.
        For log1p it is the first order of the delta method, sd(raw) = (1 + raw) sd(log1p), good
        while sd(log1p) is well below 1. A bound is not considered.

        Args:
            values: shape (m, dim), the predictions.
            sd: shape (m, dim), their standard deviations.

        Returns:
            Shape (m, d), the columns of the bank: 0 where a column was constant; rows with NaN
            are NaN.

        Raises:
            ShapeError: values or sd have another shape.
        """
        columns = self._columns(values)
        spread = self._checked(sd)
        if spread.shape != values.shape:
            raise ShapeError(f"sd must have the shape {values.shape} of values, not {sd.shape}")
        if self.components is not None and self.scale is not None:
            spread = np.sqrt(np.square(spread * self.scale) @ np.square(self.components))
        if self.sd is not None:
            spread = spread * self.sd
        if self.log1p:
            spread = spread * np.exp(columns)
        raw = np.zeros((len(columns), len(self.filling)))
        raw[:, self.kept] = spread
        raw[np.isnan(columns).any(axis=1) | np.isnan(spread).any(axis=1)] = np.nan
        return raw.astype(np.float32)

    def _columns(self, values: Matrix) -> Vector:
        """Shape (m, d'): the kept columns of targets, in logarithms where `log1p`."""
        columns = self._checked(values)
        if self.components is not None and self.scale is not None:
            columns = (columns * self.scale) @ self.components
        if self.mean is not None and self.sd is not None:
            columns = columns * self.sd + self.mean
        return columns

    def _checked(self, values: Matrix) -> Vector:
        if values.ndim != 2 or values.shape[1] != self.dim:
            raise ShapeError(f"targets have shape (m, {self.dim}), not {values.shape}")
        return values.astype(np.float64)

    @cached_property
    def _projection(self) -> Matrix | None:
        if self.components is None or self.scale is None or self.sd is None:
            return None
        return (self.components / self.sd / self.scale[:, None]).T.astype(np.float32)


_ARRAYS = ("kept", "mean", "sd", "components", "scale", "mean_of_targets", "filling")


def save(path: Path, key: str, scaling: Scaling) -> None:
    """Writes a scaling under the key of what it was fitted on.

    Raises:
        OutputError: the file cannot be written.
    """
    fields: dict[str, Any] = {name: getattr(scaling, name) for name in (*_ARRAYS, "bound")}
    arrays = {name: value for name, value in fields.items() if value is not None}
    with files.atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, key=key, support=scaling.support, log1p=scaling.log1p, **arrays)


def load(path: Path, key: str) -> Scaling | None:
    """Returns what was saved; None where it is absent, damaged or belongs to another key."""
    try:
        raw = read_arrays(path)
        if str(raw["key"]) != key:
            return None
        arrays: dict[str, Any] = {name: raw.get(name) for name in _ARRAYS}
        return Scaling(
            support=cast("Support", str(raw["support"])),
            log1p=bool(raw["log1p"]),
            bound=float(raw["bound"]) if "bound" in raw else None,
            **arrays,
        )
    except (CorruptFileError, ValueError, KeyError, TypeError):
        return None
