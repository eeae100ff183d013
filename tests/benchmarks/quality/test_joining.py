"""Benchmarks of the same tasks, put together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from molkd.benchmarks import statistics
from molkd.benchmarks.quality import cost_records, joining
from molkd.benchmarks.quality.cost_records import EmbeddingCost
from molkd.benchmarks.records import Results, Score
from molkd.errors import InputError
from tests.fakes import scored

TASKS = [scored.task(name) for name in ("one", "two")]


def constant(score: Score) -> dict[str, float]:
    return {"Spearman": 0.1 * len(score.embedder) + 0.01 * score.seed, "MAE": 1.0}


def part(probe: str, embedders: list[str], seeds: int) -> Results:
    scores = [
        scored.score(task, embedder, probe, seed, constant)
        for task in TASKS
        for embedder in embedders
        for seed in range(seeds)
    ]
    found = scored.results(TASKS, embedders, scores)
    return replace(found, run=replace(found.run, settings={"probes": [probe], "seeds": seeds}))


def test_a_slow_probe_may_ask_fewer_embedders_with_fewer_seeds() -> None:
    fast, slow = part("linear", ["a", "bb", "ccc"], 3), part("forest", ["a", "ccc"], 1)
    both = joining.joined({Path("fast"): fast, Path("slow"): slow})
    assert len(both.scores) == len(fast.scores) + len(slow.scores)
    assert [record.label for record in both.embedders] == ["a", "bb", "ccc"]
    shapes = {s.probe: s.table.values.shape for s in statistics.tables(both)}
    assert shapes == {"linear": (2, 3, 3), "forest": (2, 2, 1)}
    assert both.run.settings == {"probes": "['linear'] | ['forest']", "seeds": "3 | 1"}


def test_what_occurs_twice_stands_once() -> None:
    found = part("linear", ["a", "bb"], 2)
    assert joining.joined({Path("x"): found, Path("y"): found}) == found


def test_other_rows_are_refused() -> None:
    found = part("linear", ["a"], 1)
    other = replace(found, tasks=(replace(found.tasks[0], compared=899), found.tasks[1]))
    with pytest.raises(InputError, match="y: one has 899 compared rows"):
        joining.joined({Path("x"): found, Path("y"): other})


def test_one_label_for_two_embedders_is_refused() -> None:
    found = part("linear", ["a"], 1)
    other = replace(found, embedders=(replace(found.embedders[0], digest="other"),))
    with pytest.raises(InputError, match="y: a is another embedder"):
        joining.joined({Path("x"): found, Path("y"): other})


def test_costs_are_joined(tmp_path: Path) -> None:
    one, two = EmbeddingCost("1", 10.0, 200, 0.0), EmbeddingCost("2", 20.0, 200, None)
    cost_records.write(tmp_path / "x", {"a": one}, {"1": one})
    cost_records.write(tmp_path / "y", {"a": two, "b": two}, {"2": two})
    cost_records.join([tmp_path / "x", tmp_path / "y", tmp_path / "none"], tmp_path / "out")
    assert cost_records.read(tmp_path / "out") == ({"a": one, "b": two}, {"1": one, "2": two})


@pytest.mark.parametrize("older", [{}, {"linear": "of before"}])
def test_a_probe_that_was_another_then_is_refused(older: dict[str, str]) -> None:
    linear, forest = part("linear", ["a"], 1), part("forest", ["a"], 1)
    new, old = (
        replace(linear, run=replace(linear.run, probe_digests=digests))
        for digests in ({"linear": "of today"}, older)
    )
    with pytest.raises(InputError, match="old: the probe linear is of another version than"):
        joining.joined({Path("new"): new, Path("old"): old})
    both = joining.joined({Path("new"): new, Path("other"): forest})
    assert both.run.probe_digests == {"linear": "of today"}
