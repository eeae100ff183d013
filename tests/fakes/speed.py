"""Made-up measurements of speed, and a machine that measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from molkd.benchmarks.speed.records import SpeedCell, SpeedMeasurement, SpeedRequest, Work
from molkd.benchmarks.speed.subprocess_ import CellError


def measured(ratios: Sequence[float], **changes: Any) -> SpeedMeasurement:
    """Rounds of so many seconds against one second of the plain library."""
    fields: dict[str, Any] = {
        "count": 100,
        "failed": 0,
        "reason": "",
        "parameters": 1234,
        "startup": 2.5,
        "rounds": {"base": (1.0,) * len(ratios), "total": tuple(ratios)},
        "resident_mb": 300.0,
        "added_mb": 20.0,
    }
    return SpeedMeasurement(**{**fields, **changes})


def cell(
    label: str = "a",
    ratios: Sequence[float] | None = (2.0,) * 5,
    *,
    work: Work = "embedding",
    size: int = 100,
    **changes: Any,
) -> SpeedCell:
    """A cell; without ratios, one that failed."""
    if ratios is None:
        return SpeedCell(label=label, digest="0", work=work, size=size, error="it raised")
    return SpeedCell(
        label=label, digest="0", work=work, size=size, measured=measured(ratios, **changes)
    )


@dataclass(frozen=True)
class Named:
    label: str
    digest: str = "0"
    modality: str = "molecules"

    @property
    def spec(self) -> str:
        return f"spec of {self.label}"


@dataclass
class FakeMachine:
    """Answers each request alike, after noting it; specs in `broken` raise."""

    broken: set[str] = field(default_factory=set[str])
    stop_after: int | None = None
    asked: list[SpeedRequest] = field(default_factory=list[SpeedRequest])
    lines: list[list[str]] = field(default_factory=list[list[str]])

    def ask(self, request: SpeedRequest) -> SpeedMeasurement:
        if self.stop_after is not None and len(self.asked) == self.stop_after:
            raise KeyboardInterrupt
        self.asked.append(request)
        with open(request.items, encoding="utf-8") as stream:  # noqa: PTH123
            self.lines.append(stream.read().splitlines())
        if request.spec in self.broken:
            raise CellError("RuntimeError: it raised")
        return measured([2.0] * request.repeats, count=request.count or request.size)
