"""What a model says of a library: one row per molecule, as a table, a page, and in a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from molkd.benchmarks.tasks.task import Labels
from molkd.library.cards import Card, Section
from molkd.library.results import ResultTable, values_of
from molkd.prediction.facts import Facts
from molkd.prediction.reliability import LOW

_SHOWN = 10


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Predictions(ResultTable):
    """What a model says of a library.

    Attributes:
        facts: of the model.
        ids: one per row.
        smiles: one per row, as the library holds them.
        values: shape (n,), numbers, or probabilities of class 1; NaN in rows that failed.
        bounds: shape (n, 2), ends of the intervals; of classes, 1 where one cannot be ruled out.
        reliability: shape (n,), from 0 to 1, higher is better: the share of the measured compounds
            that were expected to be farther off while they were held out; NaN where none is known.
        doubts: row -> why its reliability is low.
        measured: shape (n,), the label of compounds that the model learnt from; else NaN.
        reasons: row -> why it has no prediction.
        confidence: what the intervals promise.
        held: what they held of compounds whose scaffold was held out.
    """

    facts: Facts
    ids: Sequence[str]
    smiles: Sequence[str]
    values: Labels
    bounds: Labels
    reliability: Labels
    doubts: Mapping[int, str]
    measured: Labels
    reasons: Mapping[int, str]
    confidence: float
    held: float

    title: ClassVar[str] = "Predictions"

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def table(self) -> Any:
        """An Arrow table of all rows; what is missing is null."""
        classes = self.facts.classes
        there = np.isfinite(self.values)
        columns: dict[str, Any] = {
            "id": pa.array(self.ids, pa.string()),
            "smiles": pa.array(self.smiles, pa.string()),
        }
        if classes:
            ruled = [(bool(low), bool(high)) for low, high in np.nan_to_num(self.bounds).tolist()]
            words = {
                (True, False): classes[0],
                (False, True): classes[1],
                (True, True): f"{classes[0]} or {classes[1]}",
            }
            columns["predicted"] = _where(there, [classes[int(p >= 0.5)] for p in self.values])
            columns[f"probability of {classes[1]}"] = _where(there, self.values)
            columns["cannot rule out"] = _where(there, [words.get(one) for one in ruled])
            names = [classes[int(y)] if np.isfinite(y) else None for y in self.measured]
            measured = pa.array(names, pa.string())
        else:
            columns["predicted"] = _where(there, self.values)
            columns["low"] = _where(there, self.bounds[:, 0])
            columns["high"] = _where(there, self.bounds[:, 1])
            measured = _where(np.isfinite(self.measured), self.measured)
        columns["reliability"] = _where(np.isfinite(self.reliability), self.reliability)
        columns["reliability_reason"] = self._words(self.doubts)
        columns["measured"] = measured
        columns["valid"] = there
        columns["error"] = self._words(self.reasons)
        return pa.table(columns)

    def _words(self, said: Mapping[int, str]) -> Any:
        return pa.array([said.get(row) for row in range(len(self))], pa.string())

    def __str__(self) -> str:
        return f"{int(np.isfinite(self.values).sum())} of {len(self)} molecules predicted"

    def describe(self) -> str:
        """Returns what there is, in sentences."""
        known = int(np.isfinite(self.measured).sum())
        lines = [str(self)]
        if known:
            verb = "was" if known == 1 else "were"
            lines.append(
                f"{known} of them {verb} measured, and the model has learnt from that: for these "
                "the column 'measured' counts"
            )
        lines += self._reliable()
        for row, why in list(self.reasons.items())[:5]:
            lines.append(f"  row {row}: {why}")
        if len(self.reasons) > 5:
            lines.append(f"  ... and {len(self.reasons) - 5} more, see the column 'error'")
        return "\n".join(lines)

    def _reliable(self) -> list[str]:
        known = self.reliability[np.isfinite(self.reliability)]
        if len(known):
            low = f"{int((known < LOW).sum()):,} have a reliability below {LOW:g}"
            return [f"{low}: for four in five measured compounds less error was expected"]
        if not np.isfinite(self.values).any():
            return []
        why = "the model was saved before there was such a score; fit it again"
        return [f"no reliability, and intervals that are equally wide: {why}"]

    def sections(self, most: int) -> list[Section]:
        """Returns the molecules with the highest values and those with the lowest."""
        there = int(np.isfinite(self.values).sum())
        order: list[int] = np.argsort(-self.values, kind="stable")[:there].tolist()
        what = f"probability of {self.facts.classes[1]}" if self.facts.classes else "prediction"
        half = min(most // 2, _SHOWN)
        if len(order) <= 2 * half:
            return [self._section(f"All, the highest {what} first", order)]
        return [
            self._section(f"The highest {what}", order[:half]),
            self._section(f"The lowest {what}", order[-half:][::-1]),
        ]

    def _section(self, title: str, rows: Sequence[int]) -> Section:
        left_out = {"id", "smiles", "valid", "error"}
        columns = {name: self.table[name] for name in self.table.column_names}
        facts = {name: column for name, column in columns.items() if name not in left_out}
        cards = [
            Card(self.smiles[row], self.ids[row], tuple(values_of(facts, row))) for row in rows
        ]
        return Section(title, cards=tuple(cards))


def _where(there: Any, values: Any) -> Any:
    return pa.array(values, mask=~np.asarray(there))
