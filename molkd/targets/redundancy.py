"""How much a teacher counts where others say the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from molkd.bank import Bank
from molkd.targets import similarity
from molkd.types import Rows

_SAMPLE = 2000


def weights(bank: Bank, teachers: Sequence[str], rows: Rows, *, seed: int = 0) -> dict[str, float]:
    """Weighs teachers by how many say the same: two equal ones count as one.

    A teacher's weight is one over the sum of its similarities to all teachers, itself included.
    The similarity is the debiased linear CKA (see `molkd.targets.similarity.cka`) on a sample of
    the rows that all teachers could embed; below zero, and where too few rows are common to all, it
    is taken as zero.

    Args:
        bank: holds the teachers.
        teachers: names.
        rows: shape (m,), the rows to learn from.
        seed: of the sample.

    Returns:
        Teacher -> weight; the mean is 1.
    """
    known = np.logical_and.reduce([bank.valid(name)[rows] for name in teachers])
    common = rows[known]
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
