"""What long jobs keep: checkpoints, parts of an embedding, banks, results of a benchmark."""

from __future__ import annotations

import contextlib
import functools
import hashlib
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import torch

from molkd.bank import Bank
from molkd.bank.builder import build
from molkd.benchmarks import records
from molkd.distillation import checkpoint
from molkd.embedding.parts import Parts
from molkd.errors import CorruptFileError, MolkdError
from molkd.formats.writers.table import EmbeddedChunk
from molkd.runtime import files
from molkd.targets.fitting import fit_scaling
from tests.bank.node_teachers import LetterTeacher
from tests.fakes import fake_results
from tests.fakes.fake_teachers import FakeTeacher
from tests.fuzz import folders, mutations
from tests.fuzz.cases import Recipe, Seen, Target, require
from tests.fuzz.folders import Folder


@functools.cache
def _checkpoints() -> Folder:
    def write(path: Path) -> None:
        state = {"step": 3, "weights": {"a": torch.arange(4.0)}, "order": [1, 2], "name": "x"}
        checkpoint.save(path, 3, state, digest="run")

    return folders.made("checkpoints", write)


def draw_checkpoint(random: Random) -> Recipe:
    return {**_checkpoints().draw(random), "mend": random.random() < 0.5}


def check_checkpoint(recipe: Recipe, seen: Seen) -> None:
    def mend(folder: Path) -> None:
        header, state = folder / "step-000000003/state.json", folder / "step-000000003/state.pt"
        try:
            content = files.read_json(header) | {"sha256": files.sha256_of(state)}
            files.write_json(header, content)
        except (MolkdError, OSError, ValueError):
            return

    with _checkpoints().changed(recipe, mend if recipe["mend"] else None) as path:
        state = checkpoint.load_latest(path, digest="run")
        require(state is None or isinstance(state, dict), "a state that is none")
        seen.count(1, 0)


@functools.cache
def _parts() -> Folder:
    def write(path: Path) -> None:
        values = np.arange(6, dtype=np.float32).reshape(3, 2)
        part = EmbeddedChunk(["a", "b", "c"], ["C", None, "CC"], [None, "bad", None], values)
        Parts(path).write(0, "k" * 64, part)

    return folders.made("parts", write)


_HEAD = 130


def draw_part(random: Random) -> Recipe:
    """A damaged part, or a whole one that another molkd might have written."""
    if random.random() < 0.5:
        return _parts().draw(random)
    ((name, content),) = _parts().files.items()
    body = content[_HEAD:]
    table = pa.ipc.open_stream(body).read_all()
    change = random.choice(("column", "type", "facts", "rows", "name", "shortened"))
    if change == "column":
        table = table.drop_columns([random.choice(table.column_names)])
    elif change == "type":
        place = random.randrange(table.num_columns)
        table = table.set_column(place, table.column_names[place], [pa.nulls(len(table))])
    elif change == "facts":
        table = table.replace_schema_metadata(None)
    elif change == "shortened":
        table = table.replace_schema_metadata({"shortened": random.choice(("", "-1", "x", "1e9"))})
    elif change == "rows":
        table = table.slice(0, 0)
    else:
        table = table.rename_columns([f"{one}s" for one in table.column_names])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        for batch in table.to_batches() if change != "rows" else ():
            writer.write_batch(batch)
    data = sink.getvalue().to_pybytes()
    head = f"{'k' * 64} {hashlib.sha256(data).hexdigest()}\n".encode()
    return {"changed": {name: mutations.packed(head + data)}, "other": True}


def check_part(recipe: Recipe, seen: Seen) -> None:
    with _parts().changed(recipe) as path:
        part = Parts(path).find(0, "k" * 64)
        if part is None:
            raise CorruptFileError("no part")
        good = list(part.ids) == ["a", "b", "c"] or recipe.get("other")
        require(good, "a damaged part is taken for a whole one")
        require(part.values.shape == (3, 2), "values of a part")
        seen.count(3, 1)


@functools.cache
def _bank() -> Folder:
    def write(path: Path) -> None:
        items = ["one", "two", "fail three", "four", "five"]
        teachers = [FakeTeacher(), FakeTeacher("bits", support="bits"), LetterTeacher("letters")]
        bank = build(
            path, items, teachers, errors={4: "no item"}, nodes=["letters"], progress=False
        )
        fit_scaling(bank, "fake", np.arange(4), form="standardized")

    return folders.made("bank", write)


_STOPPED = ["one", "two", "three", "stop", "five"]


@functools.cache
def _half() -> Folder:
    """A bank of which the building was interrupted in its second block."""

    def write(path: Path) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            build(path, _STOPPED, _half_teachers(), block=2, nodes=["letters"], progress=False)

    return folders.made("half", write)


def _half_teachers(*, obeys: bool = True) -> list[FakeTeacher]:
    return [LetterTeacher("letters", obeys=obeys), FakeTeacher(obeys=obeys)]


def draw_bank(random: Random) -> Recipe:
    half = random.random() < 0.3
    folder = _half() if half else _bank()
    return {**folder.draw(random), "half": half, "verify": random.random() < 0.3}


def check_bank(recipe: Recipe, seen: Seen) -> None:
    if recipe["half"]:
        with _half().changed(recipe) as path:
            teachers = _half_teachers(obeys=False)
            bank = build(path, _STOPPED, teachers, block=2, nodes=["letters"], progress=False)
            for teacher in teachers:
                rows = np.arange(len(bank))
                alone = teacher.embed(_STOPPED).values
                whole = np.allclose(bank.raw(teacher.name, rows), alone, atol=1e-3)
                unsealed = any("values" in one or "journal" in one for one in recipe["changed"])
                require(whole or unsealed, "rows of a resumed bank")
            seen.count(len(bank), 0)
        return
    with _bank().changed(recipe) as path:
        bank = Bank.open(path, verify=recipe["verify"])
        require(len(bank.items) == len(bank), "items of the bank")
        rows = np.arange(len(bank))[::-1]
        for name in bank.cards:
            require(len(bank.raw(name, rows)) == len(bank), "rows of a teacher")
            failed = set(np.flatnonzero(~bank.valid(name)))
            require(failed <= set(range(len(bank))), "failed rows")
            seen.count(len(bank), len(bank.failures(name)))
            if name in bank.node_folders:
                states, counts = bank.nodes(name, rows)
                require(len(states) == counts.sum(), "nodes")
        if "fake" in bank.cards:
            fit_scaling(bank, "fake", np.arange(min(4, len(bank))), form="standardized")
        _ = bank.digest


@functools.cache
def _results() -> Folder:
    def write(path: Path) -> None:
        few = fake_results.results(tasks=["herg", "ames"], embedders=["student-base"], seeds=2)
        records.write(path / "results.jsonl", few)

    return folders.made("results", write)


def draw_results(random: Random) -> Recipe:
    return _results().draw(random)


def check_results(recipe: Recipe, seen: Seen) -> None:
    with _results().changed(recipe) as path:
        found = records.read(path / "results.jsonl")
        seen.count(len(found.scores), 0)


CHECKPOINTS = Target(draw_checkpoint, check_checkpoint)
PARTS = Target(draw_part, check_part)
BANKS = Target(draw_bank, check_bank)
RESULTS = Target(draw_results, check_results)
