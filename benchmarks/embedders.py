"""Embedders by name, and a cache of what they say about a list of molecules."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from joblib import Parallel, delayed

from molkd import store, students, teachers
from molkd.chem import Molecule
from molkd.errors import ConfigError
from molkd.types import Embedded, Matrix, digest_of

CHUNK = 2000
"""Molecules per task of a worker process."""


class Embeds(Protocol):
    """A teacher or a student."""

    def embed(self, items: Sequence[Molecule], /) -> Embedded:
        """Embeds molecules, one row each."""
        ...


@dataclass(frozen=True, slots=True)
class Embedder:
    """One column of the comparison.

    Attributes:
        label: its name in the table.
        digest: changes whenever its numbers may change.
        model: what embeds.
    """

    label: str
    digest: str
    model: Embeds


def make(text: str, *, seed: int = 0) -> Embedder:
    """Makes an embedder from "[LABEL=]SPEC".

    Args:
        text: SPEC is the name of a teacher, "molkd:DIR" for a trained student, or
            "untrained:SIZE" or "untrained:SIZE:DIM" for one with random weights.
        seed: of the random weights.

    Raises:
        MolkdError: there is no such embedder.
    """
    label, equals, rest = text.partition("=")
    spec = rest if equals else text
    prefix, _, argument = spec.partition(":")
    if prefix == "molkd":
        student = students.load(argument)
    elif prefix == "untrained":
        student = students.make(_settings(argument), seed=seed)
    else:
        teacher = teachers.make(spec)
        return Embedder(label, teacher.card.digest, teacher)
    return Embedder(label, student.digest, student)


def embed(embedder: Embedder, smiles: list[str], *, jobs: int, cache: Path | None) -> Matrix:
    """Embeds molecules in parallel, or reads what an earlier run cached.

    Returns:
        Shape (len(smiles), d); the rows of failed molecules are NaN.

    Raises:
        OutputError: the cache cannot be written.
    """
    compute = functools.partial(_in_parallel, embedder.model, smiles, jobs)
    if cache is None:
        return compute()
    path = cache / f"{embedder.digest[:24]}-{digest_of(smiles)[:24]}.npy"
    if not path.is_file():
        with store.atomic_path(path) as temporary, temporary.open("wb") as stream:
            np.save(stream, compute())
    return np.load(path, allow_pickle=False)


def _in_parallel(model: Embeds, smiles: list[str], jobs: int) -> Matrix:
    chunks = [smiles[start : start + CHUNK] for start in range(0, len(smiles), CHUNK)]
    parts: list[Matrix] = cast("Any", Parallel(n_jobs=jobs))(
        delayed(_values)(model, chunk) for chunk in chunks
    )
    return np.concatenate(parts)


def _values(model: Embeds, smiles: list[str]) -> Matrix:
    return model.embed(smiles).values


def _settings(argument: str) -> students.StudentSettings:
    size, _, dim = argument.partition(":")
    if dim and not dim.isdecimal():
        raise ConfigError(f"untrained:SIZE:DIM needs a whole number for DIM, not {dim!r}")
    return students.StudentSettings(size=size, embedding_dim=int(dim) if dim else None)
