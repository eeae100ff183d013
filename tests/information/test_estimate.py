"""Known answers of the estimator of mutual information."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from molkd.errors import ConfigError
from molkd.information.densities import EmbeddedRows
from molkd.information.estimate import Information, estimate, linear_r2
from molkd.information.settings import EstimatorSettings
from molkd.tensors import Targets, TargetSpec
from molkd.types import Matrix, Rows, Support

TRAIN, VALID, DIM = 16_000, 20_000, 3


class _Reader:
    """Serves arrays as a bank's reader would."""

    def __init__(self, teachers: dict[str, tuple[np.ndarray, Support]]) -> None:
        self._values = {
            name: torch.from_numpy(values.astype(np.float32))
            for name, (values, _) in teachers.items()
        }
        self.present = {
            name: torch.ones(len(values), dtype=torch.bool) for name, values in self._values.items()
        }
        self.specs = {
            name: TargetSpec(values.shape[1], support, self._values[name].mean(dim=0))
            for name, (values, support) in teachers.items()
        }

    def targets(self, rows: Rows, device: str = "cpu") -> Targets:
        return Targets(
            {name: values[rows] for name, values in self._values.items()},
            {name: present[rows] for name, present in self.present.items()},
        )


def _estimate(z: np.ndarray, reader: _Reader, **settings) -> dict[str, Information]:
    z = z.astype(np.float32)
    train, valid = np.arange(TRAIN), np.arange(TRAIN, TRAIN + VALID)
    return estimate(
        reader,  # pyright: ignore[reportArgumentType]
        train=EmbeddedRows(train, z[train]),
        valid=EmbeddedRows(valid, z[valid]),
        settings=EstimatorSettings(hidden=64, **settings),
    )


def test_jointly_gaussian_data_within_two_percent_of_the_closed_form():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(TRAIN + VALID, DIM))
    rotation = np.linalg.qr(rng.normal(size=(DIM, DIM)))[0]
    rho = np.array([0.6, 0.8, 0.95])
    t = z @ rotation * rho + np.sqrt(1 - rho**2) * rng.normal(size=z.shape)
    known = _estimate(z, _Reader({"gaussian": (t, "real")}), epochs=15, lr=4e-3)["gaussian"]
    truth = -0.5 * np.log(1 - rho**2).sum()
    conditional = 0.5 * np.log(2 * math.pi * math.e * (1 - rho**2)).sum()
    assert known.mutual_information == pytest.approx(truth, rel=0.02)
    assert known.conditional_entropy == pytest.approx(conditional, abs=0.02 * truth)
    assert known.r2 == pytest.approx((rho**2).mean(), abs=0.02)


def test_scale_that_depends_on_the_student_is_information():
    rng = np.random.default_rng(1)
    z = rng.normal(size=(TRAIN + VALID, 1))
    sd = np.exp(0.5 * z)
    t = sd * rng.normal(size=(len(z), DIM))
    known = _estimate(z, _Reader({"scale": (t, "real")}), epochs=6, lr=4e-3)["scale"]
    truth = DIM * (0.5 * math.log(2 * math.pi * math.e) + np.log(sd[TRAIN:]).mean())
    assert known.conditional_entropy == pytest.approx(truth, rel=0.02)
    assert abs(known.r2) < 0.01  # a probe of the mean sees nothing


def test_discrete_data_within_two_percent_of_the_entropy():
    rng = np.random.default_rng(2)
    z = rng.normal(size=(TRAIN + VALID, DIM))
    p = 1 / (1 + np.exp(-2 * z))
    rate = np.exp(0.7 * z + 0.5)
    reader = _Reader(
        {
            "bits": (rng.random(p.shape) < p, "bits"),
            "counts": (rng.poisson(rate), "counts"),
        }
    )
    known = _estimate(z, reader, epochs=5, lr=4e-3)
    bits = stats.bernoulli.entropy(p[TRAIN:]).sum(axis=1).mean()
    grid = np.linspace(np.log(rate).min(), np.log(rate).max(), 400)
    entropies = np.interp(np.log(rate[TRAIN:]), grid, stats.poisson.entropy(np.exp(grid)))
    counts = entropies.sum(axis=1).mean()
    assert known["bits"].conditional_entropy == pytest.approx(bits, rel=0.02)
    assert known["counts"].conditional_entropy == pytest.approx(counts, rel=0.02)


