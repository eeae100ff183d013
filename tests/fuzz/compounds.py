"""Batches of molecules through reading, featurizing and a small student; mutated SMILES."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np

from molkd import students
from molkd.items import MOLECULES
from molkd.items.molecules import chem
from molkd.students import GineSettings
from tests.fuzz import mutations
from tests.fuzz.cases import Recipe, Seen, Target, require
from tests.fuzz.seeds import SENTINELS

BATCH = 25
_TOLERANCE = 1e-5


@functools.cache
def _student() -> Any:
    settings = GineSettings(size="tiny", hidden=16, layers=2, embedding_dim=8)
    return students.make(settings, seed=0).eval()


@functools.cache
def _expected() -> Any:
    return _student().embed(SENTINELS).values


def draw_smiles(random: Random) -> Recipe:
    """Mutated SMILES, with good ones between them by `woven`."""
    return {
        "inputs": BATCH,
        "smiles": [mutations.smiles(random) for _ in range(BATCH)],
        "weave": random.randrange(1 << 30),
        "standardize": "full" if random.random() < 0.04 else "none",
    }


def check_smiles(recipe: Recipe, seen: Seen) -> None:
    items, sentinels = woven(recipe["smiles"], recipe["weave"])
    check_batch(items, sentinels, seen)
    check_texts(items, recipe["standardize"], seen)


def woven(items: Sequence[Any], seed: int) -> tuple[list[Any], dict[int, int]]:
    """Returns items with sentinels between them, and row -> which sentinel it is."""
    random = Random(seed)
    mixed: list[tuple[int | None, Any]] = [(None, item) for item in items]
    for number in random.sample(range(len(SENTINELS)), 4):
        mixed.insert(random.randrange(len(mixed) + 1), (number, SENTINELS[number]))
    places = {row: number for row, (number, _) in enumerate(mixed) if number is not None}
    return [item for _, item in mixed], places


def check_batch(items: Sequence[Any], sentinels: dict[int, int], seen: Seen) -> None:
    """Embeds items; good rows must stay where they are, and failed ones have reasons."""
    parsed = chem.parse_all(items)
    rows = sorted([*parsed.rows, *parsed.failures])
    require(rows == list(range(len(items))), "parse_all loses rows")
    student = _student()
    embedded = student.embed(items)
    values, failures = embedded.values, embedded.failures
    require(values.shape == (len(items), student.embedding_dim), "rows of the embedding")
    require(set(parsed.failures) <= set(failures) <= set(range(len(items))), "rows of failures")
    for reason in failures.values():
        require(reason.strip() and reason.encode(), "an empty reason")
    missing = np.isnan(values).any(axis=1)
    require(set(np.flatnonzero(missing)) == set(failures), "empty rows are not the failed ones")
    for row, number in sentinels.items():
        near = np.allclose(values[row], _expected()[number], atol=_TOLERANCE)
        require(near, "a sentinel has another vector")
    alone = [row for row in range(len(items)) if row not in failures][: 1 + len(items) % 3]
    for row in alone[-1:]:
        single = student.embed([items[row]]).values[0]
        require(np.allclose(values[row], single, atol=1e-4), "alone it has another vector")
    seen.count(len(items) - len(sentinels), len(failures))


def check_texts(items: Sequence[Any], level: str, seen: Seen) -> None:
    """Reads items as a bank does: what it keeps must be readable, and the same again."""
    read = MOLECULES.check(items, level)
    require(len(read.keys) == len(read.items) == len(items), "check loses rows")
    valid = [row for row in range(len(items)) if row not in read.failures]
    texts = [read.items[row] for row in valid]
    again = MOLECULES.check(texts, level)
    require(not again.failures, "a text that was kept cannot be read again")
    seen.unstable += sum(old != new for old, new in zip(texts, again.items, strict=True))
    MOLECULES.parse(texts)


SMILES = Target(draw_smiles, check_smiles)
