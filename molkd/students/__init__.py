"""Students by size and by configuration; `load` reads a trained one from a folder or the hub."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from molkd.errors import CorruptFileError, UnknownNameError
from molkd.registry import near
from molkd.students import pretrained
from molkd.students.base import Student
from molkd.students.gine import GineConfig, GineStudent, Readout

__all__ = [
    "SIZES",
    "GineConfig",
    "GineStudent",
    "Student",
    "StudentSettings",
    "fresh",
    "load",
    "make",
]

SIZES = {
    "tiny": GineConfig(hidden=64, layers=3, embedding_dim=128),
    "small": GineConfig(hidden=128, layers=4, embedding_dim=256),
    "base": GineConfig(hidden=256, layers=5, embedding_dim=512),
}


KINDS = {GineStudent.kind: GineStudent}
"""Architecture -> its class."""


@dataclass(frozen=True, kw_only=True)
class StudentSettings:
    """A size by name, and what to change of it; None leaves the size's own value.

    Attributes:
        size: a key of `SIZES`.
        hidden: width of the atom states.
        layers: number of message-passing layers.
        embedding_dim: width of the embedding.
        readout: "mean", "sum", "mean+sum" or "attention".
        dropout: in [0, 1).
    """

    size: str = "small"
    hidden: int | None = None
    layers: int | None = None
    embedding_dim: int | None = None
    readout: Readout | None = None
    dropout: float | None = None

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise UnknownNameError(
                f"unknown student size {self.size!r}.{near(self.size, SIZES)} "
                f"Sizes are {', '.join(SIZES)}."
            )

    @property
    def config(self) -> GineConfig:
        """The size with the changes applied."""
        names = ("hidden", "layers", "embedding_dim", "readout", "dropout")
        changes: dict[str, Any] = {name: getattr(self, name) for name in names}
        given = {name: value for name, value in changes.items() if value is not None}
        return replace(SIZES[self.size], **given)


def make(settings: StudentSettings | None = None, *, seed: int = 0) -> GineStudent:
    """Builds an untrained student; the same seed gives the same weights.

    Raises:
        UnknownNameError: no such size.
        ConfigError: a value is out of range.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return GineStudent((settings or StudentSettings()).config)


def fresh(student: GineStudent, *, seed: int = 0) -> GineStudent:
    """Builds an untrained student of the same shape; the same seed gives the same weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return type(student).build(student.config)


def load(model: str | Path, *, revision: str | None = None) -> GineStudent:
    """Loads a trained student of any architecture; see `Student.from_pretrained`."""
    saved = pretrained.read(model, revision=revision)
    if saved.kind not in KINDS:
        raise CorruptFileError(
            f"{model} holds a student of kind {saved.kind!r}, which this molkd does not know: "
            "install a newer one"
        )
    return KINDS[saved.kind].restore(saved)
