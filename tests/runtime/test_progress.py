"""Progress: a bar on a terminal, a line a minute in a log, silence where nobody wants it."""

from __future__ import annotations

import contextlib
import io
import sys
import types

import pytest

from molkd.runtime.progress import Progress
from tests.fakes.clocks import FakeClock


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _lines(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


def test_a_log_gets_a_line_a_minute_and_one_at_the_end() -> None:
    log, clock = io.StringIO(), FakeClock()
    with Progress("distil", 12_000, stream=log, clock=clock) as progress:
        for _ in range(10):
            clock.spend(20)
            progress.update(1000)
        clock.spend(30)
        progress.update(2000)
    assert _lines(log) == [
        "distil: 3,000 of 12,000 items (25 %), 50/s, 3:00 left",
        "distil: 6,000 of 12,000 items (50 %), 50/s, 2:00 left",
        "distil: 9,000 of 12,000 items (75 %), 50/s, 1:00 left",
        "distil: 12,000 of 12,000 items (100 %), 52/s, 3:50 so far",
    ]


def test_what_takes_less_than_a_minute_writes_nothing_to_a_log() -> None:
    log, clock = io.StringIO(), FakeClock()
    with Progress("distil", 10, stream=log, clock=clock) as progress:
        clock.spend(59)
        progress.update(10)
    assert log.getvalue() == ""


def test_without_a_total_there_is_no_share_and_no_time_left() -> None:
    log, clock = io.StringIO(), FakeClock()
    with Progress("embed", unit="molecules", stream=log, clock=clock) as progress:
        clock.spend(4000)
        progress.update(20)
    assert _lines(log)[0] == "embed: 20 molecules, 0.005/s, 1:06:40 so far"


def test_rows_of_an_earlier_run_count_but_not_for_the_speed() -> None:
    log, clock = io.StringIO(), FakeClock()
    with Progress("teachers", 1000, initial=400, stream=log, clock=clock) as progress:
        clock.spend(60)
        progress.reach(300)
    assert progress.done == 700
    assert _lines(log)[0] == "teachers: 700 of 1,000 items (70 %), 5/s, 1:00 left"


def test_the_total_may_become_known_and_words_may_follow() -> None:
    log, clock = io.StringIO(), FakeClock()
    with Progress("embed", stream=log, clock=clock) as progress:
        progress.update(10, total=100)
        progress.note("valid 1.5")
        clock.spend(60)
        progress.update(50)
    assert _lines(log)[0] == "embed: 60 of 100 items (60 %), 1/s, 0:40 left, valid 1.5"


def test_an_error_is_not_followed_by_a_line() -> None:
    log, clock = io.StringIO(), FakeClock()
    progress = Progress("x", 9, stream=log, clock=clock)
    with contextlib.suppress(KeyboardInterrupt), progress:
        clock.spend(60)
        progress.update(1)
        progress.update(1)
        raise KeyboardInterrupt
    assert _lines(log) == ["x: 1 of 9 items (11 %), 0.017/s, 8:00 left"]


@pytest.mark.parametrize("stream", [io.StringIO(), _Terminal()])
def test_hidden_progress_is_silent(stream: io.StringIO) -> None:
    clock = FakeClock()
    with Progress("distil", 10, shown=False, stream=stream, clock=clock) as progress:
        clock.spend(1000)
        progress.update(10)
        progress.note("words")
    assert progress.done == 10
    assert stream.getvalue() == ""


def test_a_terminal_gets_a_bar_with_share_and_words() -> None:
    terminal = _Terminal()
    with Progress("distil", 200, stream=terminal) as progress:
        progress.update(100)
        progress.note("valid 1.5")
    drawn = terminal.getvalue().split("\r")[-1]
    assert drawn.startswith("distil:  50%")
    assert "100/200" in drawn
    assert "valid 1.5" in drawn


def test_a_total_that_becomes_known_is_drawn() -> None:
    terminal = _Terminal()
    with Progress("embed", stream=terminal) as progress:
        progress.update(100, total=400)
    assert "embed:  25%" in terminal.getvalue()


def test_a_notebook_draws_the_bar_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    shell = types.SimpleNamespace(kernel=object())
    ipython = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)  # pyright: ignore[reportArgumentType]
    with Progress("distil", 10) as progress:
        progress.update(10)
    assert "100%" in stream.getvalue()


@pytest.mark.parametrize("shell", [None, types.SimpleNamespace()])
def test_a_program_that_has_loaded_notebooks_is_none(
    monkeypatch: pytest.MonkeyPatch, shell: object
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    ipython = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)  # pyright: ignore[reportArgumentType]
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    with Progress("distil", 10) as progress:
        progress.update(10)
    assert not stream.getvalue()


def test_a_program_without_standard_error_is_not_disturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    monkeypatch.setattr(sys, "stderr", None)
    with Progress("distil", 10, clock=clock) as progress:
        clock.spend(100)
        progress.update(10)
    assert progress.done == 10


def test_what_stands_in_for_standard_error_need_only_write() -> None:
    class Log:
        text = ""

        def write(self, text: str) -> int:
            self.text += text
            return len(text)

        def flush(self) -> None: ...

    log, clock = Log(), FakeClock()
    with Progress("distil", 10, stream=log, clock=clock) as progress:
        clock.spend(100)
        progress.update(10)
    assert log.text.startswith("distil: 10 of 10")
