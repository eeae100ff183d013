"""Sizes of the molecular student."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

from molkd.students.config_gine import GineConfig, Readout
from molkd.students.settings import StudentSettings

if TYPE_CHECKING:  # it loads torch
    from molkd.students.gine import GineStudent

CONFIGS: Mapping[str, GineConfig] = {
    "tiny": GineConfig(hidden=64, layers=3, embedding_dim=128),
    "small": GineConfig(hidden=128, layers=4, embedding_dim=256),
    "base": GineConfig(hidden=256, layers=5, embedding_dim=512),
}


@dataclass(frozen=True, kw_only=True)
class GineSettings(StudentSettings):
    """A molecular student: tiny, small or base.

    Attributes:
        hidden: width of the atom states; by default that of the size: 64, 128 or 256.
        layers: number of message-passing layers; by default that of the size: 3, 4 or 5.
        embedding_dim: width of the embedding; by default that of the size: 128, 256 or 512.
        readout: how atom states become one vector: mean, sum, mean+sum or attention; by default
            mean+sum.
        dropout: in [0, 1); by default 0.
    """

    modality: ClassVar[str] = "molecules"

    hidden: int | None = None
    layers: int | None = None
    embedding_dim: int | None = None
    readout: Readout | None = None
    dropout: float | None = None

    @property
    def config(self) -> GineConfig:
        """The size with the changes applied."""
        values = {field.name: getattr(self, field.name, None) for field in fields(GineConfig)}
        changes: dict[str, Any] = {
            name: value for name, value in values.items() if value is not None
        }
        return replace(CONFIGS[self.size], **changes)

    def build(self, items: Sequence[Any]) -> GineStudent:  # noqa: ARG002
        """See `StudentSettings`."""
        from molkd.students.gine import GineStudent

        return GineStudent(self.config)
