"""Embeddings of one model by item, on disk: a store that grows, and never computes twice."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import platformdirs

from molkd.benchmarks.tasks.task import Item, told_apart_by
from molkd.errors import CorruptFileError
from molkd.runtime import files
from molkd.runtime.arrays import read_arrays
from molkd.runtime.processes import ordered_map
from molkd.runtime.progress import Progress
from molkd.types import Embeddings, Matrix, Rows, digest_of

CHUNK = 1000
"""Items per block: what is lost by a kill, and the task of one worker process."""

LONGEST = 1000
"""Letters up to which a text stands in a block itself: all keys of a block are as wide as the
longest, four bytes per letter."""


class Embeds(Protocol):
    """A teacher, a student, or a file of embeddings."""

    def embed(self, items: Sequence[Any], /) -> Embeddings:
        """Embeds items, one row each; a failed one costs its row, never an exception."""
        ...


class EmbeddingStore:
    """A folder of blocks, each a file with keys of items, values and reasons of failure.

    A text or SMILES counts as written: another spelling of the molecule is embedded on its own, for
    some encoders read the spelling. An image counts by its encoded bytes.
    """

    def __init__(self, folder: Path) -> None:
        """Opens a folder, which need not exist.

        Args:
            folder: for one model; its name should hold the model's digest.
        """
        self._folder = folder

    def fill(
        self, model: Embeds, items: Sequence[Item], *, jobs: int, name: str, progress: bool = True
    ) -> int:
        """Embeds what is missing, block by block; run again after a kill, it goes on.

        Args:
            model: picklable where `jobs` > 1.
            items: repeated ones are embedded once.
            jobs: worker processes.
            name: for the progress bar.
            progress: whether to show it.

        Returns:
            How many items were embedded.

        Raises:
            OutputError: a block cannot be written.
        """
        missing = self.missing(items)
        chunks = [missing[start : start + CHUNK] for start in range(0, len(missing), CHUNK)]
        work = functools.partial(_embed, model)
        jobs = min(jobs, len(chunks))
        with Progress(name, len(missing), shown=progress) as bar:
            results = ordered_map(work, chunks, jobs=jobs)
            for chunk, embedded in zip(chunks, results, strict=True):
                self._add(chunk, embedded)
                bar.update(len(chunk))
        return len(missing)

    def missing(self, items: Sequence[Item]) -> list[Item]:
        """Returns what is not in the store yet, each once, in order."""
        places = self._places()
        different = {key_of(item): item for item in dict.fromkeys(items)}
        return [item for key, item in different.items() if key not in places]

    def rows(self, items: Sequence[Item]) -> Embeddings:
        """Returns the embeddings of items that are in the store.

        Raises:
            KeyError: an item is not in the store.
            CorruptFileError: a block cannot be read.
        """
        blocks = self._blocks()
        words = set(map(type, items)) == {str}
        located = _places_of if words else _places_of.__wrapped__  # images may change meanwhile
        by_block = located(blocks, tuple(items))
        values: Matrix | None = None
        failures: dict[int, str] = {}
        for name, (rows, places) in by_block.items():
            block = _arrays(self._folder / name, "values", "reasons")
            if values is None:
                values = np.empty((len(items), block["values"].shape[1]), np.float32)
            values[rows] = block["values"][places]
            reasons = block["reasons"][places]
            failed = np.flatnonzero(reasons != "")
            failures |= dict(zip(rows[failed].tolist(), reasons[failed].tolist(), strict=True))
        if values is None:
            raise KeyError("no items were asked for")
        return Embeddings(values, dict(sorted(failures.items())))

    def _add(self, items: list[Item], embedded: Embeddings) -> None:
        keys = [key_of(item) for item in items]
        reasons = [embedded.failures.get(row, "") for row in range(len(items))]
        path = self._folder / f"{digest_of(keys)[:24]}.npz"
        with files.atomic_path(path) as temporary, temporary.open("wb") as stream:
            np.savez(
                stream,
                smiles=np.array(keys),  # named when all items were molecules
                values=embedded.values.astype(np.float32),
                reasons=np.array(reasons),
            )

    def _places(self) -> Mapping[str, tuple[str, int]]:
        """Key of an item -> name of its block, and its place there."""
        return _places(self._blocks())

    def _blocks(self) -> _Blocks:
        names = tuple(sorted(path.name for path in self._folder.glob("*.npz")))
        return _Blocks(names, self._folder)


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Blocks by name; blocks of one name hold the same keys, whichever model they are of.

    Attributes:
        names: of the files, digests of the keys.
        folder: where they can be read.
    """

    names: tuple[str, ...]
    folder: Path = field(compare=False)


@functools.lru_cache(maxsize=4)
def _places(blocks: _Blocks) -> dict[str, tuple[str, int]]:
    """See `EmbeddingStore._places`; read once for all models that embedded the same items."""
    places: dict[str, tuple[str, int]] = {}
    for name in blocks.names:
        for place, key in enumerate(_arrays(blocks.folder / name, "smiles")["smiles"].tolist()):
            places.setdefault(key, (name, place))
    return places


@functools.lru_cache(maxsize=16)
def _places_of(blocks: _Blocks, items: tuple[Item, ...]) -> dict[str, tuple[Rows, Rows]]:
    """Name of a block -> rows of the items that are there, and their places in it.

    Raises:
        KeyError: an item is in no block.
    """
    found = _places(blocks)
    by_block: dict[str, tuple[list[int], list[int]]] = {}
    for row, item in enumerate(items):
        name, place = found[key_of(item)]
        rows, places = by_block.setdefault(name, ([], []))
        rows.append(row)
        places.append(place)
    return {name: (np.array(rows), np.array(places)) for name, (rows, places) in by_block.items()}


def key_of(item: Item) -> str:
    """Returns what an item is found by: a text or SMILES itself unless it is long."""
    text = told_apart_by(item)
    if len(text) <= LONGEST and text.isprintable():
        return text
    return f"sha256:{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()}"


def read(cache: Path, digests: Sequence[str], items: Sequence[Item]) -> Embeddings:
    """Returns the embeddings of several models side by side, from their stores in a cache.

    Args:
        cache: folder of the stores, each under its model's digest; see `store_of`.
        digests: of the models.
        items: n, all of them in every store.

    Returns:
        Shape (n, d), float32; a row fails where it fails for one of the models.

    Raises:
        KeyError: an item is not in a store.
        CorruptFileError: a block cannot be read.
    """
    parts = [store_of(cache, digest).rows(items) for digest in digests]
    failures = {row: why for part in parts for row, why in part.failures.items()}
    sides = [part.values for part in parts]
    values = sides[0] if len(sides) == 1 else np.concatenate(sides, axis=1)
    values[list(failures)] = np.nan
    return Embeddings(values, dict(sorted(failures.items())))


def cache_dir(folder: Path | None) -> Path:
    """Returns the folder of all stores: the one given, else a cache of the user's."""
    return folder or platformdirs.user_cache_path("molkd") / "embeddings"


def store_of(cache: Path, digest: str) -> EmbeddingStore:
    """Returns the store of a model."""
    return EmbeddingStore(cache / digest[:32])


def _arrays(path: Path, *names: str) -> dict[str, Any]:
    try:
        arrays = read_arrays(path, names)
        return {name: arrays[name] for name in names}
    except (CorruptFileError, KeyError) as error:
        raise CorruptFileError(
            f"{path} is no block of embeddings ({error}): delete it, it is computed again"
        ) from error


def _embed(model: Embeds, items: list[Item]) -> Embeddings:
    return model.embed(items)
