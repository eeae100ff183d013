"""The floor of all probes: what the training labels say without any embedding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from molkd.benchmarks.probes.base import Fitted, Part, about, check
from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import Labels
from molkd.types import Matrix


@dataclass(frozen=True, kw_only=True)
class Mean:
    """The mean of the training labels for every row; of classes, their shares.

    A probe that is no better has learnt nothing of the rows. Ranking metrics give it what chance
    has: AUROC .5, Spearman 0.
    """

    @property
    def about(self) -> dict[str, object]:
        """See `Probe.about`."""
        return about(self, "mean", ["numpy"])

    def fit(
        self,
        train: Part,
        valid: Part,
        *,
        kind: Kind,
        seed: int,  # noqa: ARG002  (part of the protocol)
    ) -> Fitted:
        """See `Probe.fit`; nothing is chosen, and nothing is random."""
        check(train, valid, kind)
        mean = np.array(train.y.mean())
        if kind == "multiclass":
            mean = np.bincount(train.y.astype(int)) / len(train.y)

        def predict(x: Matrix) -> Labels:
            return np.full((len(x), *mean.shape), mean)

        return Fitted(predict)
