"""What teachers that run a pretrained network on this machine share: loading, devices, batches."""

from __future__ import annotations

import os
from abc import abstractmethod
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import rdkit
import torch
from rdkit import Chem
from sklearn.utils._param_validation import Interval
from torch import Tensor, nn

from molkd.runtime import devices
from molkd.teachers.base.loading import LoadsOnce
from molkd.teachers.base.molecules import MoleculeTeacher, OnInvalid
from molkd.teachers.base.precision import no_tf32
from molkd.types import Matrix

VERSIONS = {"rdkit": rdkit.__version__}
"""What else decides the numbers: RDKit's perception. torch's versions differ by rounding only."""


class NetworkTeacher(LoadsOnce[nn.Module], MoleculeTeacher):
    """A pretrained network over molecules.

    Attributes:
        weights_dir: folder that holds the weights; None leaves the search to
            `molkd.teachers.base.weights.locate`.
        device: where the network runs, a name of `molkd.runtime.devices.choose`.
        batch_size: molecules per forward pass; changes speed and memory, not the numbers.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **MoleculeTeacher._parameter_constraints,  # noqa: SLF001
        "weights_dir": [str, os.PathLike, None],
        "device": [str],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        weights_dir: str | os.PathLike[str] | None = None,
        device: str = "cpu",
        batch_size: int = 128,
        on_invalid: OnInvalid = "error",
    ) -> None:
        self.weights_dir = weights_dir
        self.device = device
        self.batch_size = batch_size
        self.on_invalid = on_invalid

    @abstractmethod
    def _build(self) -> nn.Module:
        """Builds the network with its weights, on the CPU.

        Raises:
            WeightsError: the weights are missing or not the published ones.
        """

    @abstractmethod
    def _encode(self, network: nn.Module, mols: list[Chem.Mol], device: torch.device) -> Tensor:
        """Embeds one batch; shape (len(mols), card.dim)."""

    def _load(self) -> nn.Module:
        device = devices.choose(self.device)
        return self._build().float().eval().to(device).requires_grad_(requires_grad=False)

    @torch.inference_mode()
    @no_tf32()
    def _compute(self, mols: list[Chem.Mol]) -> Matrix:
        network = self._ready()
        device = devices.of(network)
        values = np.empty((len(mols), self.card.dim), dtype=np.float32)
        for start in range(0, len(mols), self.batch_size):
            rows = slice(start, start + self.batch_size)
            values[rows] = self._encode(network, mols[rows], device).cpu().numpy()
        return values
