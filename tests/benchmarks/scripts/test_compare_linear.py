"""On real tasks the linear probe scores what scikit-learn does with one fit per penalty."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from molkd.benchmarks import embedders
from molkd.benchmarks import tasks as registry
from molkd.benchmarks.scripts.compare_linear import compare


@pytest.mark.parametrize("name", ["hia_hou", "caco2_wang", "ppbr_az"])
def test_scores_and_penalties_are_those_of_fits_one_by_one(name: str, shared: Path) -> None:
    (task,) = registry.load([f"tdc-admet:{name}"], own=[], data=shared / "data", download=False)
    (fingerprints,) = embedders.make("ecfp4-count").sources
    counts = fingerprints.model.embed(list(task.items)).values
    mixed = np.random.default_rng(0).normal(size=(counts.shape[1], 64))
    dense = np.tanh(counts @ mixed / 8).astype(np.float32)
    found = list(
        compare(
            task,
            [("counts", counts), ("both", np.concatenate([counts, dense], axis=1))],
            seeds=[0, 1],
        )
    )
    assert len(found) == 4
    for each in found:
        one, shared_work = each.answers
        assert one.chosen == shared_work.chosen
        assert each.difference < 1e-6
        np.testing.assert_allclose(shared_work.predicted, one.predicted, rtol=1e-6, atol=1e-6)
