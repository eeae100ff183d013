"""A design matrix seen by one fit is what the scaler makes of it."""

from __future__ import annotations

import numpy as np
import pytest

from molkd.benchmarks.probes import design as designs
from molkd.benchmarks.probes.design import Design
from molkd.benchmarks.probes.inputs import Scaler
from molkd.benchmarks.probes.standardised import by_training_rows

TRAIN, HELD = np.arange(10, 60), np.arange(10)


def table() -> np.ndarray:
    random = np.random.default_rng(0)
    counts = random.poisson(0.05, size=(60, 20)) * 3.0
    values = random.normal(size=(60, 6)) * 3 + 100
    x = np.concatenate([values, counts], axis=1).astype(np.float32)
    x[:, 0] = 4.0  # constant everywhere
    x[TRAIN, 1] = 5.0  # constant where it is fitted to
    x[TRAIN, 6] = 0.0
    x[2, 6] = 3.0
    x[3, 2] = 1e4  # beyond what a training row could be
    x[4, 7] = 500.0
    return x


@pytest.mark.parametrize("narrow", [1, 100])
def test_rows_are_scaled_and_cut_off_as_by_the_scaler(
    narrow: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(designs, "NARROW", narrow)
    x = table()
    design = Design.of(x)
    assert bool(design.sparse.shape[1]) == (narrow == 1)
    other = np.arange(10, 60)
    found = by_training_rows(x, design, [(TRAIN, HELD), (other[5:], HELD)])
    assert found
    for rows in found:
        expected = Scaler.fit(x[rows.train]).transform(x)[:, design.order]
        np.testing.assert_allclose(rows.outputs(design, np.eye(26)).T, expected, atol=2e-5)
        w = np.random.default_rng(1).normal(size=(2, 26))
        residuals = np.zeros((2, 60))
        residuals[:, rows.train] = 1.0 + np.arange(len(rows.train))
        np.testing.assert_allclose(
            rows.transposed_times(residuals), residuals @ expected, rtol=1e-4, atol=1e-2
        )
        np.testing.assert_allclose(
            rows.times(w)[:, rows.train], w @ expected[rows.train].T, atol=1e-4
        )


def test_a_column_that_explodes_elsewhere_is_not_shared() -> None:
    x = table()
    x[3, 2] = 1e12
    assert by_training_rows(x, Design.of(x), [(TRAIN, HELD)]) is None