def test_an_independent_teacher_has_no_information():
    rng = np.random.default_rng(3)
    z = rng.normal(size=(TRAIN + VALID, DIM))
    noise = rng.normal(size=z.shape)
    known = _estimate(z, _Reader({"noise": (noise, "real")}), epochs=2)["noise"]
    assert abs(known.mutual_information) < 0.02
    assert known.r2 < 0.01


def test_rows_a_teacher_lacks_do_not_count():
    rng = np.random.default_rng(4)
    z = rng.normal(size=(TRAIN + VALID, 1))
    reader = _Reader({"half": (z + rng.normal(size=z.shape), "real")})
    whole = _estimate(z, reader, epochs=4)["half"]
    reader.present["half"][::2] = False
    reader._values["half"][::2] = 1e6
    half = _estimate(z, reader, epochs=4)["half"]
    assert half.rows == VALID // 2
    assert half.mutual_information == pytest.approx(whole.mutual_information, abs=0.03)


def test_same_seed_same_figures_and_another_seed_others():
    rng = np.random.default_rng(5)
    z = rng.normal(size=(TRAIN + VALID, 1))
    reader = _Reader({"t": (z + rng.normal(size=z.shape), "real")})
    one, two, three = (_estimate(z, reader, epochs=1, seed=seed)["t"] for seed in (0, 0, 1))
    assert one == two
    assert one != three


def test_too_few_rows_are_refused():
    reader = _Reader({"t": (np.zeros((5, 1)), "real")})
    few: Matrix = np.zeros((3, 2), dtype=np.float32)
    with pytest.raises(ConfigError, match=r"3 training rows are too few .* at least 4"):
        estimate(
            reader,  # pyright: ignore[reportArgumentType]
            train=EmbeddedRows(np.arange(3), few),
            valid=EmbeddedRows(np.arange(3, 5), few[:2]),
        )


def test_linear_r2_leaves_out_what_is_constant_but_for_rounding() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(500, 3)).astype(np.float32)
    t = np.column_stack([z[:, 0], rng.normal(size=500)]).astype(np.float32)
    t_valid = np.column_stack([z[:299, 0], np.full(299, 1.2345)]).astype(np.float32)
    assert t_valid.std(axis=0)[1] > 0  # although all values are equal
    assert linear_r2(z, t, z[:299], t_valid) == pytest.approx(1, abs=1e-3)


def test_an_untrained_embedding_is_read_in_the_same_way():
    rng = np.random.default_rng(3)
    z = rng.normal(size=(TRAIN + VALID, DIM)).astype(np.float32)
    reader = _Reader({"same": (z, "real")})
    train, valid = np.arange(400), np.arange(TRAIN, TRAIN + 400)
    noise = rng.normal(size=z.shape).astype(np.float32)
    noise[:, 0] = 7 * z[:, 0] + 3  # knows one dimension of three
    found = {
        name: estimate(
            reader,  # pyright: ignore[reportArgumentType]
            train=EmbeddedRows(train, z[train]),
            valid=EmbeddedRows(valid, z[valid]),
            settings=EstimatorSettings(hidden=8, epochs=1),
            untrained=before,
        )["same"]
        for name, before in {
            "none": None,
            "some": (EmbeddedRows(train, noise[train]), EmbeddedRows(valid, noise[valid])),
        }.items()
    }
    assert found["none"].r2_untrained is None
    assert found["some"].r2_untrained == pytest.approx(1 / 3, abs=0.05)
    assert found["some"].r2 == found["none"].r2 > 0.99
