"""Every conditional density against SciPy in float64."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import special, stats
from torch import Tensor

from molkd.objectives import densities
from molkd.objectives.densities import DENSITIES, Density
from molkd.tensors import TargetSpec

Array = npt.NDArray[np.float64]

BATCH, DIM = 6, 5
TEXTS = [*DENSITIES, "gaussian:0.3", "mixture:2", "mixture:3:0.2", "low-rank:1", "low-rank:9:0.1"]

each = pytest.mark.parametrize("text", TEXTS)


def _target(density: Density, rows: int = BATCH, dim: int = DIM, seed: int = 0) -> Tensor:
    rng = np.random.default_rng(seed)
    draw = {
        "real": lambda: rng.normal(size=(rows, dim)),
        "bits": lambda: rng.random((rows, dim)) < 0.3,
        "counts": lambda: rng.negative_binomial(1.0, 0.3, (rows, dim)),
    }
    return torch.from_numpy(draw[density.support]().astype(np.float64))


def _outputs(density: Density, rows: int = BATCH, dim: int = DIM, seed: int = 1) -> Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(scale=1.5, size=(rows, density.width(dim))))


def _spec(density: Density, target: Tensor) -> TargetSpec:
    return TargetSpec(target.shape[1], density.support, target.mean(dim=0).float())


# What outputs mean, written down again, one row at a time.


def _squashed(raw: Array, low: float, high: float) -> Array:
    return low + (high - low) * special.expit(4 * raw / (high - low))


def _slow(text: str, outputs: Array, target: Array) -> float:
    name, *options = text.split(":")
    dim = len(target)
    floor = {"gaussian": 0, "mixture": 1, "low-rank": 1}.get(name, 9)
    low = math.log(float(options[floor])) if len(options) > floor else -4.0
    if name == "gaussian":
        mean, raw = np.split(outputs, 2)
        return -stats.norm.logpdf(target, mean, np.exp(_squashed(raw, low, 2))).sum()
    if name == "mixture":
        count = int(options[0]) if options else 8
        logits = outputs[:count]
        means, raws = outputs[count:].reshape(2, count, dim)
        log_p = [
            stats.norm.logpdf(target, mean, np.exp(_squashed(raw, low, 2))).sum()
            for mean, raw in zip(means, raws, strict=True)
        ]
        return -special.logsumexp(np.array(log_p) + special.log_softmax(logits))
    if name == "low-rank":
        mean, raw, flat = np.split(outputs, [dim, 2 * dim])
        factors = _squashed(flat.reshape(dim, -1), -math.exp(2), math.exp(2))
        covariance = np.diag(np.exp(2 * _squashed(raw, low, 2))) + factors @ factors.T
        return -stats.multivariate_normal.logpdf(target, mean, covariance)
    if name == "bernoulli":
        return -stats.bernoulli.logpmf(target, special.expit(outputs)).sum()
    mean = np.exp(_squashed(outputs[:dim], -10, 10))
    if name == "poisson":
        return -stats.poisson.logpmf(target, mean).sum()
    size = np.exp(-_squashed(outputs[dim:], -16, 4))
    return -stats.nbinom.logpmf(target, size, size / (size + mean)).sum()


@each
def test_the_likelihood_is_that_of_scipy(text: str):
    density = densities.make(text)
    outputs, target = _outputs(density), _target(density)
    rows = zip(outputs.numpy(), target.numpy(), strict=True)
    expected = torch.tensor([_slow(text, *row) for row in rows], dtype=torch.float64)
    torch.testing.assert_close(density.nll(outputs, target), expected, rtol=1e-8, atol=1e-8)
    single = density.nll(outputs.float(), target.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), expected, rtol=1e-4, atol=1e-4)


@each
def test_one_density_for_all_rows_is_the_same_density_for_each(text: str):
    density = densities.make(text)
    outputs, target = _outputs(density), _target(density)
    shared = density.nll(outputs[0], target)
    torch.testing.assert_close(shared, density.nll(outputs[:1].expand(BATCH, -1), target))
    for one, many in zip(density.moments(outputs[0]), density.moments(outputs), strict=True):
        assert one.shape == (DIM,)
        torch.testing.assert_close(one, many[0])


@each
def test_moments_are_those_of_the_likelihood(text: str):
    density = densities.make(text)
    outputs = _outputs(density, dim=1)
    grid = {
        "real": torch.linspace(-60, 60, 20_001, dtype=torch.float64),
        "bits": torch.arange(2, dtype=torch.float64),
        "counts": torch.arange(10_000, dtype=torch.float64),
    }[density.support]
    step = grid[1] - grid[0]
    mean, sd = density.moments(outputs)
    assert mean.shape == sd.shape == (BATCH, 1)
    for row in range(BATCH):
        p = torch.exp(-density.nll(outputs[row], grid[:, None])) * step
        first = (p * grid).sum()
        second = (p * (grid - first).square()).sum()
        assert p.sum().item() == pytest.approx(1, abs=1e-5)
        assert mean[row].item() == pytest.approx(first.item(), rel=1e-3, abs=1e-5)
        assert sd[row].item() == pytest.approx(second.sqrt().item(), rel=1e-3)


def test_moments_of_correlated_dimensions_are_those_of_samples():
    rng = np.random.default_rng(0)
    for text in ("mixture:3", "low-rank:2"):
        density = densities.make(text)
        outputs = _outputs(density, rows=1, dim=2)
        if text == "low-rank:2":
            mean, raw, flat = np.split(outputs[0].numpy(), [2, 4])
            factors = _squashed(flat.reshape(2, 2), -math.exp(2), math.exp(2))
            sd = np.exp(_squashed(raw, -4, 2))
            noise = rng.normal(size=(400_000, 2))
            draws = mean + sd * noise + rng.normal(size=(400_000, 2)) @ factors.T
        else:
            logits, rest = np.split(outputs[0].numpy(), [3])
            means, raws = rest.reshape(2, 3, 2)
            which = rng.choice(3, size=400_000, p=special.softmax(logits))
            sd = np.exp(_squashed(raws, -4, 2))
            draws = means[which] + sd[which] * rng.normal(size=(400_000, 2))
        mean, sd = density.moments(outputs[0])
        np.testing.assert_allclose(mean, draws.mean(axis=0), atol=0.02)
        np.testing.assert_allclose(sd, draws.std(axis=0), rtol=0.01)


@each
def test_the_marginal_is_a_most_likely_member(text: str):
    density = densities.make(text)
    target = _target(density, rows=300)
    fitted = density.marginal(target)
    assert fitted.shape == (density.width(DIM),)
    best = density.nll(fitted, target).mean()
    assert best <= density.nll(density.start(_spec(density, target)).double(), target).mean() + 0.01
    for seed in range(20):
        rng = torch.Generator().manual_seed(seed)
        moved = fitted + 0.05 * torch.randn(fitted.shape, generator=rng, dtype=torch.float64)
        # Counts and bits are smoothed by half a count; factors are not fitted to the last digit.
        assert density.nll(moved, target).mean() > best - 1e-3


@pytest.mark.parametrize("text", ["mixture:3", "low-rank:2", "negative-binomial"])
def test_the_marginal_is_as_likely_as_what_the_data_were_drawn_from(text: str):
    rng = np.random.default_rng(3)
    rows, dim = 4_000, 6
    if text == "mixture:3":
        means = rng.normal(size=(3, dim))
        target = means[rng.choice(3, size=rows)] + 0.3 * rng.normal(size=(rows, dim))
        log_p = [stats.norm.logpdf(target, mean, 0.3).sum(axis=1) for mean in means]
        truth = -(special.logsumexp(log_p, axis=0) - math.log(3)).mean()
    elif text == "low-rank:2":
        factors = rng.normal(size=(dim, 2))
        covariance = 0.1 * np.eye(dim) + factors @ factors.T
        target = rng.multivariate_normal(np.ones(dim), covariance, rows)
        truth = -stats.multivariate_normal.logpdf(target, np.ones(dim), covariance).mean()
    else:
        size, p = np.geomspace(0.3, 30, dim), 0.2
        target = rng.negative_binomial(size, p, (rows, dim)).astype(float)
        truth = -stats.nbinom.logpmf(target, size, p).sum(axis=1).mean()
    density = densities.make(text)
    values = torch.from_numpy(target)
    likely = density.nll(density.marginal(values), values).mean().item()
    assert truth - 0.05 < likely < truth + 1e-3


@each
def test_heads_start_within_a_nat_of_the_marginal(text: str):
    density = densities.make(text)
    for dim in (1, 3, 700):
        target = _target(density, rows=1000, dim=dim)
        if density.support == "counts":
            target = torch.poisson(torch.full_like(target, 3.0))
        start = density.start(_spec(density, target))
        assert start.shape == (density.width(dim),)
        marginal = {"real": "gaussian", "bits": "bernoulli", "counts": "poisson"}[density.support]
        simple = densities.make(marginal)
        best = simple.nll(simple.marginal(target), target).mean()
        # Real targets start at mean 0 and sd 1, hence the part per dimension.
        allowed = 0.002 * dim + (0.2 * dim if text == "negative-binomial" else 1.0)
        assert density.nll(start.double(), target).mean() < best + allowed
        mean, sd = density.moments(start)
        expected = simple.moments(simple.start(_spec(density, target)))
        torch.testing.assert_close(mean, expected[0], atol=1e-3, rtol=1e-3)
        if text != "negative-binomial":
            torch.testing.assert_close(sd, expected[1], atol=2e-3, rtol=2e-3)


@each
def test_equal_parts_of_a_density_do_not_start_equal(text: str):
    """No two outputs of a dimension may stay equal for ever: their gradients must differ."""
    density = densities.make(text)
    target = _target(density, rows=50)
    start = density.start(_spec(density, target)).double().requires_grad_()
    density.nll(start, target).sum().backward()
    assert start.grad is not None
    gradient = start.grad
    assert gradient.unique().numel() == gradient.numel()
    assert (gradient != 0).all()


@each
def test_entropy_is_the_closed_form(text: str):
    density = densities.make(text)
    if density.support == "real":
        spec = TargetSpec(3, "real", torch.zeros(3))
        expected = np.full(3, stats.norm.entropy())
    elif density.support == "bits":
        spec = TargetSpec(3, "bits", torch.tensor([0.01, 0.5, 0.9]))
        expected = stats.bernoulli.entropy(spec.mean.double().numpy())
    else:
        spec = TargetSpec(5, "counts", torch.tensor([0.01, 1.0, 30.0, 60.0, 500.0]))
        expected = stats.poisson.entropy(spec.mean.double().numpy())
    np.testing.assert_allclose(density.entropy(spec), expected, rtol=1e-4)


@each
def test_extreme_outputs_and_targets_stay_finite(text: str):
    density = densities.make(text)
    width = density.width(3)
    signs = torch.tensor([1.0, -1.0])[torch.arange(width) % 2]
    extreme = torch.stack([torch.ones(width), -torch.ones(width), signs, -signs]) * 1e4
    values = {"real": (0.0, 1.0, -1e3), "bits": (0.0, 1.0), "counts": (0.0, 1.0, 1e5)}
    for value in values[density.support]:
        outputs = extreme.clone().requires_grad_()
        nll = density.nll(outputs, torch.full((4, 3), value))
        mean, sd = density.moments(outputs)
        assert all(torch.isfinite(t).all() for t in (nll, mean, sd))
        assert (sd >= 0).all()
        (nll.sum() + mean.sum() + sd.sum()).backward()
        assert outputs.grad is not None
        assert torch.isfinite(outputs.grad).all()


@each
def test_arithmetic_is_float32_under_autocast(text: str):
    density = densities.make(text)
    dim = 40
    outputs, target = _outputs(density, dim=dim).float(), _target(density, dim=dim).float()
    exact = density.nll(outputs, target)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = density.nll(outputs, target)
        half = density.nll(outputs.bfloat16(), target)
        moments = density.moments(outputs.bfloat16())
    assert inside.dtype == half.dtype == moments[0].dtype == moments[1].dtype == torch.float32
    torch.testing.assert_close(inside, exact)
    torch.testing.assert_close(half, density.nll(outputs.bfloat16().float(), target))


@each
def test_the_gradient_is_that_of_finite_differences(text: str):
    density = densities.make(text)
    outputs, target = _outputs(density, rows=2).requires_grad_(), _target(density, rows=2)
    assert torch.autograd.gradcheck(lambda o: density.nll(o, target), outputs)
    assert torch.autograd.gradcheck(density.moments, outputs)
