"""Nearest neighbours of molecules in a library: cosine of embeddings beside Tanimoto on ECFP4."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from molkd.embedding.encoders import ChunkFeaturizer
from molkd.errors import ConfigError, InputError
from molkd.formats.chunks import Chunk
from molkd.formats.embeddings import StoredEmbeddings
from molkd.library import exact, similarity
from molkd.library.exact import Neighbours
from molkd.library.hits import Hit, Hits, Queries
from molkd.library.makers import student_of
from molkd.library.rows import rows_of
from molkd.types import Matrix, Rows


@runtime_checkable
class Searchable(Protocol):
    """What is searched: the rows of a library, or an index of them."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    @property
    def model(self) -> str:
        """See `Library`."""
        ...

    @property
    def model_digest(self) -> str:
        """See `Library`."""
        ...

    @property
    def standardize(self) -> str:
        """See `Library`."""
        ...

    @property
    def dim(self) -> int:
        """Width of the embedding."""
        ...

    def __len__(self) -> int: ...

    def nearest(self, queries: Matrix, k: int, /) -> Neighbours:
        """Finds the k rows with the largest cosines to each query, of length 1."""
        ...

    def take(self, rows: Rows, /) -> StoredEmbeddings:
        """Returns some rows without their embeddings, in the order given."""
        ...


def search(
    library: Any,
    queries: Any,
    *,
    k: int = 10,
    rank_by: str = "cosine",
    candidates: int = 100,
    model: str | None = None,
) -> Hits:
    """Finds the nearest neighbours of molecules in a library.

    Without an index every row is compared, in memory that does not depend on their number where
    the library is a Parquet file.

    Args:
        library: a library, its file, an `Index`, or what `molkd.library.of` takes.
        queries: SMILES, a data frame, or what `Queries.read` returns.
        k: neighbours of each query.
        rank_by: what ranks them: "cosine" of the embeddings, "tanimoto" on ECFP4, or the "mean" of
            both; the last two among the nearest by cosine.
        candidates: how many of the nearest by cosine are ranked anew.
        model: the student that made the library's embeddings, where its file does not say.

    Returns:
        The neighbours of all queries that can be read; a reason for the others.

    Raises:
        ConfigError: a setting is out of range, or there are no queries.
        InputError: the library cannot be read, or was embedded by another student.
    """
    _refuse(k, rank_by, candidates)
    place = library if isinstance(library, Searchable) else rows_of(library)
    asked = queries if isinstance(queries, Queries) else Queries.of(queries)
    if not len(asked):
        raise ConfigError("expected molecules to look for, got none")
    vectors, reasons = embedded(asked, place, model)
    able = np.flatnonzero(~np.isnan(vectors).any(axis=1))
    wanted = k if rank_by == "cosine" else max(k, candidates)
    found = place.nearest(vectors[able], min(wanted, len(place)))
    hits = _compared(place, [asked.smiles[row] for row in able.tolist()], found)
    ranked = {
        row: sorted(own, key=_KEYS[rank_by])[:k]
        for row, own in zip(able.tolist(), hits, strict=True)
    }
    rows = [hit.row for own in ranked.values() for hit in own]
    return Hits(
        queries=asked,
        reasons=reasons,
        neighbours=ranked,
        columns=place.take(np.array(rows, dtype=np.int64)).columns,
        notes=_notes(place, asked, reasons, ranked, k),
    )


def _refuse(k: int, rank_by: str, candidates: int) -> None:
    if k < 1 or candidates < 1:
        raise ConfigError(f"k and candidates must be at least 1, not {k} and {candidates}")
    if rank_by not in _KEYS:
        raise ConfigError(f"rank_by is one of {', '.join(_KEYS)}, not {rank_by!r}")


def _by_cosine(hit: Hit) -> tuple[float, int]:
    return -round(hit.cosine, 5), hit.row


def _by_tanimoto(hit: Hit) -> tuple[float, float, int]:
    return -np.nan_to_num(hit.tanimoto), *_by_cosine(hit)


def _by_mean(hit: Hit) -> tuple[float, float, int]:
    return -(hit.cosine + np.nan_to_num(hit.tanimoto)), *_by_cosine(hit)


_KEYS: dict[str, Any] = {"cosine": _by_cosine, "tanimoto": _by_tanimoto, "mean": _by_mean}


def embedded(
    queries: Queries, place: Searchable, model: str | None
) -> tuple[Matrix, dict[int, str]]:
    """Embeds molecules as a library was embedded.

    Returns:
        Embeddings of length 1, shape (q, d), NaN where there is none; and row -> reason.

    Raises:
        InputError: the library was embedded by another student than `model`.
    """
    student = student_of(place, model)
    chunk = Chunk(0, [None] * len(queries), list(queries.smiles), queries.reasons)
    featurized = ChunkFeaturizer[Any](student.featurize, student.modality, place.standardize)(chunk)
    answers = student.encode(featurized.packed)
    reasons = {**answers.failures, **featurized.failures}
    # What is known to be of this student, and shorter, holds its first dimensions.
    known_prefix = bool(place.model_digest) and 0 < place.dim < student.embedding_dim
    if student.embedding_dim != place.dim and not known_prefix:
        raise InputError(
            f"{place.name} holds embeddings of {place.dim} dimensions, and the student makes "
            f"{student.embedding_dim}: name the student that made them with --model"
        )
    vectors = exact.unit(answers.values[:, : place.dim])
    for row in np.flatnonzero(np.isnan(vectors).any(axis=1)).tolist():
        reasons.setdefault(row, "its embedding is all zeros, and has no direction")
    return vectors, dict(sorted(reasons.items()))


def _compared(place: Searchable, smiles: list[str], found: Neighbours) -> list[list[Hit]]:
    """Every neighbour that was found, with its identifier, SMILES and Tanimoto similarity."""
    rows = np.unique(found.rows[found.rows >= 0])
    texts = place.take(rows)
    prints = similarity.fingerprints(texts.items)
    own = similarity.fingerprints(smiles)
    hits: list[list[Hit]] = []
    for query, mine, cosines in zip(own, found.rows, found.cosines, strict=True):
        there = mine >= 0
        at = np.searchsorted(rows, mine[there]).tolist()
        nearness = np.minimum(cosines[there], 1).tolist()
        likeness = similarity.tanimoto(query, [prints[one] for one in at]).tolist()
        hits.append(
            [
                Hit(int(rows[one]), texts.ids[one], texts.items[one], cosine, tanimoto)
                for one, cosine, tanimoto in zip(at, nearness, likeness, strict=True)
            ]
        )
    return hits


def _notes(
    place: Searchable,
    queries: Queries,
    reasons: dict[int, str],
    ranked: dict[int, list[Hit]],
    k: int,
) -> tuple[str, ...]:
    """What else there is to say, in sentences."""
    notes: list[str] = []
    if reasons:
        lines = [f"{len(reasons)} of {len(queries)} queries have no embedding:"]
        lines += [f"  query {row}: {why}" for row, why in list(reasons.items())[:5]]
        notes.append("\n".join([*lines, *(["  ..."] if len(reasons) > 5 else [])]))
    fewest = min((len(own) for own in ranked.values()), default=k)
    if fewest < k:
        notes.append(
            f"{place.name} has {fewest} molecules with an embedding: a query has as many "
            f"neighbours, not {k}"
        )
    return tuple(notes)
