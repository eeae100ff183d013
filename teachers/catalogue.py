"""The registered teachers at a glance, without downloading, loading or computing anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from molkd import teachers
from molkd.errors import MolkdError
from molkd.teachers.base import weights
from molkd.teachers.hub.known_images import NAMED as IMAGE_MODELS
from molkd.teachers.hub.known_smiles import NAMED as MOLECULE_MODELS
from molkd.teachers.hub.known_texts import NAMED as TEXT_MODELS

Readiness = Literal["ready", "weights missing", "broken"]
"""Whether a teacher can embed here and now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the catalogue.

    Attributes:
        name: registry name.
        kind: see `TeacherCard`; empty for a broken teacher, like all that follows.
        reads: see `TeacherCard`.
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
    known = {entry.name: entry for entry in _of_the_hub()}
    return [known.get(name) or _entry(name, weights_dir) for name in teachers.names()]


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


def _of_the_hub() -> Iterator[Entry]:
    """Describes the models of the hub without asking it."""
    for molecules in MOLECULE_MODELS.values():
        kind = f"{molecules.representation.upper()} model"
        yield _hub_entry(molecules, kind, "molecules", molecules.revision)
    for texts in TEXT_MODELS.values():
        here = texts.installed() is not None
        yield _hub_entry(texts, "text encoder", "texts", texts.revision, here=here)
    for pictures in IMAGE_MODELS.values():
        yield _hub_entry(pictures, "image network", "images", None)


class _HubModel(Protocol):
    """What all models of the hub that have a name here say of themselves."""

    @property
    def name(self) -> str: ...
    @property
    def hub(self) -> str: ...
    @property
    def dim(self) -> int: ...
    @property
    def license(self) -> str: ...


def _hub_entry(
    model: _HubModel, kind: str, modality: str, revision: str | None, *, here: bool = False
) -> Entry:
    ready = here or _is_cached(model.hub, revision)
    return Entry(
        name=model.name,
        kind=kind,
        modality=modality,
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
