"""What a library costs, as tables: arithmetic on measured rates, nothing else.

Core-hours are molecules over molecules per core-second; bytes are rows times bytes per row; euros
are both times prices that the reader gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from molkd.benchmarks.price.records import Student
from molkd.benchmarks.speed import SpeedResults
from molkd.benchmarks.speed.records import summary as speeds_of
from molkd.benchmarks.speed.tables import number
from molkd.errors import ConfigError

MOLECULES = {"10^6": 10**6, "10^9": 10**9, "10^10": 10**10}
"""Sizes of libraries."""

_HOUR = 3600
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""Names of columns, and a row of cells for each line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What resources cost: assumptions to be replaced by the reader's own, looked up nowhere.

    Attributes:
        core_hour: euros for an hour of one core.
        gigabyte_month: euros for a gigabyte (10^9 bytes) of object storage in a month.
    """

    core_hour: float = 0.04
    gigabyte_month: float = 0.02

    def __post_init__(self) -> None:
        for name in ("core_hour", "gigabyte_month"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ConfigError(f"{name} must be 0 or more euros, not {getattr(self, name)}")


def rates(students: Sequence[Student]) -> Table:
    """Returns what was measured of each student."""
    columns = (
        *("student", "dimensions", "molecules per core-second", "rounds", "RDKit only parses"),
        *(
            "rows passed over",
            "10^9 passed over: core-hours",
            "start-up, s",
            "peak MB of a process",
        ),
    )
    rows = [
        (
            one.label,
            f"{one.dimensions:,}",
            f"{one.rate:,.0f}",
            f"{one.slowest:,.0f} to {one.fastest:,.0f}",
            f"{one.parsing:,.0f}",
            f"{one.passing:,.0f}",
            number(MOLECULES["10^9"] / one.passing / _HOUR),
            number(one.startup),
            f"{one.peak_mb:,.0f}",
        )
        for one in students
    ]
    return columns, rows


def computing(students: Sequence[Student], prices: Prices) -> Table:
    """Returns core-hours and euros of embedding, for each size of library."""
    return _computing("student", [(one.label, one.rate) for one in students], prices)


def peers(speeds: SpeedResults, prices: Prices) -> Table:
    """Returns the same for all embedders of a run of `molkd bench speed`.

    Their rates are of molecules in memory; nothing is read from files, and nothing written.
    """
    found = [
        (label.removeprefix("molkd:"), float(figures["per_second"] or float("nan")))
        for label, figures in speeds_of(speeds).items()
    ]
    return _computing("embedder", sorted(found, key=lambda pair: -pair[1]), prices)


def storage(students: Sequence[Student], prices: Prices) -> Table:
    """Returns bytes of what is written, and euros for a month of it, for each size of library."""
    columns = (
        *("student", "dtype", "bytes per row", "of parts meanwhile"),
        *(f"{size}: file" for size in MOLECULES),
        *(f"{size}: euros a month" for size in MOLECULES),
    )
    rows = [
        (
            one.label,
            dtype,
            f"{size:,.0f}",
            f"{one.parts[dtype]:,.0f}",
            *(_bytes(size * count) for count in MOLECULES.values()),
            *(number(size * n / 1e9 * prices.gigabyte_month) for n in MOLECULES.values()),
        )
        for one in students
        for dtype, size in sorted(one.output.items(), key=lambda pair: -pair[1])
    ]
    return columns, rows


def assumptions(prices: Prices) -> str:
    """Says what the euros are made of."""
    return (
        f"{prices.core_hour:g} euros per core-hour and {prices.gigabyte_month:g} per gigabyte and "
        "month are assumptions: put in your own"
    )


def _computing(what: str, pairs: Iterable[tuple[str, float]], prices: Prices) -> Table:
    columns = (
        *(what, "molecules per core-second"),
        *(f"{size}: core-hours" for size in MOLECULES),
        *(f"{size}: euros" for size in MOLECULES),
    )
    rows: list[tuple[str, ...]] = []
    for label, rate in pairs:
        hours = [count / rate / _HOUR for count in MOLECULES.values()]
        euros = [number(each * prices.core_hour) for each in hours]
        rows.append((label, f"{rate:,.0f}", *map(number, hours), *euros))
    return columns, rows


def _bytes(size: float) -> str:
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{number(size)} {_UNITS[unit]}"
