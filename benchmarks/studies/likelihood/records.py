"""What each student of synthetic teachers kept, and how sure differences are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from molkd.benchmarks.statistics.across_runs import paired_t
from molkd.benchmarks.statistics.significance import ALPHA, holm
from molkd.benchmarks.studies.likelihood.conditions import CONDITIONS
from molkd.benchmarks.studies.likelihood.synthetic import TRUTH, Floats

REFERENCE = "mse"
"""What everything is compared with."""

CLEAN = ("clean", 0)
"""The level that others are held against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One student.

    Attributes:
        condition: a key of `CONDITIONS`.
        level: of its knob.
        variant: what the student was trained by.
        seed: of world and student.
        kept: R2 of a ridge regression from embedding to truth on fresh rows.
        halves: the same of the first and of the last four numbers of the truth.
        rank: effective rank of the embedding.
        share: of the gradient, what comes from the marked entries; None where it is not known.
    """

    condition: str
    level: float
    variant: str
    seed: int
    kept: float
    halves: tuple[float, float]
    rank: float
    share: float | None

    @property
    def score(self) -> float:
        """What is kept; of the worse half where the embedding has no room for the whole truth."""
        return self.kept if has_room(self.condition) else min(self.halves)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """All students of one variant at one level.

    Attributes:
        variant: what they were trained by.
        score: mean over seeds; see `Record.score`.
        difference: of the score to the reference, mean over seeds; None for the reference.
        low: lower end of its 95 % interval.
        high: upper end.
        p: corrected; None for the reference.
        rank: mean effective rank.
        share: mean share of the gradient; None where it is not known.
        beyond: the difference, less the same on clean teachers, with the ends of its interval:
            what is due to the condition; None where the variant had no clean teachers.
    """

    variant: str
    score: float
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    rank: float
    share: float | None
    beyond: tuple[float, float, float] | None = None

    @property
    def decided(self) -> int:
        """1 where more is kept than by the reference, -1 where less, 0 where neither is shown."""
        if self.p is None or self.difference is None or self.p >= ALPHA:
            return 0
        return 1 if self.difference > 0 else -1


def rows(records: Sequence[Record], clean: Sequence[Record] = ()) -> list[Row]:
    """Returns a row per variant from the records of one level, all of the same seeds.

    Args:
        records: of the level.
        clean: of clean teachers, with the same seeds, where the level is to be held against them.
    """
    by = _by_variant(records)
    scores = {name: np.array([one.score for one in own]) for name, own in by.items()}
    differences = _differences(records)
    apart = {name: paired_t(difference) for name, difference in differences.items()}
    before = _differences(clean)
    p = holm({name: test[3] for name, test in apart.items()})
    return [
        Row(
            variant=name,
            score=float(scores[name].mean()),
            difference=apart[name][0] if name in apart else None,
            low=apart[name][1] if name in apart else None,
            high=apart[name][2] if name in apart else None,
            p=p.get(name),
            rank=float(np.mean([one.rank for one in own])),
            share=_mean([one.share for one in own]),
            beyond=_beyond(differences, before, name),
        )
        for name, own in by.items()
    ]


def _by_variant(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Those of each variant, by seed."""
    by_name: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda r: r.seed):
        by_name.setdefault(record.variant, []).append(record)
    return by_name


def _differences(records: Sequence[Record]) -> dict[str, Floats]:
    """Variant -> shape (seeds,), its scores less those of the reference."""
    by = _by_variant(records)
    scores = {name: np.array([one.score for one in own]) for name, own in by.items()}
    return {name: own - scores[REFERENCE] for name, own in scores.items() if name != REFERENCE}


def _beyond(
    now: Mapping[str, Floats], clean: Mapping[str, Floats], name: str
) -> tuple[float, float, float] | None:
    if name not in now or name not in clean:
        return None
    return paired_t(now[name] - clean[name])[:3]


def has_room(condition: str) -> bool:
    """Whether the embedding is as wide as the truth."""
    return CONDITIONS[condition].width >= TRUTH


def _mean(values: Sequence[float | None]) -> float | None:
    numbers = [value for value in values if value is not None]
    return float(np.mean(numbers)) if numbers else None
