"""Students by size and by configuration; `load` reads a trained one from a folder or the hub.

Nothing is imported before it is asked for, so that settings can be read without torch. A new
architecture is a student and its settings in files here, and a line in each of the tables below.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molkd.deprecated import renamed
from molkd.errors import CorruptFileError
from molkd.runtime.registry import Registry
from molkd.students.config_gine import GineConfig
from molkd.students.settings import SIZES, StudentSettings, sized
from molkd.students.settings_gine import GineSettings

if TYPE_CHECKING:  # they load torch
    from molkd.students.base import Student
    from molkd.students.counts import CountsStudent
    from molkd.students.gine import GineStudent
    from molkd.students.hybrid import HybridStudent
    from molkd.students.image_encoder import ImageStudent
    from molkd.students.static import StaticStudent
    from molkd.students.text_encoder import TextStudent

__all__ = [
    "KINDS",
    "SIZES",
    "CountsStudent",
    "GineConfig",
    "GineSettings",
    "GineStudent",
    "HybridStudent",
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

KINDS: Registry[type[Student[Any, Any, Any]]] = Registry("kind of student")
"""Architecture -> its class."""

for _kind, _class in (
    ("gine", "molkd.students.gine:GineStudent"),
    ("counts", "molkd.students.counts:CountsStudent"),
    ("hybrid", "molkd.students.hybrid:HybridStudent"),
    ("static", "molkd.students.static:StaticStudent"),
    ("text-encoder", "molkd.students.text_encoder:TextStudent"),
    ("image-encoder", "molkd.students.image_encoder:ImageStudent"),
):
    KINDS.add(_kind, _class)

for _settings, _sizes in (
    ("molkd.students.settings_gine:GineSettings", "tiny small base"),
    ("molkd.students.settings_counts:HybridSettings", "hybrid-tiny hybrid-small hybrid-base"),
    ("molkd.students.settings_counts:CountsSettings", "static-molecules"),
    ("molkd.students.settings_text:StaticSettings", "static-small static-base"),
    ("molkd.students.settings_text:TextSettings", "bert-tiny bert-mini bert-small"),
    ("molkd.students.settings_image:ImageSettings", "vit-tiny vit-small pvt-tiny pvt-v2-b0"),
):
    for _size in _sizes.split():
        SIZES.add(_size, _settings)

_LATE = {
    "CountsStudent": "molkd.students.counts:CountsStudent",
    "GineStudent": "molkd.students.gine:GineStudent",
    "HybridStudent": "molkd.students.hybrid:HybridStudent",
    "ImageStudent": "molkd.students.image_encoder:ImageStudent",
    "StaticStudent": "molkd.students.static:StaticStudent",
    "Student": "molkd.students.base:Student",
    "TextStudent": "molkd.students.text_encoder:TextStudent",
}


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
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return (settings or GineSettings()).build(items)


def untrained_like(student: Student[Any, Any, Any], *, seed: int = 0) -> Student[Any, Any, Any]:
    """Builds an untrained student of the same shape; the same seed gives the same weights."""
    import torch

    from molkd.students.pretrained import SavedStudent

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        weights = type(student).build(student.config).state_dict()
    untrained = SavedStudent(student.kind, student.config, weights, files=student.files)
    return type(student).restore(untrained)


def load(model: str | Path, *, revision: str | None = None) -> Student[Any, Any, Any]:
    """Loads a trained student of any architecture; see `Student.from_pretrained`."""
    from molkd.students import pretrained

    saved = pretrained.read(model, revision=revision)
    if saved.kind not in KINDS:
        raise CorruptFileError(
            f"{model} holds a student of kind {saved.kind!r}, which this molkd does not know: "
            "install a newer one"
        )
    return KINDS.resolve(saved.kind).restore(saved)


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return pkgutil.resolve_name(_LATE[name])
    return renamed(__name__, name)
