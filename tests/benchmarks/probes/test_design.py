"""Products with what is left out of a design matrix are those with all of it."""

from __future__ import annotations

import numpy as np
import pytest

from molkd.benchmarks.probes.design import Design


@pytest.mark.parametrize("kinds", ["counts", "values", "both"])
@pytest.mark.parametrize("n", [1, 7, 60])
def test_products_are_those_of_the_whole_matrix(kinds: str, n: int) -> None:
    random = np.random.default_rng(0)
    counts = random.poisson(0.05, size=(n, 20)) * 3.5 - 0.4
    values = random.normal(size=(n, 5)) + 2
    held = {"counts": [counts], "values": [values], "both": [values[:, :2], counts, values]}
    x = np.concatenate(held[kinds], axis=1).astype(np.float32)
    design, whole = Design.of(x), x.astype(np.float64)
    if n == 60:
        assert len(design.others) == (0 if kinds == "values" else 20)
    w, r = random.normal(size=(x.shape[1], 3)), random.normal(size=(n, 3))
    assert design.shape == x.shape
    np.testing.assert_allclose(design.times(w), whole @ w, atol=1e-12)
    np.testing.assert_allclose(design.transposed_times(r), whole.T @ r, atol=1e-12)
    centred, around = design.centred(), whole - whole.mean(axis=0)
    np.testing.assert_allclose(centred.mean, whole.mean(axis=0)[centred.order], atol=1e-12)
    np.testing.assert_allclose(
        centred.transposed_times(r), (around.T @ r)[centred.order], atol=1e-12
    )
    np.testing.assert_allclose(centred.kernel(), around @ around.T, atol=1e-11)
    gram = (around.T @ around)[np.ix_(centred.order, centred.order)]
    np.testing.assert_allclose(np.tril(centred.gram()), np.tril(gram), atol=1e-11)
