"""Faithful densities: what means and standard deviations are drawn to."""

from __future__ import annotations

import torch

from molkd.objectives.faithful_regression import Faithful
from molkd.objectives.mutual_information import MutualInformation
from tests.objectives import samples


def _made(kind: type[MutualInformation]) -> MutualInformation:
    return kind(samples.FEATURES, samples.specs())


def _gradient(kind: type[MutualInformation], teacher: str, width: int) -> tuple[torch.Tensor, ...]:
    objective = _made(kind)
    outputs = torch.randn(samples.BATCH, width, generator=torch.Generator().manual_seed(0))
    outputs.requires_grad_()
    target = samples.targets().values[teacher]
    objective._row_loss(teacher, outputs, target).sum().backward()
    assert outputs.grad is not None
    return outputs.detach(), target, outputs.grad


def test_means_follow_the_squared_error_and_standard_deviations_the_likelihood():
    outputs, target, gradient = _gradient(Faithful, "real", 10)
    mean = outputs[:, :5]
    torch.testing.assert_close(gradient[:, :5], (mean - target) / 5)
    _, _, likely = _gradient(MutualInformation, "real", 10)
    torch.testing.assert_close(gradient[:, 5:], likely[:, 5:])
    assert not torch.allclose(gradient[:, :5], likely[:, :5], atol=1e-2)


def test_bits_and_counts_keep_their_likelihood():
    for teacher, width in (("bits", 7), ("counts", 4)):
        faithful, likely = (_gradient(k, teacher, width)[2] for k in (Faithful, MutualInformation))
        assert torch.equal(faithful, likely)
