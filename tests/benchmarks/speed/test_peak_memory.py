"""Memory that some work adds to this process."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from molkd.benchmarks.speed import peak_memory

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's /proc")


@linux
def test_what_was_freed_before_the_end_counts() -> None:
    def work() -> int:
        return int(np.ones(50_000_000, dtype=np.uint8).sum())

    result, before, added = peak_memory.added_by(work)
    assert result == 50_000_000
    assert before is not None
    assert added is not None
    assert before > 10
    assert 40 < added < 100


@linux
def test_an_earlier_peak_does_not_hide_the_next() -> None:
    np.ones(150_000_000, dtype=np.uint8)
    _, _, added = peak_memory.added_by(lambda: np.ones(50_000_000, dtype=np.uint8))
    assert added is not None
    assert 40 < added < 100


def test_elsewhere_the_peak_since_the_start_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peak_memory, "_STATUS", tmp_path / "none")
    monkeypatch.setattr(peak_memory, "_RESET", tmp_path / "none" / "none")
    result, before, added = peak_memory.added_by(lambda: 3)
    assert result == 3
    assert before is not None
    assert before > 10
    assert added is not None
    assert added >= 0


def test_where_nothing_is_known_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peak_memory, "_sizes", lambda: (None, None))
    assert peak_memory.added_by(lambda: 3) == (3, None, None)
