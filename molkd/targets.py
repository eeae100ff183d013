"""A bank's rows as tensors: what the distiller hands to the objective."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from molkd.bank import Bank
from molkd.errors import ConfigError
from molkd.scaling import Scaling
from molkd.tensors import Targets, TargetSpec
from molkd.types import Rows


class TargetReader:
    """Reads scaled teacher rows of a batch.

    Attributes:
        specs: teacher -> the form in which its rows come.
    """

    specs: Mapping[str, TargetSpec]

    def __init__(self, bank: Bank, scalings: Mapping[str, Scaling]) -> None:
        """Reads from a bank.

        Args:
            bank: holds the teachers.
            scalings: teacher -> its scaling; the teachers that are read, in this order.

        Raises:
            ConfigError: there are none.
            UnknownNameError: a teacher is not in the bank.
        """
        if not scalings:
            raise ConfigError("at least one teacher must be read, there are none")
        for teacher in scalings:
            bank.folder(teacher)
        self._bank = bank
        self._scalings = dict(scalings)
        self.specs = {
            teacher: TargetSpec(
                scaling.dim,
                scaling.support,
                torch.from_numpy(scaling.mean_of_targets).to(torch.float32),
            )
            for teacher, scaling in scalings.items()
        }

    def targets(self, rows: Rows, device: torch.device | str = "cpu") -> Targets:
        """Returns the targets of some rows.

        Args:
            rows: shape (b,), in any order.
            device: where the tensors shall lie.

        Returns:
            Float32 values without NaN: where a teacher is not present they are zero.

        Raises:
            ShapeError: a row is not in the bank.
        """
        values: dict[str, torch.Tensor] = {}
        present: dict[str, torch.Tensor] = {}
        for teacher, scaling in self._scalings.items():
            raw = self._bank.raw(teacher, rows)
            there = self._bank.valid(teacher)[rows]
            scaled = scaling.apply(raw)
            scaled[~there] = 0
            values[teacher] = torch.from_numpy(scaled).to(device)
            present[teacher] = torch.from_numpy(there).to(device)
        return Targets(values, present)
