"""Making an index of a library, in two passes over its rows, and measuring how well it finds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from molkd.errors import InputError
from molkd.library import exact, kmeans
from molkd.library.index import AMONG, FACTS, TEXTS, Index, IndexFacts, Lists
from molkd.library.rows import LibraryRows
from molkd.library.table import RowsDigest
from molkd.runtime import files, memory
from molkd.runtime.progress import Progress
from molkd.types import Matrix, Rows

GOAL = 0.95
"""Recall that a search is meant to have: it reads as many lists as reach it with confidence."""

_SAMPLE = 200
_PER_LIST = 64
"""Rows per centre that k-means sees."""


def build(library: LibraryRows, folder: str | Path, *, progress: bool = True) -> Index:
    """Builds an index of a library, and measures it.

    Needs the memory of some rows per list: for a million of 512 dimensions less than 1 GB.

    Args:
        library: what it is made of.
        folder: where; whole or absent.
        progress: whether to show a progress bar.

    Raises:
        InputError: no row has an embedding.
        OutputError: the folder cannot be written.
    """
    folder, started = Path(folder), time.monotonic()
    files.remove_leftovers(folder)
    with files.atomic_path(folder) as temporary:
        temporary.mkdir()
        centres = _centres(library)
        with Progress("index", 2 * len(library), unit="rows", shown=progress) as bar:
            places, digest = _assigned(library, centres, temporary / TEXTS, bar)
            lists = _stored(library, centres, places, temporary, bar)
        seconds = time.monotonic() - started
        probes, recall, sample, milliseconds = _measured(lists, library)
        facts = IndexFacts(
            rows=len(library),
            indexed=len(lists.rows),
            dim=centres.shape[1],
            library=digest,
            stamp=library.stamp,
            model=library.model,
            model_digest=library.model_digest,
            standardize=library.standardize,
            lists=len(centres),
            probes=probes,
            recall=recall,
            sample=sample,
            milliseconds=milliseconds,
            seconds=seconds,
            peak_megabytes=memory.peak() / 1e6,
            sizes={path.name: path.stat().st_size for path in sorted(temporary.iterdir())},
        )
        files.write_json(temporary / FACTS, asdict(facts))
    return Index.open(folder)


def _centres(library: LibraryRows) -> Matrix:
    """Centres of some lists, fitted on a sample; shape (c, d), of length 1.

    Raises:
        InputError: no row has an embedding.
    """
    count = max(1, round(len(library) ** 0.5))
    for share in (_PER_LIST * count / len(library), 1):  # all, where hardly any has an embedding
        rng = np.random.default_rng(0)
        parts = [block[rng.random(len(block)) < share] for _, block in _directed(library)]
        if sum(map(len, parts)):
            break
    else:
        raise InputError(f"{library.name} holds no embedding")
    sample = np.concatenate(parts)
    return kmeans.centres(sample, min(count, len(sample)))


def _directed(library: LibraryRows) -> Iterator[tuple[Rows, Matrix]]:
    """Rows of a library that have a direction, and their embeddings of length 1."""
    row0 = 0
    for block in library.source.values():
        vectors = exact.unit(block)
        usable = np.flatnonzero(~np.isnan(vectors).any(axis=1))
        if len(usable):
            yield usable + row0, vectors[usable]
        row0 += len(block)


def _assigned(
    library: LibraryRows, centres: Matrix, texts: Path, bar: Progress
) -> tuple[Rows, str]:
    """The nearest centre of each row, -1 for those without an embedding; writes what they say."""
    digest, places = RowsDigest(), list[Rows]()
    with ExitStack() as stack:
        writer: Any = None
        for block in library.source.blocks():
            digest.add(block.ids, block.items, block.values)
            table = pa.table({"id": block.ids, "smiles": block.items, **block.columns})
            writer = writer or stack.enter_context(pq.ParquetWriter(texts, table.schema))
            writer.write_table(table)
            vectors = exact.unit(block.values)
            own = kmeans.nearest(np.nan_to_num(vectors), centres)
            places.append(np.where(np.isnan(vectors).any(axis=1), -1, own))
            bar.update(len(block.ids))
    return np.concatenate(places), digest.hexdigest()


def _stored(
    library: LibraryRows, centres: Matrix, places: Rows, folder: Path, bar: Progress
) -> Lists:
    """The lists, written to a folder; `places` holds the list of each row."""
    rows = np.argsort(places, kind="stable")[np.count_nonzero(places < 0) :]
    starts = np.searchsorted(places[rows], np.arange(len(centres) + 1)).astype(np.int64)
    target = np.empty(len(places), dtype=np.int64)
    target[rows] = np.arange(len(rows))
    vectors = np.lib.format.open_memmap(
        folder / "vectors.npy", "w+", dtype=np.float16, shape=(len(rows), centres.shape[1])
    )
    for own, block in _directed(library):
        vectors[target[own]] = block
        bar.update(len(block))
    vectors.flush()
    for name, array in (("rows", rows), ("starts", starts), ("centres", centres)):
        np.save(folder / f"{name}.npy", array)
    return Lists(vectors, rows, starts, centres)


def _measured(lists: Lists, library: LibraryRows) -> tuple[int, float, int, float]:
    """Lists to read, their recall against exact search, rows it was measured on, ms per query.

    The number is chosen on one half of the sample, so that the recall there is above the goal by
    1.64 standard errors, and the recall is that of the other. A row does not count among its own
    neighbours.
    """
    drawn = np.sort(np.random.default_rng(0).permutation(len(lists.rows))[: 2 * _SAMPLE])
    queries = exact.unit(np.asarray(lists.vectors[drawn], dtype=np.float32))
    keys = lists.rows[drawn]
    true = exact.nearest(queries, library.source.values(), AMONG + 1).rows
    probes, shares = 0, np.zeros(len(keys))
    for step in range(40):
        probes = min(round(2 ** (step / 2)), len(lists.centres))
        shares = exact.recalls(keys, true, lists.nearest(queries, AMONG + 1, probes).rows, AMONG)
        own = shares[::2]
        if probes == len(lists.centres) or own.mean() - 1.64 * own.std() / len(own) ** 0.5 >= GOAL:
            break
    started, alone = time.process_time(), min(20, len(queries))
    for query in range(alone):
        lists.nearest(queries[query : query + 1], AMONG, probes)
    milliseconds = 1000 * (time.process_time() - started) / alone
    reported = shares[1::2] if len(keys) > 1 else shares
    return probes, float(reported.mean()), len(reported), milliseconds
