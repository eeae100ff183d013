"""Students by size and by configuration; `load` reads a trained one from a folder or the hub."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch

from molkd.errors import CorruptFileError
from molkd.students import pretrained
from molkd.students.base import Student
from molkd.students.gine import GineConfig, GineStudent
from molkd.students.settings import SIZES, StudentSettings, sized
from molkd.students.settings_gine import GineSettings

if TYPE_CHECKING:  # they load transformers
    from molkd.students.image_encoder import ImageStudent
    from molkd.students.static import StaticStudent
    from molkd.students.text_encoder import TextStudent

__all__ = [
    "KINDS",
    "SIZES",
    "GineConfig",
    "GineSettings",
    "GineStudent",
    "ImageStudent",
    "StaticStudent",
    "Student",
    "StudentSettings",
    "TextStudent",
    "load",
    "make",
    "sized",
    "untrained_like",
]

KINDS: Mapping[str, str] = {
    "gine": "molkd.students.gine:GineStudent",
    "static": "molkd.students.static:StaticStudent",
    "text-encoder": "molkd.students.text_encoder:TextStudent",
    "image-encoder": "molkd.students.image_encoder:ImageStudent",
}
"""Architecture -> where its class is."""


def make(
    settings: StudentSettings | None = None, *, seed: int = 0, items: Sequence[Any] = ()
) -> Student[Any, Any, Any]:
    """Builds an untrained student; the same seed and items give the same weights.

    Args:
        settings: its size and shape; a small molecular student by default.
        seed: of the weights.
        items: the corpus, for students that learn a vocabulary from it.

    Raises:
        ConfigError: a value is out of range.
        WeightsError: a model that it shall start from is not there.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return (settings or GineSettings()).build(items)


def untrained_like(student: Student[Any, Any, Any], *, seed: int = 0) -> Student[Any, Any, Any]:
    """Builds an untrained student of the same shape; the same seed gives the same weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = type(student).build(student.config)
    untrained = pretrained.SavedStudent(
        student.kind, student.config, made.state_dict(), files=student.files
    )
    return type(student).restore(untrained)


def load(model: str | Path, *, revision: str | None = None) -> Student[Any, Any, Any]:
    """Loads a trained student of any architecture; see `Student.from_pretrained`."""
    saved = pretrained.read(model, revision=revision)
    if saved.kind not in KINDS:
        raise CorruptFileError(
            f"{model} holds a student of kind {saved.kind!r}, which this molkd does not know: "
            "install a newer one"
        )
    module, _, name = KINDS[saved.kind].partition(":")
    return cast(
        "type[Student[Any, Any, Any]]", getattr(importlib.import_module(module), name)
    ).restore(saved)


def __getattr__(name: str) -> Any:
    """Imports the class of an architecture when it is first asked for."""
    for target in KINDS.values():
        module, _, known = target.partition(":")
        if name == known:
            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
