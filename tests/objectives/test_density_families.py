"""What each family of densities promises beyond its formula, what it is for, and its name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import stats
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from molkd.errors import ConfigError, UnknownNameError
from molkd.objectives import densities
from molkd.objectives.densities import DENSITIES
from molkd.objectives.densities.base import bounded, spread, unbounded
from molkd.runtime.registry import Registry
from molkd.tensors import TargetSpec

Array = npt.NDArray[np.float64]


class _Largest(TorchDispatchMode):
    """Notes the largest tensor made."""

    numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for one in made if isinstance(made, (tuple, list)) else (made,):
            if isinstance(one, Tensor):
                self.numbers = max(self.numbers, one.numel())
        return made


def test_low_rank_makes_no_matrix_of_dim_by_dim():
    density = densities.make("low-rank:3")
    outputs = torch.randn(2, density.width(200), dtype=torch.float64, requires_grad=True)
    target = torch.zeros(2, 200)
    with _Largest() as largest:
        density.nll(outputs, target).sum().backward()
        density.marginal(torch.randn(4, 200))
    assert largest.numbers <= 2 * density.width(200)


def test_low_rank_is_exact_where_factors_are_large_and_alike():
    density = densities.make("low-rank:4")
    dim = 300
    parts = [torch.zeros(2 * dim), torch.full((4 * dim,), 1e3)]
    parts[0][dim:] = -1e3  # smallest noise, largest and equal factors
    outputs = torch.cat(parts)
    target = torch.from_numpy(np.random.default_rng(0).normal(size=(1, dim)))
    factor = np.full((dim, 1), math.exp(2))
    covariance = math.exp(-8) * np.eye(dim) + 4 * factor @ factor.T
    expected = -stats.multivariate_normal.logpdf(target[0], np.zeros(dim), covariance)
    assert density.nll(outputs, target).item() == pytest.approx(expected, rel=1e-5)


def test_without_dispersion_a_negative_binomial_is_a_poisson():
    log_mean = torch.linspace(-3, 5, 9)
    counts = torch.tensor([0.0, 1.0, 2.0, 10.0, 100.0])[:, None].expand(5, 9)
    for dispersion in (-1e4, -30.0):
        raw = unbounded(log_mean, -10, 10).requires_grad_()
        outputs = torch.cat([raw, torch.full((9,), dispersion)])
        nll = densities.make("negative-binomial").nll(outputs, counts)
        expected = -stats.poisson.logpmf(counts, log_mean.double().exp()).sum(axis=1)
        np.testing.assert_allclose(nll.detach(), expected, rtol=1e-4)
        nll.sum().backward()
        again = raw.detach().clone().requires_grad_()
        densities.make("poisson").nll(again, counts).sum().backward()
        torch.testing.assert_close(raw.grad, again.grad, rtol=1e-3, atol=1e-3)


def test_counts_without_excess_variance_get_no_dispersion():
    rng = np.random.default_rng(0)
    target = torch.from_numpy(rng.binomial(10, 0.5, (2_000, 3)).astype(float))
    density = densities.make("negative-binomial")
    mean, sd = density.moments(density.marginal(target))
    torch.testing.assert_close(sd, mean.sqrt(), rtol=1e-3, atol=0)


def test_marginals_of_degenerate_targets_are_finite():
    for text in [*DENSITIES, "gaussian:0.3", "mixture:2"]:
        density = densities.make(text)
        for rows in (1, 2, 20):
            target = torch.ones(rows, 4)
            fitted = density.marginal(target)
            assert torch.isfinite(fitted).all()
            assert torch.isfinite(density.nll(fitted, target)).all()
            assert fitted.dtype == torch.float32


def test_bounds_are_inverted():
    values = torch.linspace(-3.9, 1.9, 50)
    torch.testing.assert_close(bounded(unbounded(values, -4, 2), -4, 2), values, atol=1e-4, rtol=0)


def test_spread_numbers_differ_and_have_mean_square_about_one():
    numbers = spread(16, 400)
    assert numbers.square().mean().item() == pytest.approx(1, abs=0.1)
    alike = torch.corrcoef(numbers) - torch.eye(16)
    assert alike.abs().max() < 0.1
    assert torch.equal(numbers, spread(16, 400))


# What the families are for: small linear heads, on rows that they were not fitted on.

FIT, ROWS = 3_000, 15_000


def _held_out(text: str, z: Array, t: Array, fit: int, steps: int = 120) -> float:
    """Nats per row on the rows after the first `fit`, which a linear head is fitted on.

    The head's weights start at zero, so that nothing but the density's start tells its parts apart.
    """
    density = densities.make(text)
    inputs, targets = torch.from_numpy(z).float(), torch.from_numpy(t).float()
    head = nn.Linear(z.shape[1], density.width(t.shape[1]))
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(
            density.start(
                TargetSpec(targets.shape[1], density.support, targets[:fit].mean(dim=0).float())
            )
        )
    optimizer = torch.optim.Adam(head.parameters(), lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        density.nll(head(inputs[:fit]), targets[:fit]).mean().backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        return density.nll(head(inputs[fit:]), targets[fit:]).double().mean().item()


def test_low_rank_models_correlated_residuals_that_a_gaussian_does_not():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(ROWS, 3))
    factors = 0.5 * rng.normal(size=(8, 2))
    covariance = np.diag(rng.uniform(0.1, 0.3, 8)) + factors @ factors.T
    t = z @ rng.normal(size=(3, 8)) / 2 + rng.multivariate_normal(np.zeros(8), covariance, len(z))
    truth = stats.multivariate_normal.entropy(cov=covariance)
    without = stats.norm.entropy(scale=np.sqrt(np.diag(covariance))).sum()
    assert without > 1.2 * truth  # what the correlations are worth
    assert _held_out("low-rank:2", z, t, fit=FIT) == pytest.approx(truth, rel=0.02)
    assert _held_out("gaussian", z, t, fit=FIT) == pytest.approx(without, rel=0.02)


def test_low_rank_sees_correlations_that_depend_on_the_input():
    rng = np.random.default_rng(1)
    z = np.where(rng.random((ROWS, 1)) < 0.5, -1.0, 1.0)
    shared = rng.normal(size=z.shape)
    t = np.hstack([shared, z * shared]) + 0.3 * rng.normal(size=(len(z), 2))
    covariance = np.array([[1.09, 1.0], [1.0, 1.09]])  # or -1 off the diagonal, as equal in entropy
    truth = stats.multivariate_normal.entropy(cov=covariance)
    assert _held_out("low-rank:1", z, t, fit=FIT) == pytest.approx(truth, rel=0.02)


@pytest.mark.parametrize("text", ["mixture:2", "mixture:4"])
def test_a_mixture_models_two_modes_that_a_gaussian_does_not(text: str):
    rng = np.random.default_rng(2)
    z = rng.normal(size=(ROWS, 2))
    side = rng.choice([-1.0, 1.0], size=(len(z), 1))
    apart = np.array([0.8, -0.7, 0.6])
    t = z @ rng.normal(size=(2, 3)) / 2 + side * apart + 0.2 * rng.normal(size=(len(z), 3))
    truth = 3 * stats.norm.entropy(scale=0.2) + math.log(2)  # modes 12 sd apart do not overlap
    single = stats.norm.entropy(scale=np.sqrt(0.04 + apart**2)).sum()
    assert _held_out(text, z, t, fit=FIT) == pytest.approx(truth, abs=0.02 * (single - truth))
    assert _held_out("gaussian", z, t, fit=FIT) == pytest.approx(single, rel=0.02)


def test_a_negative_binomial_models_overdispersed_counts_that_a_poisson_does_not():
    rng = np.random.default_rng(3)
    z = np.concatenate([rng.normal(size=(FIT, 2)), np.tile(rng.normal(size=(200, 2)), (60, 1))])
    mean = np.exp(np.array([0.0, 1.0, 2.0]) + z @ rng.normal(size=(2, 3)) / 3)
    size = np.array([0.5, 1.0, 4.0])
    t = rng.negative_binomial(size, size / (size + mean)).astype(float)
    counts = np.arange(1_000)[:, None, None]
    asked = mean[FIT : FIT + 200]
    log_p = stats.nbinom.logpmf(counts, size, size / (size + asked))
    truth = -(np.exp(log_p) * log_p).sum(axis=(0, 2)).mean()
    np.testing.assert_allclose(np.exp(log_p).sum(axis=0), 1, atol=1e-6)
    fitted = _held_out("negative-binomial", z, t, fit=FIT)
    assert fitted == pytest.approx(truth, rel=0.02)
    assert _held_out("poisson", z, t, fit=FIT) > 1.2 * fitted


# Names and options.


def test_options_follow_the_name():
    assert densities.make("gaussian") == densities.Gaussian()
    assert densities.make("gaussian:0.1") == densities.Gaussian(smallest_sd=0.1)
    assert densities.make("mixture:3:0.2") == densities.Mixture(components=3, smallest_sd=0.2)
    assert densities.make("low-rank:4") == densities.LowRank(rank=4) != densities.LowRank()
    assert repr(densities.make("gaussian:0.1")) == "Gaussian(smallest_sd=0.1)"


@pytest.mark.parametrize("text", ["gaussian:0.5", "mixture:2:0.5", "low-rank:1:0.5"])
def test_the_smallest_standard_deviation_is_an_option(text: str):
    density = densities.make(text)
    outputs = torch.full((density.width(2),), -1e4, dtype=torch.float64)
    if isinstance(density, densities.LowRank):
        outputs[4:] = 0
    np.testing.assert_allclose(density.moments(outputs)[1], 0.5)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("gausian", UnknownNameError, "Did you mean 'gaussian'"),
        ("lowrank:2", UnknownNameError, "Did you mean 'low-rank'"),
        ("gaussian:x", ConfigError, "expected gaussian:smallest_sd, for example"),
        ("gaussian:2", ConfigError, "between 0 and 1, not 2"),
        ("gaussian:nan", ConfigError, "between 0 and 1, not nan"),
        ("mixture:1", ConfigError, "'mixture:1': a mixture has at least 2 components, not 1"),
        ("mixture:2:0", ConfigError, "between 0 and 1, not 0"),
        ("mixture:2:0.1:3", ConfigError, "expected mixture:components:smallest_sd"),
        ("low-rank:x", ConfigError, "expected low-rank:rank:smallest_sd, for example"),
        ("low-rank:0", ConfigError, "rank is at least 1, not 0"),
        ("low-rank:", ConfigError, "expected low-rank"),
        ("poisson:3", ConfigError, "expected 'poisson', which has no options"),
    ],
)
def test_what_is_no_density_is_refused(text: str, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        densities.make(text)


def test_a_teacher_has_the_density_chosen_or_that_of_its_form():
    chosen = {"a": "mixture:3"}
    assert densities.of("a", "real", chosen) == densities.Mixture(3)
    assert densities.of("b", "real", chosen) == densities.Gaussian()
    assert densities.of("b", "bits", {}) == densities.Bernoulli()
    assert densities.of("b", "counts", {}) == densities.Poisson()


def test_a_family_of_ones_own_is_a_class_and_a_line(monkeypatch: pytest.MonkeyPatch):
    @dataclass(frozen=True)
    class Wide(densities.Gaussian):
        factor: float = 2.0
        support: ClassVar = "real"

    table = Registry("density", {"wide": Wide})
    monkeypatch.setattr(densities, "DENSITIES", table)
    assert densities.make("wide:0.1:3") == Wide(0.1, 3.0)
