"""What follows the pooling of a sentence-transformers model: linear layers and unit length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from molkd.errors import WeightsError
from molkd.teachers.hub.modules_json import Dense, Leading, Stage, UnitNorm

Step = Callable[[Tensor], Tensor]
"""Shape (b, d) -> shape (b, e)."""

ACTIVATIONS: dict[str, Step] = {
    "Identity": nn.Identity(),
    "Tanh": nn.Tanh(),
    "ReLU": nn.ReLU(),
    "GELU": nn.GELU(),
    "SiLU": nn.SiLU(),
    "Sigmoid": nn.Sigmoid(),
}
"""Class of torch.nn -> what it computes; nothing else is called because a file names it."""


def load_steps(folder: Path, stages: Sequence[Stage], device: torch.device) -> list[Step]:
    """Loads stages.

    Raises:
        WeightsError: weights are missing, pickled, cut or of another shape, or the activation is
            unknown.
    """
    return [_step(folder, stage, device) for stage in stages]


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Reads a safetensors file.

    Raises:
        WeightsError: it is missing or cut.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise WeightsError(f"no {path}: molkd loads weights from safetensors only, none pickled")
    try:
        return load_file(path)
    except SafetensorError as error:
        raise WeightsError(f"{path} is cut or no safetensors file: {error}") from error


def _step(folder: Path, stage: Stage, device: torch.device) -> Step:
    if isinstance(stage, UnitNorm):
        return functional.normalize
    if isinstance(stage, Leading):
        return lambda rows: rows[:, : stage.dim]
    return _linear(folder / stage.folder, stage, device)


def _linear(folder: Path, stage: Dense, device: torch.device) -> Step:
    if stage.activation not in ACTIVATIONS:
        raise WeightsError(
            f"{folder}: unknown activation {stage.activation!r}; molkd knows "
            f"{', '.join(ACTIVATIONS)}"
        )
    activation = ACTIVATIONS[stage.activation]
    path = folder / "model.safetensors"
    tensors = {name: value.float().to(device) for name, value in read_tensors(path).items()}
    weight, bias = tensors.get("linear.weight"), tensors.get("linear.bias")
    across = tensors.get("residual.weight")
    shape = (stage.outputs, stage.inputs)
    adapts = stage.residual and stage.inputs != stage.outputs
    if weight is None or weight.shape != shape or (adapts and across is None):
        shapes = {name: tuple(value.shape) for name, value in tensors.items()}
        raise WeightsError(f"{path}: expected linear.weight of shape {shape}, found {shapes}")

    def step(rows: Tensor) -> Tensor:
        outputs = activation(functional.linear(rows, weight, bias))
        if not stage.residual:
            return outputs
        return outputs + (rows if across is None else functional.linear(rows, across))

    return step
