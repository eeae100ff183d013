"""Standardisation during training: against NumPy in float64, and what must not enter it."""

from __future__ import annotations

import copy
import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from molkd.errors import ConfigError, ShapeError
from molkd.objectives.standardizers import STANDARDIZERS, Batch, Ema, Standardizer, newest

Floats = npt.NDArray[np.float64]

DIM, BATCH = 5, 32
MEAN, SD = np.array([0.0, 5, -3, 100, 0.01]), np.array([1.0, 2, 0.5, 20, 0.1])

each = pytest.mark.parametrize("name", STANDARDIZERS)


def _batches(count: int, seed: int = 0, size: int = BATCH) -> list[tuple[Tensor, Tensor]]:
    """Rows of which a fifth are absent and hold NaN."""
    random = np.random.default_rng(seed)
    batches: list[tuple[Tensor, Tensor]] = []
    for _ in range(count):
        values = random.normal(size=(size, DIM)) * SD + MEAN
        present = random.random(size) > 0.2
        values[~present] = np.nan
        batches.append((torch.tensor(values, dtype=torch.float32), torch.tensor(present)))
    return batches


def _slow(name: str, batches: list[tuple[Tensor, Tensor]]) -> tuple[list[Floats], Floats, Floats]:
    """Outputs of every training step, and the final averages."""
    mean, sd = np.zeros(DIM), np.ones(DIM)
    outputs: list[Floats] = []
    for step, (values, present) in enumerate(batches):
        beta = 0.001 + 0.5 * (1 - 0.001) * (1 + math.cos(math.pi * step / len(batches)))
        there = present.numpy()
        rows = values.numpy().astype(np.float64)[there]
        now, spread = rows.mean(axis=0), rows.std(axis=0, ddof=1)
        output = np.zeros((len(values), DIM))
        if name == "ema":
            output[there] = (rows - mean) / (sd + 1e-6)
            spread = spread + 1e-6
        else:
            output[there] = (rows - now) / np.maximum(spread, 1e-3)
        outputs.append(output)
        mean, sd = (1 - beta) * mean + beta * now, (1 - beta) * sd + beta * spread
    return outputs, mean, sd


def _train(module: Standardizer, batches: list[tuple[Tensor, Tensor]]) -> list[Tensor]:
    count = len(batches)
    return [module(*batch, step / count) for step, batch in enumerate(batches)]


