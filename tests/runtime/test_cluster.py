"""Work on a cluster of Ray that runs on this machine."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from molkd.errors import ConfigError, ShapeError, WorkerDiedError
from molkd.runtime import cluster, versions
from molkd.runtime.cluster import connection
from tests.fakes.cluster_work import Dying, Unloadable, join, niceness, refuse, slow_square

pytestmark = [pytest.mark.xdist_group("ray"), pytest.mark.timeout(600)]


def _map(function: Any, tasks: Any, **some: Any) -> list[Any]:
    return list(cluster.ordered_map(function, tasks, jobs=2, **some))


@pytest.mark.usefixtures("ray_cluster")
def test_results_come_in_order_and_ticks_are_added() -> None:
    heard: list[int] = []
    found = _map(slow_square, range(12), ticked=heard.append)
    assert found == [number**2 for number in range(12)]
    assert heard == sorted(heard)
    assert heard[-1] == sum(range(12))


@pytest.mark.usefixtures("ray_cluster")
def test_workers_get_as_much_of_the_processor_as_this_process() -> None:
    assert _map(niceness, [0]) == [os.nice(0)]


@pytest.mark.usefixtures("ray_cluster")
def test_tasks_are_taken_as_they_are_needed() -> None:
    taken: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    results = cluster.ordered_map(slow_square, tasks(), jobs=2)
    assert next(results) == 0
    assert len(taken) <= 10
    results.close()  # type: ignore[attr-defined]
    assert len(taken) <= 10


@pytest.mark.usefixtures("ray_cluster")
def test_what_a_dead_worker_had_to_do_is_done_again_and_reported(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"worker of the cluster died: .*\b5\b.* done again$"):
        found = _map(Dying(tmp_path, at=5), range(20))
    assert found == [number**2 for number in range(20)]


@pytest.mark.filterwarnings("ignore:a worker of the cluster died")
@pytest.mark.usefixtures("ray_cluster")
def test_a_task_that_kills_every_worker_ends_the_job(tmp_path: Path) -> None:
    deadly = Dying(tmp_path, at=5, lives=1000)
    with pytest.raises(WorkerDiedError, match="3 workers died over 5, perhaps"):
        _map(deadly, range(20))
    assert len(list(tmp_path.iterdir())) in {3, 4}, "the first death may be laid to a neighbour"


@pytest.mark.usefixtures("ray_cluster")
def test_an_error_of_the_function_arrives_as_it_was_raised() -> None:
    with pytest.raises(ShapeError, match=r"^three is no shape$") as caught:
        _map(refuse, range(5))
    assert type(caught.value) is ShapeError
    assert caught.value.__suppress_context__


@pytest.mark.usefixtures("ray_cluster")
def test_a_function_that_workers_cannot_load() -> None:
    with pytest.raises(ConfigError, match="cannot load a library that is not there: install the"):
        _map(Unloadable(), range(5))


@pytest.mark.usefixtures("ray_cluster")
def test_machines_with_other_versions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "_here", lambda name: "1.0" if name == "rdkit" else None)
    with pytest.raises(ConfigError, match=r"other versions than this one \(.*rdkit .* there, 1.0"):
        _map(slow_square, range(5))


@pytest.mark.usefixtures("ray_cluster")
def test_what_comes_before_is_done_elsewhere_and_again_where_its_process_dies(
    tmp_path: Path,
) -> None:
    with pytest.warns(UserWarning, match=r"died: .*\b5 are done again"):
        found = _map(join, range(8), before=Dying(tmp_path, at=5))
    assert found == [f"{number}{number**2}" for number in range(8)]


def test_no_cluster_is_started_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "connected", pytest.fail)
    assert _map(slow_square, []) == []


def test_what_cannot_be_sent_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "connected", pytest.fail)
    with pytest.raises(ConfigError, match="cannot be sent to a cluster: cannot pickle"):
        _map(threading.Lock(), range(3))


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "ray://localhost:{port}", "[::1]:{port}"])
def test_where_nothing_answers_there_is_no_cluster(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = address.format(port=free.getsockname()[1])
    monkeypatch.setenv("RAY_ADDRESS", address)
    monkeypatch.setattr(connection.ray, "is_initialized", lambda: False)
    monkeypatch.setattr(connection.ray, "init", pytest.fail)  # which would try without an end
    with pytest.raises(ConfigError, match=r"no Ray cluster at .* \(RAY_ADDRESS\): nothing answers"):
        _map(slow_square, range(3))


def test_what_answers_may_be_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_there(**_: object) -> None:
        raise ConnectionError("a traceback\nCould not reach it")

    monkeypatch.setattr(connection.ray, "is_initialized", lambda: False)
    monkeypatch.setattr(connection.ray, "init", nobody_there)
    monkeypatch.setattr(connection.ray, "shutdown", pytest.fail)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(ConfigError, match=r"no Ray cluster at .* \(RAY_ADDRESS\): Could"):
            _map(slow_square, range(3))
