"""What embedding costs: the rounds, and the arithmetic on them."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from molkd.benchmarks import price
from molkd.benchmarks.price import records, tables
from molkd.benchmarks.price.records import PriceCell, PriceMeasurement, PriceRequest, PriceResults
from molkd.benchmarks.speed.corpus import Library
from molkd.errors import ConfigError, CorruptFileError
from molkd.formats.encodings import Dtype

LIBRARY = Library("chains", tuple("C" * length for length in range(1, 41)))
PRICES = tables.Prices(core_hour=0.5, gigabyte_month=0.25)


def measured(*, rows: int = 1000, seconds: float = 1.0, startup: float = 2.0) -> PriceMeasurement:
    return PriceMeasurement(
        rows=rows,
        invalid=1,
        dimensions=8,
        startup=startup,
        passing=0.01,
        parsing=0.1,
        seconds={"float32": seconds, "float16": seconds},
        output={"float16": 60 * rows, "float32": 100 * rows},
        parts={"float16": 70 * rows, "float32": 120 * rows},
        peak_mb=400.0,
    )


def _results(*pairs: tuple[str, float]) -> PriceResults:
    cells = [
        PriceCell(label=label, turn=turn, measured=measured(seconds=seconds))
        for turn, (label, seconds) in enumerate(pairs)
    ]
    return PriceResults({}, {}, tuple(cells))


def test_students_take_turns_and_nothing_is_measured_twice(tmp_path: Path) -> None:
    asked: list[tuple[str, int]] = []
    said: list[str] = []

    def measure(request: PriceRequest) -> PriceMeasurement:
        assert request.dtypes == get_args(Dtype)
        asked.append((request.student, Path(request.source).stat().st_size))
        if len(asked) == 4:
            raise KeyboardInterrupt
        return measured()

    options = price.PriceOptions(students=("molkd-tiny", "molkd-base"), rows=30, repeats=3)
    output = tmp_path / "price.json"
    with pytest.raises(KeyboardInterrupt):
        price.run(LIBRARY, options, output, measure=measure, say=said.append)
    results = price.run(LIBRARY, options, output, measure=measure, say=said.append)
    names = [name for name, _ in asked]
    assert names == ["molkd-tiny", "molkd-base"] * 2 + ["molkd-base", "molkd-tiny", "molkd-base"]
    assert [cell.turn for cell in results.cells] == [0, 0, 1, 1, 2, 2]
    assert said[0] == "molkd-tiny-1, round 1 of 3 ..."
    assert records.read(output) == results
    other = price.PriceOptions(rows=31)
    with pytest.raises(ConfigError, match=r"measured with another rows: .*--overwrite"):
        price.run(LIBRARY, other, output, measure=measure, say=said.append)
    with pytest.raises(ConfigError, match="chains has 40 distinct molecules, fewer than 10,000"):
        price.run(LIBRARY, price.PriceOptions(), output, measure=measure, say=said.append)


def test_the_students_of_the_package_are_those_of_the_newest_version() -> None:
    stems = [name.rpartition("-")[0] for name in price.students()]
    assert {"molkd-static", "molkd-tiny", "molkd-small", "molkd-base"} <= set(stems)
    assert len(stems) == len(set(stems))


def test_medians_of_rounds_the_fastest_first() -> None:
    slow, fast = records.summary(_results(("a", 4.0), ("b", 1.0), ("a", 5.0), ("a", 2.0)))[::-1]
    assert (slow.label, slow.rate, slow.slowest, slow.fastest) == ("a", 250.0, 200.0, 500.0)
    assert (fast.label, fast.rate) == ("b", 1000.0)
    assert (fast.output["float32"], fast.parts["float16"]) == (100.0, 70.0)
    assert (fast.passing, fast.parsing) == (100_000.0, 10_000.0)


def test_hours_bytes_and_euros() -> None:
    found = records.summary(_results(("a", 1.0)))
    columns, (row,) = tables.computing(found, PRICES)
    cells = dict(zip(columns, row, strict=True))
    assert cells["molecules per core-second"] == "1,000"
    assert cells["10^6: core-hours"] == "0.28"
    assert cells["10^9: core-hours"] == "278"
    assert cells["10^10: euros"] == "1,389"
    columns, rows = tables.storage(found, PRICES)
    cells = [dict(zip(columns, row, strict=True)) for row in rows]
    assert [one["dtype"] for one in cells] == ["float32", "float16"]
    assert cells[0]["bytes per row"] == "100"
    assert cells[0]["of parts meanwhile"] == "120"
    assert [cells[0][f"{size}: file"] for size in tables.MOLECULES] == [
        *("100 MB", "100 GB", "1.00 TB")
    ]
    assert cells[0]["10^9: euros a month"] == "25.0"
    columns, (row,) = tables.rates(found)
    assert row == ("a", "8", "1,000", "1,000 to 1,000", "10,000", "100,000", "2.78", "2.00", "400")


def test_prices_are_sums_of_money() -> None:
    assert "0.5 euros per core-hour and 0.25" in tables.assumptions(PRICES)
    with pytest.raises(ConfigError, match=r"core_hour must be 0 or more euros, not -1"):
        tables.Prices(core_hour=-1.0)
    with pytest.raises(ConfigError, match="gigabyte_month must be 0 or more euros, not nan"):
        tables.Prices(gigabyte_month=float("nan"))
    with pytest.raises(ConfigError, match="repeats must be at least 1, not 0"):
        price.PriceOptions(repeats=0)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "price.json").write_text('{"cells": [{"measured": {"rows": 1}}]}')
    with pytest.raises(CorruptFileError, match=r"price\.json holds no results of 'molkd bench pri"):
        records.read(tmp_path / "price.json")


@pytest.mark.slow
def test_a_student_is_measured_from_file_to_file(tmp_path: Path) -> None:
    source = tmp_path / "some.smi"
    source.write_text("".join(f"{'C' * length}O\n" for length in range(1, 30)) + "nonsense\n")
    request = PriceRequest(student="molkd-tiny", source=str(source), dtypes=("float32", "float16"))
    found = price.measure(request)
    assert (found.rows, found.invalid, found.dimensions) == (30, 1, 128)
    assert found.startup > 0.3
    assert 0 < found.seconds["float32"] < 60
    for sizes in (found.output, found.parts):
        assert sizes["float32"] > sizes["float16"] > 30 * 128 * 2
    assert found.peak_mb > 100