@each
def test_every_step_is_that_of_a_slow_reference(name: str) -> None:
    batches = _batches(20)
    module = STANDARDIZERS[name](DIM)
    found = _train(module, batches)
    expected, mean, sd = _slow(name, batches)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(module.mean.numpy(), mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(module.sd.numpy(), sd, rtol=1e-5)
    module.eval()
    values, present = _batches(1, seed=1)[0]
    divisor = sd + 1e-6 if name == "ema" else sd
    frozen = np.where(present.numpy()[:, None], (values.numpy() - mean) / divisor, 0)
    np.testing.assert_allclose(module(values, present, 0.5).numpy(), frozen, 1e-4, 1e-5)


def test_the_first_batch_of_ema_passes_as_it_is() -> None:
    values, present = _batches(1)[0]
    found = Ema(DIM)(values, present, 0.0)
    np.testing.assert_allclose(found[present].numpy(), values[present].numpy(), rtol=2e-6)


@each
def test_averages_come_near_to_those_of_all_rows(name: str) -> None:
    module = STANDARDIZERS[name](DIM)
    _train(module, _batches(2000, size=160))  # 128 rows present, on average
    assert (np.abs(module.mean.numpy() - MEAN) / SD).max() < 0.02
    np.testing.assert_allclose(module.sd.numpy(), SD, rtol=0.02)


def test_the_newest_batch_counts_less_and_less() -> None:
    assert newest(0.0) == 1
    assert newest(1.0) == pytest.approx(0.001)
    assert newest(0.5) == pytest.approx(0.5005)
    assert newest(0.25) == pytest.approx(0.8537, abs=1e-4)
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(ConfigError, match="share of training must lie in"):
            newest(share)


@each
def test_evaluation_learns_nothing(name: str) -> None:
    module = STANDARDIZERS[name](DIM)
    _train(module, _batches(3))
    before = copy.deepcopy(module.state_dict())
    module.eval()
    _train(module, _batches(3, seed=1))
    after = module.state_dict()
    assert set(before) == {"mean", "sd"}
    assert all(torch.equal(before[key], after[key]) for key in before)


@each
@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_rows_teach_nothing(name: str, count: int) -> None:
    module = STANDARDIZERS[name](DIM)
    _train(module, _batches(3))
    before = copy.deepcopy(module)
    values = _batches(1, seed=1)[0][0].nan_to_num(1.0)
    present = torch.arange(BATCH) < count
    found = module(values, present, 0.3)
    assert torch.equal(module.mean, before.mean)
    assert torch.equal(module.sd, before.sd)
    assert torch.equal(found, before.eval()(values, present, 0.3))
    assert found.isfinite().all()
    assert (found[:count] != 0).all()


@each
@pytest.mark.parametrize("training", [True, False])
def test_what_absent_rows_hold_does_not_matter(name: str, *, training: bool) -> None:
    values, present = _batches(1)[0]
    results: list[tuple[Tensor, Tensor, Tensor]] = []
    for content in (0.0, 1e30, float("nan"), float("inf")):
        module = STANDARDIZERS[name](DIM).train(training)
        found = module(torch.where(present[:, None], values, content), present, 0.3)
        assert (found[~present] == 0).all()
        results.append((found, module.mean.clone(), module.sd.clone()))
    alone = STANDARDIZERS[name](DIM).train(training)
    only = alone(values[present], torch.ones(int(present.sum()), dtype=torch.bool), 0.3)
    for found, mean, sd in results:
        torch.testing.assert_close(found[present], only)
        torch.testing.assert_close(mean, alone.mean)
        torch.testing.assert_close(sd, alone.sd)


@each
def test_no_gradient_reaches_the_teacher(name: str) -> None:
    values, present = _batches(1)[0]
    values = values.nan_to_num().requires_grad_()
    assert not STANDARDIZERS[name](DIM)(values, present, 0.1).requires_grad


@each
@pytest.mark.parametrize("content", [0.0, 0.1, -1234.567, 1e8])
def test_constant_columns_become_zero(name: str, content: float) -> None:
    module = STANDARDIZERS[name](DIM)
    batches = [(values.clone(), present) for values, present in _batches(30)]
    for values, _ in batches:
        values[:, 2] = content
    found = _train(module, batches)
    for one in found if name == "batch" else found[1:]:  # the first of Ema is raw
        assert one.isfinite().all()
        assert (one[:, 2] == 0).all()
        assert (one[:, 1] != 0).any()
    module.eval()
    assert (module(*batches[0], 1.0)[:, 2] == 0).all()


def test_the_divisor_of_batch_has_a_floor() -> None:
    values = torch.tensor([[0.0], [1e-5]])
    found = Batch(1)(values, torch.ones(2, dtype=torch.bool), 0.0)
    torch.testing.assert_close(found, torch.tensor([[-5e-3], [5e-3]]))


@each
def test_a_resumed_run_goes_on_with_the_same_bits(name: str) -> None:
    batches = _batches(10)
    through = STANDARDIZERS[name](DIM)
    expected = _train(through, batches)[5:]
    first, second = STANDARDIZERS[name](DIM), STANDARDIZERS[name](DIM)
    for step in range(5):
        first(*batches[step], step / 10)
    second.load_state_dict(first.state_dict())
    for step in range(5, 10):
        assert torch.equal(second(*batches[step], step / 10), expected[step - 5])
    assert torch.equal(second.mean, through.mean)
    assert torch.equal(second.sd, through.sd)


@each
def test_the_order_of_rows_does_not_matter(name: str) -> None:
    values, present = _batches(1)[0]
    order = torch.randperm(BATCH, generator=torch.Generator().manual_seed(0))
    one, other = STANDARDIZERS[name](DIM), STANDARDIZERS[name](DIM)
    found = other(values[order], present[order], 0.2)
    torch.testing.assert_close(found, one(values, present, 0.2)[order], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(other.sd, one.sd)


@each
def test_half_precision_is_computed_in_float32(name: str) -> None:
    values = torch.full((64, 1), 300.0, dtype=torch.float16)
    values[::2] = 301.0
    module = STANDARDIZERS[name](1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = module(values, torch.ones(64, dtype=torch.bool), 0.0)
    assert found.dtype == torch.float32
    assert module.mean.item() == pytest.approx(300.5)
    assert module.sd.item() == pytest.approx(np.tile([0, 1], 32).std(ddof=1), rel=1e-4)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 1 dimension, not 0"):
        Ema(0)
    with pytest.raises(ShapeError, match=r"values must have shape \(b, 5\), not \(3, 4\)"):
        Ema(DIM)(torch.zeros(3, 4), torch.ones(3, dtype=torch.bool), 0.0)
