"""Freed memory goes back to the system, where the C library keeps it."""

from __future__ import annotations

import sys

import psutil
import pytest

from molkd.runtime import memory

LINES, BYTES = 200_000, 500


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of glibc")
def test_memory_that_was_freed_is_given_back() -> None:
    if memory._malloc_trim() is None:
        pytest.skip("this C library keeps nothing back")
    process = psutil.Process()
    memory.release()
    before = process.memory_info().rss
    held = [bytes(BYTES) + str(row).encode() for row in range(LINES)]
    last = held[-1]  # at the top of the heap: what lies below is not returned by itself
    del held
    memory.release()
    assert len(last) > BYTES
    assert process.memory_info().rss - before < 0.5 * LINES * BYTES


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    memory._malloc_trim.cache_clear()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert memory._malloc_trim() is None
    memory.release()
    memory._malloc_trim.cache_clear()
