"""Options of mutual information alone."""

from __future__ import annotations

import math

import torch

from molkd import objectives
from molkd.objectives import MutualInformationSettings
from molkd.objectives.densities import gaussian
from tests.objectives.samples import FEATURES, features, specs, targets


def _objective(**options: object) -> objectives.MutualInformation:
    settings = MutualInformationSettings(head_layers=0, smallest_sd=0.1, **options)
    built = settings.build(FEATURES, specs())
    assert isinstance(built, objectives.MutualInformation)
    return built


def test_shared_standard_deviations_are_learnt_and_the_same_for_all_rows():
    objective = _objective(shared_sd=True)
    assert objective.head("real").last[-1].out_features == 5  # means alone
    assert objective.head("bits").last[-1].out_features == 7
    (scales,) = objective.scales.values()
    objective(features(), targets()).total.backward()
    assert scales.grad is not None
    assert scales.grad.abs().min() > 0


def test_with_shared_standard_deviations_the_loss_is_the_normal_density():
    objective = _objective(shared_sd=True)
    (scales,) = objective.scales.values()
    with torch.no_grad():
        scales.copy_(gaussian.raw_of_log_sd(torch.full((5,), math.log(0.5)), 0.1))
        mean = objective.predict("real", features())
        expected = -torch.distributions.Normal(mean, 0.5).log_prob(targets().values["real"])
        rows = objective.row_losses(features(), targets())[list(objective.specs).index("real")]
    width = objective.effective_width["real"]
    torch.testing.assert_close(rows * width, expected.sum(dim=1), rtol=1e-4, atol=1e-4)


def test_without_them_a_head_predicts_both():
    objective = _objective()
    assert objective.head("real").last[-1].out_features == 10
    assert not objective.scales
