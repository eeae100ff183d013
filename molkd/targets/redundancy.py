"""Weights of teachers that share information: redundant ones count less."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from molkd.bank import Bank
from molkd.targets import similarity
from molkd.types import Rows

_SAMPLE = 2000


def weights(bank: Bank, teachers: Sequence[str], rows: Rows, *, seed: int = 0) -> dict[str, float]:
    """Weighs teachers by their redundancy: two equal ones count as one.

    A teacher's weight is one over the sum of its similarities to all teachers, itself included.
    The similarity is the debiased linear CKA (see `molkd.targets.similarity.cka`) on a sample of
    the rows that all teachers could embed; negative values count as 0. All weights are 1 where
    fewer than 4 rows are common to all.

    Args:
        bank: holds the teachers.
        teachers: names.
        rows: shape (m,), the rows to learn from.
        seed: of the sample.

    Returns:
        Teacher -> weight; the mean is 1.
    """
    common = rows[np.logical_and.reduce([bank.valid(name)[rows] for name in teachers])]
    if len(common) < 4:
        return dict.fromkeys(teachers, 1.0)
    if len(common) > _SAMPLE:
        common = np.sort(np.random.default_rng(seed).choice(common, _SAMPLE, replace=False))
    values = [
        similarity.prepared(bank.raw(name, common), bank.cards[name].support) for name in teachers
    ]
    alike = np.nan_to_num(similarity.cka(values)).clip(min=0)
    np.fill_diagonal(alike, 1.0)
    raw = 1 / alike.sum(axis=1)
    return dict(zip(teachers, (raw / raw.mean()).tolist(), strict=True))
