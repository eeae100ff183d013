"""The registered teachers at a glance, without downloading, loading or computing anything."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from molkd import teachers
from molkd.errors import MolkdError
from molkd.teachers.base import weights
from molkd.teachers.hub import known

Readiness = Literal["ready", "weights missing", "broken"]
"""Whether a teacher can embed here and now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the catalogue.

    Attributes:
        name: registry name.
        kind: see `TeacherCard`; empty for a broken teacher, like all that follows.
        modality: see `TeacherCard`.
        dim: see `TeacherCard`.
        support: see `TeacherCard`.
        license: see `TeacherCard`.
        readiness: whether it can embed here without downloading.
        problem: what is wrong with a broken one.
    """

    name: str
    kind: str = ""
    modality: str = ""
    dim: int = 0
    support: str = ""
    license: str = ""
    readiness: Readiness
    problem: str = ""


def entries(weights_dir: str | os.PathLike[str] | None = None) -> list[Entry]:
    """Describes all registered teachers; one that cannot be made does not hide the others.

    Args:
        weights_dir: folder of weights beside those that are always searched.
    """
    return [
        _hub_entry(known.KNOWN[name]) if name in known.KNOWN else _entry(name, weights_dir)
        for name in teachers.names()
    ]


def _entry(name: str, weights_dir: str | os.PathLike[str] | None) -> Entry:
    try:
        card = teachers.make(name).card
    except MolkdError as error:
        return Entry(name=name, readiness="broken", problem=str(error))
    present = all(weights.is_present(path, weights_dir) for path in card.sha256)
    return Entry(
        name=name,
        kind=card.kind,
        modality=card.modality,
        dim=card.dim,
        support=card.support,
        license=card.license,
        readiness="ready" if present else "weights missing",
    )


def _hub_entry(model: known.KnownModel) -> Entry:
    """Describes a model of the hub without asking it."""
    ready = model.installed() is not None or _is_cached(model.hub, model.revision)
    return Entry(
        name=model.name,
        kind=model.kind,
        modality=model.modality,
        dim=model.dim,
        support="real",
        license=model.license,
        readiness="ready" if ready else "weights missing",
    )


def _is_cached(hub: str, revision: str | None) -> bool:
    """Says whether the hub's cache has configuration and weights of a model."""
    from huggingface_hub import try_to_load_from_cache

    def cached(file: str) -> bool:
        return isinstance(try_to_load_from_cache(hub, file, revision=revision), str)

    return cached("config.json") and (
        cached("model.safetensors") or cached("model.safetensors.index.json")
    )
