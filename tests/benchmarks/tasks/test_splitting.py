"""Splits of tasks: 70/10/20, no molecule on two sides, both classes in every part, or an error."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from rdkit import Chem

from molkd.benchmarks.tasks.molecule_keys import scaffold
from molkd.benchmarks.tasks.splitting import TEST, VALID, split
from molkd.benchmarks.tasks.task import SplitName, Task, TaskSplit
from molkd.errors import ConfigError, InputError

RINGS = ("c1ccccc1", "c1ccncc1", "C1CCCCC1", "c1ccoc1", "c1ccsc1", "C1CCNCC1", "c1ccc2ccccc2c1")
MOLECULES = tuple(f"{'C' * tail}{ring}" for ring in RINGS for tail in range(1, 21))

SMALL = tuple(f"{'C' * tail}{ring}" for ring in RINGS for tail in range(1, 5))
"""Long tails are all alike to a fingerprint, and so one cluster."""


def _task(items: tuple[str, ...] = MOLECULES, **fields: Any) -> Task:
    labels = np.random.default_rng(0).normal(size=(len(items), 1))
    about = {"name": "made-up", "group": "own", "kind": "regression", "metric": "R2"}
    return Task(**cast("Any", {**about, "items": items, "labels": labels, **fields}))


def _classes(task: Task, ones: int) -> Task:
    labels = np.zeros((len(task.items), 1))
    labels[np.random.default_rng(1).permutation(len(labels))[:ones]] = 1
    return replace(task, kind="classification", metric="AUROC", labels=labels)


def _covers(parts: TaskSplit, task: Task) -> bool:
    return sorted([*parts.train, *parts.valid, *parts.test]) == list(range(len(task.items)))


@pytest.mark.parametrize("method", ["random", "scaffold", "cluster", "time"])
def test_parts_are_disjoint_and_have_their_shares(method: SplitName) -> None:
    items = MOLECULES if method != "cluster" else SMALL
    task = _task(items, times=np.arange(float(len(items))))
    for seed in range(3):
        parts = split(task, method=method, seed=seed)
        assert _covers(parts, task)
        assert len(parts.test) / len(items) == pytest.approx(TEST, abs=0.07)
        assert len(parts.valid) / len(items) == pytest.approx(VALID, abs=0.07)
        assert all(np.all(np.diff(rows) > 0) for rows in (parts.train, parts.valid, parts.test))


@pytest.mark.parametrize("method", ["random", "scaffold"])
def test_the_seed_decides_the_split(method: SplitName) -> None:
    task = _task()
    tests = [tuple(split(task, method=method, seed=seed).test) for seed in (0, 1, 0)]
    assert tests[0] == tests[2] != tests[1]


def test_validation_differs_from_test_and_is_not_drawn_from_it() -> None:
    task = _task()
    parts = split(task, method="random", seed=0)
    assert not set(parts.valid) & set(parts.test)
    assert len(parts.valid) == round(len(task.items) * VALID)


@pytest.mark.parametrize("method", ["random", "scaffold", "cluster", "time"])
def test_all_rows_of_a_molecule_are_on_one_side(method: SplitName) -> None:
    others = [Chem.MolToSmiles(Chem.MolFromSmiles(text), rootedAtAtom=0) for text in MOLECULES]
    items = (*MOLECULES, *reversed(others))
    task = _task(
        items, times=np.random.default_rng(0).permutation(float(len(items)) * np.ones(280))
    )
    parts = split(task, method=method, seed=4)
    sides = [
        {Chem.CanonSmiles(items[row]) for row in rows}
        for rows in (parts.train, parts.valid, parts.test)
    ]
    assert all(sides)
    assert sum(map(len, sides)) == len(set.union(*sides))


def test_no_scaffold_is_in_two_parts() -> None:
    parts = split(_task(), method="scaffold", seed=2)
    found = [{scaffold(MOLECULES[row]) for row in rows} for rows in _rows(parts)]
    assert sum(map(len, found)) == len(set.union(*found))


def _rows(parts: TaskSplit) -> tuple[Any, Any, Any]:
    return parts.train, parts.valid, parts.test


def test_time_trains_on_the_oldest_and_tests_on_the_newest() -> None:
    times = np.random.default_rng(0).permutation(len(MOLECULES)).astype(np.float64)
    train, valid, test = _rows(split(_task(times=times), method="time", seed=0))
    assert times[train].max() < times[valid].min() <= times[valid].max() < times[test].min()


# == Given


def test_official_test_rows_stay_and_validation_is_an_eighth_by_scaffold() -> None:
    test = np.zeros(len(MOLECULES), dtype=np.bool_)
    test[::5] = True
    items = tuple(f"{'C' * (n % 9)}C1CC{'C' * (n // 9)}N1" for n in range(len(MOLECULES)))
    task = _task(items, test=test, split="given")
    drawn: set[tuple[int, ...]] = set()
    for seed in range(4):
        parts = split(task, seed=seed)
        assert _covers(parts, task)
        assert parts.test.tolist() == np.flatnonzero(test).tolist()
        assert len(parts.valid) == pytest.approx((~test).sum() / 8, abs=5)
        inside = {scaffold(items[row]) for row in parts.valid}
        assert not inside & {scaffold(items[row]) for row in parts.train}
        drawn.add(tuple(parts.valid))
    assert len(drawn) > 1


def test_official_validation_rows_are_taken() -> None:
    place = np.arange(len(MOLECULES)) % 10
    task = _task(test=place < 2, valid=place == 2, split="given")
    parts = split(task, seed=7)
    assert _covers(parts, task)
    assert parts.valid.tolist() == np.flatnonzero(place == 2).tolist()


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("given", r"made-up, given split: its table names no test rows"),
        ("time", r"made-up, time split: its table has no times"),
    ],
)
def test_a_table_without_split_or_times_says_so(method: SplitName, message: str) -> None:
    with pytest.raises(InputError, match=message):
        split(_task(), method=method, seed=0)


def test_an_unknown_method_proposes_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"unknown split 'scafold'\. Did you mean 'scaffold'"):
        split(_task(), method=cast("Any", "scafold"), seed=0)


# == Labels that a part does not hold


def test_further_seeds_are_tried_until_both_classes_are_in_every_part() -> None:
    task = _classes(_task(), 4)
    retried = 0
    for seed in range(8):
        draws = (split(_task(), seed=seed + 100 * attempt) for attempt in range(100))
        expected = next(
            (place, parts)
            for place, parts in enumerate(draws)
            if all(0 < task.labels[rows].sum() < len(rows) for rows in _rows(parts))
        )
        assert _same(split(task, seed=seed), expected[1])
        retried += expected[0] > 0
    assert retried  # four molecules in three parts: most first draws fail


def _same(one: TaskSplit, other: TaskSplit) -> bool:
    return all(np.array_equal(*rows) for rows in zip(_rows(one), _rows(other), strict=True))


def test_a_class_of_two_molecules_cannot_be_in_three_parts() -> None:
    with pytest.raises(InputError, match=r"made-up: no random split .* has both classes"):
        split(_classes(_task(), 2), seed=0)


def test_an_official_test_part_of_one_class_is_refused() -> None:
    task = _classes(_task(), 70)
    test = np.zeros(len(MOLECULES), dtype=np.bool_)
    test[np.flatnonzero(task.labels[:, 0] == 1)[:20]] = True
    with pytest.raises(InputError, match="made-up: no given split"):
        split(replace(task, test=test), method="given", seed=0)


def test_constant_values_in_a_part_are_refused() -> None:
    labels = np.zeros((len(MOLECULES), 1))
    labels[0] = 1.0
    with pytest.raises(InputError, match="has two different values"):
        split(_task(labels=labels), seed=0)


def test_of_many_labels_as_many_as_possible_are_served() -> None:
    task = _classes(_task(), 70)
    rare = np.zeros((len(MOLECULES), 1))
    rare[:2] = 1
    some = np.where(np.arange(len(MOLECULES))[:, np.newaxis] % 7, np.nan, task.labels)
    many = replace(task, labels=np.hstack([task.labels, rare, some]), label_names=("a", "b", "c"))
    for seed in range(5):
        for rows in _rows(split(many, seed=seed)):
            for column in (0, 2):
                values = many.labels[rows, column]
                assert set(values[~np.isnan(values)]) == {0, 1}


def test_too_few_molecules_are_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"made-up, random split: 3 rows with 1 different items"):
        split(_task(("CCO", "OCC", "C(O)C")), seed=0)


def test_molecules_that_cannot_be_read_are_split_too() -> None:
    task = _task((*MOLECULES, "C(", "no molecule"))
    for method in ("random", "scaffold", "cluster"):
        assert _covers(split(task, method=method, seed=0), task)
