"""The network of the probe: its best epoch, its seed and its batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from molkd.benchmarks.probes.mlp import Mlp, _Network
from tests.benchmarks.probes.synthetic import gaussian_line, parts, two_gaussians


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_the_best_epoch_is_kept_not_the_last(kind: str) -> None:
    sample = (
        two_gaussians(250, 60, distance=1)
        if kind == "classification"
        else gaussian_line(250, 60, r2=0.5)
    )
    train, valid, test = parts(sample, 100, 100, 50)
    fitted = Mlp(epochs=60).fit(train, valid, kind=kind, seed=0)
    best = int(fitted.chosen["epoch"])
    assert best < 60
    short = Mlp(epochs=best).fit(train, valid, kind=kind, seed=0)
    np.testing.assert_array_equal(fitted.predict(test.x), short.predict(test.x))


@pytest.mark.parametrize(("rows", "epochs"), [(100, 4), (10, 3), (4, 1)])
def test_epochs_fall_where_rows_are_many(rows: int, epochs: int) -> None:
    train, valid = parts(gaussian_line(120, 2, r2=0.99), 20, 100)  # every epoch is better
    fitted = Mlp(epochs=4, rows=rows).fit(train, valid, kind="regression", seed=0)
    assert fitted.chosen == {"epoch": epochs}


def test_the_seed_decides() -> None:
    train, valid, test = parts(gaussian_line(300, 4, r2=0.8), 200, 50, 50)
    first, second = (
        Mlp(epochs=3).fit(train, valid, kind="regression", seed=seed).predict(test.x)
        for seed in (0, 1)
    )
    assert np.abs(first - second).max() > 1e-3


def test_rows_are_shuffled_with_their_labels() -> None:
    train, valid, test = parts(gaussian_line(300, 4, r2=1.0), 200, 50, 50)
    fitted = Mlp(lr=1e-2).fit(train, valid, kind="regression", seed=0)
    assert np.corrcoef(fitted.predict(test.x), test.y)[0, 1] > 0.98


def test_the_network_is_that_of_the_paper() -> None:
    network = _Network.drawn(7, 128, torch.Generator().manual_seed(0))
    module = nn.Sequential(nn.Linear(7, 128), nn.LayerNorm(128), nn.ReLU(), nn.Linear(128, 1))
    shapes = [parameter.shape for parameter in module.parameters()]
    assert [parameter.shape for parameter in network.parameters] == shapes
    for own, other in zip(network.parameters, module.parameters(), strict=True):
        assert float((own.std(correction=0) - other.std(correction=0)).detach()) == pytest.approx(
            0, abs=0.05
        )
        other.data.copy_(own.data)
    x = torch.randn(5, 7, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(network(x), module(x).squeeze(1))


@pytest.mark.parametrize("rows", [1, 128, 129, 256])
def test_batches_of_any_length_are_trained_on(rows: int) -> None:
    train, valid = parts(gaussian_line(rows + 31, 3, r2=0.5), rows + 1, 30)
    fitted = Mlp(epochs=2).fit(train, valid, kind="regression", seed=0)
    assert np.isfinite(fitted.predict(valid.x)).all()
