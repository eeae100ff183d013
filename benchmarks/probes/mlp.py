"""The probe of the mutual-information paper: a perceptron with one hidden layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from molkd.benchmarks.probes.base import LINKS, LOSSES, Fitted, Part, about, check, spread
from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import Labels
from molkd.types import Matrix

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True, kw_only=True)
class Mlp:
    """Linear, LayerNorm, ReLU, Linear; trained by Adam, kept at its best validation epoch.

    Source: Formont et al. 2025 (arXiv 2510.18680) and its code, mol-distill at a36e833. That code
    means to keep the best epoch but keeps a reference to the weights, so that it tests the last
    one, and does not seed the probe; both are mended here.

    Attributes:
        hidden: width of the hidden layer.
        lr: learning rate of Adam.
        batch_size: rows per step; the last step of an epoch may have fewer.
        epochs: most passes over the training rows.
        rows: beyond so many training rows, epochs fall in proportion.
    """

    hidden: int = 128
    lr: float = 1e-3
    batch_size: int = 128
    epochs: int = 100
    rows: int = 5000

    @property
    def about(self) -> dict[str, object]:
        """See `Probe.about`."""
        return about(self, "mlp", ["torch"])

    def fit(self, train: Part, valid: Part, *, kind: Kind, seed: int) -> Fitted:
        """See `Probe.fit`; the seed decides initial weights and order."""
        import torch  # now, because `one_thread` looks for it among loaded modules

        from molkd.runtime.processes import one_thread

        check(train, valid, kind)
        generator = torch.Generator().manual_seed(seed)
        with one_thread():
            classes = np.unique(train.y) if kind == "multiclass" else None
            network = _Network.drawn(train.x.shape[1], self.hidden, generator, classes)
            epoch = self._train(network, train, valid, kind, generator)

        def predict(x: Matrix) -> Labels:
            with one_thread():
                return LINKS[kind](network.outputs(x))

        return Fitted(predict, {"epoch": epoch})

    def _train(
        self, network: _Network, train: Part, valid: Part, kind: Kind, generator: Generator
    ) -> int:
        """Trains the network, leaves it at its best epoch, and returns that, counted from 1."""
        import torch

        loss_of, valid_loss = _loss_of_steps(kind), LOSSES[kind]
        x, y = _tensor(train.x), _tensor(network.targets(train.y))
        optimizer = torch.optim.Adam(network.parameters, lr=self.lr, fused=True)
        shuffled, targets = torch.empty_like(x), torch.empty_like(y)
        best, best_epoch, kept = np.inf, 0, network.copied()
        for epoch in range(1, min(int(self.epochs * self.rows / len(y)) + 1, self.epochs) + 1):
            order = torch.randperm(len(y), generator=generator)
            torch.index_select(x, 0, order, out=shuffled)
            torch.index_select(y, 0, order, out=targets)
            for inputs, expected in zip(
                shuffled.split(self.batch_size), targets.split(self.batch_size), strict=True
            ):
                optimizer.zero_grad(set_to_none=True)
                loss_of(network(inputs), expected).backward()
                optimizer.step()
            loss = valid_loss(valid.y, network.outputs(valid.x))
            if loss < best:
                best, best_epoch, kept = loss, epoch, network.copied()
        network.parameters = kept
        return best_epoch


class _Network:
    """The network as plain tensors: a module would cost more than the arithmetic of a step."""

    def __init__(self, parameters: list[Tensor], classes: Labels | None) -> None:
        self.parameters = parameters
        self.classes = classes

    @classmethod
    def drawn(
        cls, width: int, hidden: int, generator: Generator, classes: Labels | None = None
    ) -> _Network:
        """Draws weights as `torch.nn.Linear` does, but from a generator of its own.

        There is one output, or one for each of many classes.
        """
        import torch

        outputs = 1 if classes is None else len(classes)

        def uniform(*shape: int, fan: int) -> Tensor:
            return torch.empty(shape).uniform_(-(fan**-0.5), fan**-0.5, generator=generator)

        parameters = [
            uniform(hidden, width, fan=width),
            uniform(hidden, fan=width),
            torch.ones(hidden),
            torch.zeros(hidden),
            uniform(outputs, hidden, fan=hidden),
            uniform(outputs, fan=hidden),
        ]
        return cls([parameter.requires_grad_() for parameter in parameters], classes)

    def __call__(self, x: Tensor) -> Tensor:
        """Shape (b, d) -> (b,): log-odds, or values; (b, k): logits of many classes."""
        from torch.nn import functional

        weight, bias, scale, shift, out, out_bias = self.parameters
        hidden = functional.layer_norm(functional.linear(x, weight, bias), bias.shape, scale, shift)
        return functional.linear(functional.relu(hidden), out, out_bias).squeeze(1)

    def outputs(self, x: Matrix) -> Labels:
        """Shape (m, d) -> (m,) or (m, k), in double precision, without gradients."""
        import torch

        with torch.no_grad():
            outputs = self(_tensor(x)).numpy().astype(np.float64)
        if self.classes is None:
            return outputs
        return spread(outputs, self.classes, absent=-np.inf)

    def targets(self, y: Labels) -> Labels:
        """What the loss of a step compares outputs with: places of classes, or labels."""
        return y if self.classes is None else np.searchsorted(self.classes, y).astype(np.float64)

    def copied(self) -> list[Tensor]:
        """Copies of the parameters: training changes the parameters themselves in place."""
        return [parameter.detach().clone() for parameter in self.parameters]


def _tensor(values: Matrix | Labels) -> Tensor:
    import torch

    return torch.from_numpy(np.require(values, np.float32, ["C", "W"]))


def _loss_of_steps(kind: Kind) -> Callable[[Tensor, Tensor], Tensor]:
    from torch.nn import functional

    losses: Mapping[Kind, Callable[[Tensor, Tensor], Tensor]] = {
        "classification": functional.binary_cross_entropy_with_logits,
        "multiclass": lambda logits, y: functional.cross_entropy(logits, y.long()),
        "regression": functional.mse_loss,
    }
    return losses[kind]
