"""Principal components over all teachers side by side: one target in the place of many.

A teacher's own components say twice what another one says, too; those of all together are
decorrelated, and every teacher has the same total variance in them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from molkd.bank import Bank
from molkd.errors import ConfigError
from molkd.targets import rotations
from molkd.targets.fitting import fit_scaling
from molkd.targets.reader import TargetReader
from molkd.targets.rotations import Vector
from molkd.targets.scaling import Scaling
from molkd.tensors import Targets, TargetSpec
from molkd.types import Matrix, Rows

JOINT = "all teachers"
"""What the components are called where a teacher has its name."""

WIDEST = 512
"""Components of each teacher, at most, from which those of all are made."""

ROWS = 32_768
"""Rows that components are fitted on, at most: more change them little and take long."""

KEPT = 2**30
"""Bytes of components that are kept, at most; where they are more, each batch is computed anew."""

_CHUNK = 4096


class JointReader(TargetReader):
    """Reads the components of rows that all teachers could embed."""

    def __init__(
        self, bank: Bank, scalings: Mapping[str, Scaling], projection: Matrix, sds: Vector
    ) -> None:
        """Reads from a bank.

        Args:
            bank: holds the teachers.
            scalings: teacher -> what makes its components, D of all together.
            projection: shape (D, q), from them to the components over all.
            sds: shape (q,), what the components' standard deviations were before they were 1.
        """
        super().__init__(bank, scalings)
        self.sds = sds
        self._rows = len(bank)
        self._projection = torch.from_numpy(projection)
        width = projection.shape[1]
        self.specs = {JOINT: TargetSpec(width, "real", torch.zeros(width))}

    def targets(self, rows: Rows, device: torch.device | str = "cpu") -> Targets:
        """See `TargetReader`; rows that a teacher failed on are absent."""
        if 4 * self._rows * len(self.sds) <= KEPT:
            values, present = (every[rows] for every in self._kept)
        else:
            values, present = self._computed(rows)
        return Targets({JOINT: values.to(device)}, {JOINT: present.to(device)})

    def components(self, values: Mapping[str, Matrix]) -> Matrix:
        """Returns the components of items that are not in the bank.

        Args:
            values: teacher -> shape (m, d), as the teacher gives them; NaN in rows it failed on.

        Returns:
            Shape (m, q); NaN in rows that a teacher failed on.
        """
        single = [scaling.apply(values[name]) for name, scaling in self._scalings.items()]
        return np.concatenate(single, axis=1) @ self._projection.numpy()

    @functools.cached_property
    def _kept(self) -> tuple[Tensor, Tensor]:
        """Components of every row of the bank."""
        starts = range(0, self._rows, _CHUNK)
        parts = [
            self._computed(np.arange(start, min(start + _CHUNK, self._rows))) for start in starts
        ]
        values, present = (torch.cat(part) for part in zip(*parts, strict=True))
        return values, present

    def _computed(self, rows: Rows) -> tuple[Tensor, Tensor]:
        single = super().targets(rows)
        values = torch.cat(list(single.values.values()), dim=1) @ self._projection
        present = torch.stack(list(single.present.values())).all(dim=0)
        return torch.where(present[:, None], values, 0.0), present


def fit_joint(bank: Bank, teachers: Sequence[str], rows: Rows, components: int) -> JointReader:
    """Fits components over teachers on the rows that all of them could embed.

    Args:
        bank: holds the teachers.
        teachers: their names.
        rows: shape (m,), the rows to learn from, of which `ROWS` are taken at even distances.
        components: how many at most; fewer where the rows span fewer.

    Returns:
        What reads them, each with mean 0 and variance 1 over the rows.

    Raises:
        ConfigError: no row has all teachers.
    """
    rows = rows[np.all([bank.valid(name)[rows] for name in teachers], axis=0)]
    if not len(rows):
        raise ConfigError(
            "joint_pca needs rows that all teachers could embed, and there are none: leave out the "
            "teacher that fails most"
        )
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), ROWS)).astype(np.int64)]
    scalings = {
        name: fit_scaling(bank, name, rows, form="pca", components=WIDEST) for name in teachers
    }
    weights = np.concatenate([_weights(scaling) for scaling in scalings.values()])
    single = TargetReader(bank, scalings)
    variances, axes = rotations.principal(
        rotations.covariance(_chunks(single, rows, weights), len(rows)), components
    )
    there = min(components, int((variances > variances[0] * np.finfo(np.float32).eps).sum()))
    sds = np.sqrt(variances[:there])
    projection = weights[:, None] * axes[:there].T / sds
    return JointReader(bank, scalings, projection.astype(np.float32), sds)


def _weights(scaling: Scaling) -> Vector:
    """Shape (components,): what gives a teacher's components their own share of variance."""
    scale = np.ones(scaling.dim) if scaling.scale is None else scaling.scale
    return scale / np.sqrt(np.square(scale).sum())


def _chunks(reader: TargetReader, rows: Rows, weights: Vector) -> Iterator[Vector]:
    for start in range(0, len(rows), _CHUNK):
        values = reader.targets(rows[start : start + _CHUNK]).values
        yield np.concatenate([one.numpy() for one in values.values()], axis=1) * weights
