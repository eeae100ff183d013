"""Work in several processes: order, errors, memory, threads, and no orphans."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import torch

from molkd.errors import ConfigError, WorkerDiedError
from molkd.runtime import processes
from molkd.runtime.processes import one_thread, ordered_map
from tests.fakes import work

ROOT = str(Path(__file__).parents[2])


def test_results_come_in_the_order_of_the_tasks_from_other_processes() -> None:
    tasks = [0.2, *(0.0 for _ in range(9))]  # the first one takes longest
    results = list(ordered_map(work.slept, tasks, jobs=2))
    assert [seconds for seconds, _ in results] == tasks
    assert os.getpid() not in {process for _, process in results}


def test_one_job_computes_here_and_now() -> None:
    results = ordered_map(work.slept, iter([0.0, 0.0]), jobs=1)
    assert next(results) == (0.0, os.getpid())
    assert list(ordered_map(work.slept, [], jobs=2)) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_more_tasks_are_taken_than_are_needed(jobs: int) -> None:
    taken: list[float] = []

    def tasks() -> Iterator[float]:
        for _ in range(100):
            taken.append(0.0)
            yield 0.0

    results = ordered_map(work.slept, tasks(), jobs=jobs, prefetch=3)
    next(results)
    assert len(taken) == (1 if jobs == 1 else 6)
    results.close()  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("jobs", [1, 2])
def test_parts_of_a_task_are_heard_of_before_it_ends(jobs: int) -> None:
    heard: list[int] = []
    results = ordered_map(work.ticked, [3, 4], jobs=jobs, ticked=heard.append)
    assert list(results) == [3, 4]
    assert heard == sorted(heard)
    assert heard[-1] <= 7
    assert any(0 < count < 3 for count in heard)


def test_ticks_outside_of_a_map_go_nowhere() -> None:
    processes.tick(3)
    assert list(ordered_map(work.ticked, [1], jobs=1)) == [1]


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_a_task_comes_out_after_the_results_before_it(jobs: int) -> None:
    results = ordered_map(work.halved, [2, 4, 5, 6], jobs=jobs)
    assert [next(results), next(results)] == [1, 2]
    with pytest.raises(ValueError, match="5 is odd"):
        next(results)


def test_a_worker_that_dies_is_explained() -> None:
    with pytest.raises(WorkerDiedError, match="want of memory: run the same command again with"):
        list(ordered_map(work.dies, [1, 2, 3], jobs=2))


def test_a_function_that_cannot_travel_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot be sent to worker processes, use 1 job"):
        list(ordered_map(lambda task: task, [1], jobs=2))


def test_a_function_that_cannot_be_loaded_there_is_an_error_of_the_first_task() -> None:
    with pytest.raises(ImportError, match="only here"):
        list(ordered_map(work.OnlyHere(), [1], jobs=2))


ORPHANS = """
import sys
sys.path.insert(0, sys.argv[1])
from molkd.runtime.processes import ordered_map
from tests.fakes import work
if __name__ == "__main__":
    for result in ordered_map(work.slept, [0.0, 60.0, 60.0], jobs=2):
        print(result, flush=True)
"""


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(ORPHANS)
    with subprocess.Popen(
        [sys.executable, str(script), ROOT], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline().startswith("(0.0")
        family = psutil.Process(parent.pid).children(recursive=True)
        parent.kill()
    assert len(family) >= 2
    end = time.monotonic() + 30
    while any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in family):
        assert time.monotonic() < end, "a worker waits for ever"
        time.sleep(0.02)


def test_threads_are_limited_within_the_block_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with contextlib.suppress(KeyboardInterrupt), one_thread():
            assert torch.get_num_threads() == 1
            raise KeyboardInterrupt
        assert torch.get_num_threads() == 3
        assert list(ordered_map(work.threads, [0], jobs=1)) == [1]
        monkeypatch.delitem(sys.modules, "torch")
        with one_thread():
            assert "torch" not in sys.modules
            assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_python_threads_leave_the_number_of_threads_as_it_was() -> None:
    before = torch.get_num_threads()
    first_left, both = threading.Event(), threading.Barrier(2)

    def limited(last: bool) -> None:
        with one_thread():
            with one_thread():
                both.wait()
            assert torch.get_num_threads() == 1
            if last:
                first_left.wait()
        first_left.set()

    torch.set_num_threads(3)
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(limited, [False, True]))
            assert set(pool.map(lambda _: torch.get_num_threads(), range(2))) == {3}
    finally:
        torch.set_num_threads(before)


def test_cores_are_those_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert processes.usable_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert processes.usable_cores() == 1


def test_a_script_needs_no_guard_for_functions_that_are_not_its_own(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from molkd.runtime.processes import ordered_map\n"
        "print(*ordered_map(str.upper, ['a', 'b', 'c'], jobs=2))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["A", "B", "C"], "printed once: the script ran in one process"
