"""A bank's rows as tensors: the targets of an objective."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch

from molkd.bank import Bank
from molkd.errors import ConfigError
from molkd.targets.fitting import describe
from molkd.targets.rotations import Vector
from molkd.targets.scaling import Scaling
from molkd.tensors import QueryableTeachers, Targets, TargetSpec
from molkd.types import Matrix, Rows


class TargetReader:
    """Reads scaled teacher rows of a batch.

    Attributes:
        specs: teacher -> the form in which its rows come.
    """

    specs: Mapping[str, TargetSpec]

    def __init__(
        self,
        bank: Bank,
        scalings: Mapping[str, Scaling],
        *,
        weights: Mapping[str, float] | None = None,
        nodes: Mapping[str, NodeScaling] | None = None,
        sizes: Rows | None = None,
        queryable: QueryableTeachers | None = None,
    ) -> None:
        """Reads from a bank.

        Args:
            bank: holds the teachers.
            scalings: teacher -> its scaling; the teachers to read, in this order.
            weights: teacher -> its weight in the loss; 1 by default.
            nodes: teacher -> scaling of the states of its nodes, for teachers whose nodes are read.
            sizes: shape (n,), nodes that the student has for each row; needed for `nodes`.
            queryable: teachers that are queried during training, about the bank's items.

        Raises:
            ConfigError: there are no teachers.
            UnknownNameError: a teacher is not in the bank.
        """
        if not scalings:
            raise ConfigError("at least one teacher must be read, there are none")
        for teacher in scalings:
            bank.folder(teacher)
        self._bank = bank
        self._scalings = dict(scalings)
        self._nodes = dict(nodes or {})
        self._sizes = sizes
        self._queryable = dict(queryable or {})
        if self._nodes and sizes is None:
            raise ConfigError("states of nodes need the number of nodes that the student reads")
        self.specs = {
            teacher: TargetSpec(
                scaling.dim,
                scaling.support,
                torch.from_numpy(scaling.mean_of_targets).to(torch.float32),
                weight=weights[teacher] if weights else 1.0,
                nodes=self._nodes[teacher].dim if teacher in self._nodes else 0,
            )
            for teacher, scaling in scalings.items()
        }

    def targets(self, rows: Rows, device: torch.device | str = "cpu") -> Targets:
        """Returns the targets of some rows.

        Args:
            rows: shape (b,), in any order.
            device: of the tensors.

        Returns:
            Float32 values without NaN: zero where a teacher failed. The input of a queried teacher
            is on its own device.

        Raises:
            ShapeError: a row is not in the bank.
        """
        values: dict[str, torch.Tensor] = {}
        present: dict[str, torch.Tensor] = {}
        for teacher, scaling in self._scalings.items():
            raw = self._bank.raw(teacher, rows)
            valid = self._bank.valid(teacher)[rows]
            scaled = scaling.apply(raw)
            scaled[~valid] = 0
            values[teacher] = torch.from_numpy(scaled).to(device)
            present[teacher] = torch.from_numpy(valid).to(device)
        nodes = {
            teacher: torch.from_numpy(self._states(teacher, rows)).to(device)
            for teacher in self._nodes
        }
        items = [self._bank.items[int(row)] for row in rows] if self._queryable else []
        queried = {
            name: teacher.collate(items).to(teacher.device)
            for name, teacher in self._queryable.items()
        }
        return Targets(values, present, nodes, queried)

    def _states(self, teacher: str, rows: Rows) -> Matrix:
        """Shape (a, n): scaled states of the student's nodes; NaN where the teacher has none."""
        sizes = cast("Rows", self._sizes)[rows]
        values, counts = self._bank.nodes(teacher, rows)
        scaled = self._nodes[teacher].apply(values)
        states = np.full((int(sizes.sum()), scaled.shape[1]), np.nan, dtype=np.float32)
        agree = counts == sizes
        states[np.repeat(agree, sizes)] = scaled[np.repeat(agree, counts)]
        return states


@dataclass(frozen=True, slots=True)
class NodeScaling:
    """Standardises the states of a teacher's nodes.

    Attributes:
        kept: shape (n,), the columns that vary.
        mean: shape (n,).
        sd: shape (n,).
    """

    kept: Rows
    mean: Vector
    sd: Vector

    @property
    def dim(self) -> int:
        """Width of the targets."""
        return len(self.kept)

    def apply(self, values: Matrix) -> Matrix:
        """Shape (a, n), from states of shape (a, d)."""
        return ((values[:, self.kept] - self.mean) / self.sd).astype(np.float32)


def fit_nodes(bank: Bank, teacher: str, rows: Rows) -> NodeScaling:
    """Fits mean and standard deviation of the states of nodes on some rows.

    Raises:
        ConfigError: the rows have no nodes, or all columns are constant.
    """
    statistics = describe(bank.node_chunks(teacher, rows))
    if statistics is None or statistics.constant.all():
        raise ConfigError(
            f"the nodes of teacher {teacher!r} say nothing over the {len(rows)} rows to learn "
            "from: set nodes = false or leave it out"
        )
    kept = np.flatnonzero(~statistics.constant)
    return NodeScaling(kept, statistics.mean[kept], statistics.sd[kept])
