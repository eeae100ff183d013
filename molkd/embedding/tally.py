"""What has been counted of the rows of an output, in memory that does not grow with them."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from molkd.embedding.embedder import Embedded
from molkd.embedding.plan import Task
from molkd.formats.writers.table import EmbeddedChunk

REASONS_KEPT = 5
_KINDS_KEPT, _LONGEST_KIND, OTHER = 100, 80, "other reasons"
_NUMBER_OF_ATOM = re.compile(r"\batom (?:# )?\d+\b")


@dataclass
class Tally:
    """Counts of the rows so far, of one file or of all.

    Attributes:
        total: rows read.
        invalid: those without an embedding.
        shortened: those that lost their end.
        clipped: values that were larger than what int8 reaches to.
        resumed: those that an earlier run had finished.
        parts: how many parts they came in.
        named: whether any has an identifier.
        outside: those that lie outside what the encoder was distilled from.
        beyond: what of them it never met -> in how many.
        reasons: row -> why it has no embedding, for the first.
        kinds: reason, without numbers of atoms and what follows a colon -> how many have it.
        keys: a hash of what the parts depend on.
        items: a hash of what was read.
    """

    total: int = 0
    invalid: int = 0
    shortened: int = 0
    clipped: int = 0
    resumed: int = 0
    parts: int = 0
    named: bool = False
    outside: int = 0
    beyond: Counter[str] = field(default_factory=Counter[str])
    reasons: dict[int, str] = field(default_factory=dict[int, str])
    kinds: Counter[str] = field(default_factory=Counter[str])
    keys: Any = field(default_factory=hashlib.sha256)
    items: Any = field(default_factory=hashlib.sha256)

    def see(self, task: Task) -> None:
        """Takes into account what a chunk holds, before any row of it is counted."""
        self.keys.update(task.key.encode())
        self.items.update(task.items.encode())

    def add(self, row0: int, part: EmbeddedChunk, fresh: Embedded | None) -> dict[int, str]:
        """Counts a part, which is `fresh` or of an earlier run; returns row -> reason."""
        reasons = {row0 + row: why for row, why in enumerate(part.errors) if why is not None}
        self.total += len(part)
        self.invalid += len(reasons)
        self.shortened += part.shortened
        self.clipped += part.clipped
        self.parts += 1
        self.named = self.named or any(name is not None for name in part.ids)
        self._remember(reasons)
        for why in reasons.values():
            self._count(kind_of(why), 1)
        if fresh is None:
            self.resumed += len(part)
        else:
            self.outside += fresh.outside
            self.beyond.update(fresh.beyond)
        return reasons

    def join(self, other: Tally) -> None:
        """Adds what was counted of another file; hashes are left alone."""
        for name in ("total", "invalid", "shortened", "clipped", "resumed", "outside"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.beyond.update(other.beyond)
        self._remember(other.reasons)
        for kind, count in other.kinds.items():
            self._count(kind, count)

    def _remember(self, reasons: dict[int, str]) -> None:
        self.reasons = dict(sorted({**self.reasons, **reasons}.items())[:REASONS_KEPT])

    def _count(self, kind: str, count: int) -> None:
        known = kind in self.kinds or len(self.kinds) < _KINDS_KEPT
        self.kinds[kind if known else OTHER] += count


def kind_of(reason: str) -> str:
    """Returns what many rows have in common: "Explicit valence for atom C, 6, is greater ..."."""
    return _NUMBER_OF_ATOM.sub("atom", reason.partition(":")[0])[:_LONGEST_KIND]
