"""`molkd bench price`, with a machine that measures nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from molkd.benchmarks import price as prices
from molkd.benchmarks.price.records import PriceMeasurement, PriceRequest
from molkd.cli import app
from molkd.errors import ConfigError

SPEED = Path(__file__).parents[2] / "benchmarks" / "results" / "speed-shipped.json"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The students that fresh processes would have measured."""
    seen: list[str] = []

    def ask(request: PriceRequest) -> PriceMeasurement:
        seen.append(request.student)
        return PriceMeasurement(
            rows=20,
            invalid=0,
            dimensions=8,
            startup=1.0,
            passing=0.1,
            parsing=0.1,
            seconds=dict.fromkeys(request.dtypes, 0.02),
            output=dict.fromkeys(request.dtypes, 2000),
            parts=dict.fromkeys(request.dtypes, 4000),
            peak_mb=100.0,
        )

    monkeypatch.setattr(prices, "measure", ask)
    monkeypatch.chdir(tmp_path)
    Path("mine.smi").write_text("".join("C" * n + "O\n" for n in range(1, 31)))
    return seen


def _run(*more: str) -> tuple[list[list[str]], str]:
    given = ["bench", "price", "-i", "mine.smi", "--rows", "20", "--repeats", "1", *more]
    result = CliRunner().invoke(app, given, catch_exceptions=False)
    assert result.exit_code == 0
    return [line.split("\t") for line in result.stdout.splitlines()], result.stderr


def test_tables_that_other_prices_change_without_measuring(asked: list[str]) -> None:
    lines, said = _run("-m", "molkd-tiny,molkd-base")
    assert asked == ["molkd-tiny", "molkd-base"]
    names = [line[0] for line in lines]
    assert names[:6] == ["student", "molkd-tiny-1", "molkd-base-1", "", "student", "molkd-tiny-1"]
    assert lines[1][2] == "1,000"
    assert lines[5][-1] == "111"
    assert "0.04 euros per core-hour and 0.02 per gigabyte and month are assumptions" in said
    lines, _ = _run("-m", "molkd-tiny,molkd-base", "--core-hour", "0.4", "--speed", str(SPEED))
    assert len(asked) == 2
    assert lines[5][-1] == "1,111"
    assert [line[0] for line in lines if line[0].startswith("peer:")] == [
        *("peer:molfeat-ecfp4", "peer:minimol", "peer:chemeleon")
    ]
    _run("-m", "molkd-tiny", "--overwrite")
    assert len(asked) == 3


def test_errors_are_said(asked: list[str]) -> None:
    with pytest.raises(ConfigError, match="core_hour must be 0 or more euros, not -1"):
        _run("--core-hour", "-1")
    with pytest.raises(ConfigError, match=r"mine\.smi has 30 distinct .* fewer --rows"):
        _run("--rows", "31")
    assert not asked
