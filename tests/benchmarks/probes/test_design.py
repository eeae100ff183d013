"""Products with what is left out of a design matrix are those with all of it."""

from __future__ import annotations

import numpy as np
import pytest

from molkd.benchmarks.probes import design as designs
from molkd.benchmarks.probes.design import Design


def columns(kinds: str, n: int) -> np.ndarray:
    random = np.random.default_rng(0)
    counts = random.poisson(0.05, size=(n, 20)) * 3.5 - 0.4
    values = random.normal(size=(n, 5)) + 2
    held = {"counts": [counts], "values": [values], "both": [values[:, :2], counts, values]}
    return np.concatenate(held[kinds], axis=1).astype(np.float32)


@pytest.mark.parametrize("kinds", ["counts", "values", "both"])
@pytest.mark.parametrize("n", [1, 7, 60])
def test_products_are_those_of_the_whole_matrix(
    kinds: str, n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(designs, "NARROW", 1)
    x, random = columns(kinds, n), np.random.default_rng(1)
    design = Design.of(x)
    if n == 60:
        assert design.sparse.shape[1] == (0 if kinds == "values" else 20)
    whole = (x[:, design.order].astype(np.float64) - design.origin) / design.unit
    w, r = random.normal(size=(3, x.shape[1])), random.normal(size=(3, n))
    assert design.shape == x.shape
    np.testing.assert_allclose(design.times(w), w @ whole.T, atol=1e-12)
    np.testing.assert_allclose(design.transposed_times(r), r @ whole, atol=1e-12)
    np.testing.assert_allclose(design.times(w, rough=True), w @ whole.T, atol=1e-4)
    np.testing.assert_allclose(design.transposed_times(r, rough=True), r @ whole, atol=1e-4)
    np.testing.assert_allclose(design.bounds, (whole.min(axis=0), whole.max(axis=0)), atol=1e-12)


def test_other_rows_have_the_same_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(designs, "NARROW", 1)
    x = columns("both", 60)
    x[50:, 3] = -7.0  # less than any before
    design = Design.of(x[:50])
    other, w = design.alike(x[50:]), np.eye(x.shape[1])
    expected = (x[50:, design.order].astype(np.float64) - design.origin) / design.unit
    np.testing.assert_allclose(other.times(w).T, expected, atol=1e-12)
