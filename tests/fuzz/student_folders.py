"""Folders of students of every architecture, their adaptors, and files of settings."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from molkd import students
from molkd.distillation.settings import DistillSettings
from molkd.information import adaptors
from molkd.objectives import OBJECTIVES, configured, densities
from molkd.objectives.ladder import Ladder
from molkd.objectives.settings import HeadSettings
from molkd.runtime import files, settings
from molkd.students import StudentSettings, sized
from molkd.targets.scaling import Scaling
from tests.fakes.kinds import SAMPLES
from tests.fuzz import folders, mutations
from tests.fuzz.cases import Recipe, Seen, Target, require
from tests.fuzz.folders import Folder
from tests.fuzz.worker import scratch

_KINDS = ("gine", "gine", "gine", "static", "static", "text-encoder", "vit")


@functools.cache
def _folder(kind: str) -> Folder:
    sample = SAMPLES[kind]
    options = {"hidden": 8, "layers": 1, "embedding_dim": 4} if kind == "gine" else sample.options
    chosen: StudentSettings = type(sized(sample.size))(size=sample.size, **options)
    student = students.make(chosen, seed=0, items=sample.items)
    return folders.made(kind, lambda path: student.save_pretrained(path, card="# a card"))


def draw_student(random: Random) -> Recipe:
    kind = random.choice(_KINDS)
    folder = _folder(kind)
    names = ("config.json", "config.json", "model.safetensors", "tokenizer.json")
    if random.random() < 0.8:
        name = random.choice([one for one in names if one in folder.files])
        content = folders.mutated(name, folder.files[name], random)
        changed = {name: None if content is None else mutations.packed(content)}
    else:
        changed = folder.draw(random)["changed"]
    return {"kind": kind, "changed": changed, "mend": random.random() < 0.8}


def check_student(recipe: Recipe, seen: Seen) -> None:
    kind = recipe["kind"]
    with _folder(kind).changed(recipe, _checksums if recipe["mend"] else None) as path:
        student = students.load(path)
        embedded = student.embed([*SAMPLES[kind].items[:3], None])
        require(embedded.values.shape == (4, student.embedding_dim), "rows of the embedding")
        failed = set(np.flatnonzero(np.isnan(embedded.values).any(axis=1)))
        require(3 in failed and failed == set(embedded.failures), "failed rows")
        seen.count(4, len(embedded.failures))


def _checksums(folder: Path) -> None:
    """Writes the checksums of changed files into a configuration that still is one."""
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return
    if not isinstance(config, dict):
        return
    weights = folder / "model.safetensors"
    if "sha256" in config and weights.exists():
        config["sha256"] = files.sha256_of(weights)
    if isinstance(config.get("files"), dict):
        there = [name for name in config["files"] if _is_file(folder, name)]
        config["files"] |= {name: files.sha256_of(folder / name) for name in there}
    path.write_text(json.dumps(config))


def _is_file(folder: Path, name: str) -> bool:
    try:
        return (folder / name).is_file()
    except ValueError:
        return False


@functools.cache
def _adaptors() -> Folder:
    def write(path: Path) -> None:
        ones = np.ones(3)
        scaling = Scaling(
            support="real",
            kept=np.arange(3),
            log1p=False,
            mean=ones,
            sd=ones,
            components=None,
            scale=None,
            bound=None,
            mean_of_targets=ones * 0,
            filling=ones,
        )
        density = densities.make("gaussian")
        shape = HeadSettings(head_hidden=4, head_layers=1, head_skip=True)
        head = Ladder(2, (), (), density.width(3), shape)
        bounds = np.full(3, -9, np.float32), np.full(3, 9, np.float32)
        one = adaptors.Adaptor(head, density, scaling, *bounds)
        vectors = np.zeros(2, np.float32), np.ones(2, np.float32)
        adaptors.save(path, adaptors.Adaptors(*vectors, {"fake": one}), "digest")

    return folders.made("adaptors", write)


def draw_adaptors(random: Random) -> Recipe:
    return {**_adaptors().draw(random), "mend": random.random() < 0.8}


def check_adaptors(recipe: Recipe, seen: Seen) -> None:
    with _adaptors().changed(recipe, _adaptor_sums if recipe["mend"] else None) as path:
        loaded = adaptors.load(path, "digest")
        mean, sd = loaded.predict(np.array([[1, 2], [np.nan, 0]], np.float32), "fake")
        require(mean.shape == sd.shape and len(mean) == 2, "rows of the prediction")
        seen.count(2, 1)


def _adaptor_sums(folder: Path) -> None:
    path = folder / adaptors.INDEX
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        index["sha256"] = files.sha256_of(folder / adaptors.HEADS)
        for entry in index["teachers"]:
            entry["sha256"] = files.sha256_of(folder / entry["file"])
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return
    path.write_text(json.dumps(index))


@functools.cache
def _settings(size: str, objective: str) -> bytes:
    path = scratch() / "settings.toml"
    student = type(sized(size))(size=size, embedding_dim=16)
    teachers = ("maccs", "ecfp4-count") if student.modality == "molecules" else ("one", "two")
    chosen = DistillSettings(
        teachers=teachers,
        student=student,
        objective=configured(objective, {}),
        pca={teachers[0]: 8},
        winsorize=4.0,
    )
    settings.write(path, chosen, record={"rows": 7})
    return path.read_bytes()


def draw_settings(random: Random) -> Recipe:
    size = random.choice(("tiny", "tiny", "static-small", "bert-tiny", "vit-tiny", "pvt-tiny"))
    content = _settings(size, random.choice(list(OBJECTIVES)))
    for _ in range(random.choice((1, 1, 2, 3))):
        content = folders.mutated("settings.toml", content, random) or b"# empty"
        try:
            content.decode()
        except UnicodeDecodeError:
            break
    return {"text": mutations.packed(content)}


def check_settings(recipe: Recipe, seen: Seen) -> None:
    path = scratch() / "mutated.toml"
    path.write_bytes(mutations.unpacked(recipe["text"]))
    settings.read_record(path)
    loaded: Any = settings.load(DistillSettings, path)
    settings.write(path, loaded)
    again = settings.load(DistillSettings, path)
    same = again == loaded or "nan" in recipe["text"]
    require(same, "settings that were written are read as other ones")
    seen.count(1, 0)


STUDENTS = Target(draw_student, check_student)
ADAPTORS = Target(draw_adaptors, check_adaptors)
SETTINGS = Target(draw_settings, check_settings)
