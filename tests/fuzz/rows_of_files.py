"""Rows whose place shows: what a file is made of, and what reading it must give."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np

from molkd.embedding import EmbedSettings, embed_file
from molkd.errors import MolkdError
from molkd.formats import embeddings
from molkd.formats.readers import Chunk, Columns, read
from molkd.items import MODALITIES, ReadItems
from molkd.types import Embeddings, Matrix
from tests.fuzz import mutations
from tests.fuzz.cases import Recipe, Seen, require
from tests.fuzz.worker import scratch

_ID = re.compile(r"row(\d+)x(\d+)")
_ITEM = re.compile(r"N(C+)O")
_CHECK = 9973


class Row(NamedTuple):
    """A row of a file.

    Attributes:
        id: text, or None where there is none.
        item: text, or None where there is none.
        exact: whether the item must be read as it is; else it may become anything.
        line: what stands in the file instead of a row, such as an empty line.
    """

    id: str | None
    item: str | None
    exact: bool = True
    line: str | None = None


def sentinel(number: int) -> Row:
    """A good row that tells its number twice, by its identifier and by its molecule."""
    return Row(f"row{number}x{number * 7919 % _CHECK}", f"N{'C' * (number + 1)}O")


def drawn(random: Random, *, odd: bool = True) -> list[Row]:
    """Sentinels with other rows between them."""
    count = random.choice((1, 2, 5, 12, 30))
    rows = [sentinel(number) for number in range(count)]
    for row in range(count):
        if odd and random.random() < 0.25:
            text = (
                mutations.smiles(random)[:500].replace("\x00", "").encode(errors="replace").decode()
            )
            rows[row] = random.choice(
                (
                    Row(rows[row].id, text, exact=False),
                    Row(rows[row].id, ""),
                    Row(rows[row].id, None),
                )
            )
    return rows


def check(recipe: Recipe, seen: Seen) -> None:
    """Writes the recipe's file, reads it, and embeds it if asked to."""
    path = scratch() / recipe["name"]
    path.write_bytes(mutations.unpacked(recipe["data"]))
    modality = recipe.get("modality", "molecules")
    columns = Columns(recipe.get("column"), recipe.get("id_column"), MODALITIES[modality].style)
    try:
        chunks = list(read(path, columns, chunk_rows=recipe["chunk"]))
        rows = _rows(chunks, recipe["chunk"], seen)
        _compare(rows, recipe)
        if recipe.get("output"):
            _embed(recipe, path, rows)
    except MolkdError as error:
        require(recipe.get("rows") is None, f"a good file is refused: {error}")
        raise
    finally:
        path.unlink()


def _rows(chunks: list[Chunk], size: int, seen: Seen) -> list[tuple[str, Any, str | None]]:
    rows: list[tuple[str, Any, str | None]] = []
    for chunk in chunks:
        require(chunk.row0 == len(rows), "a chunk begins at another row")
        require(0 < len(chunk) <= size, "a chunk of another size")
        require(len(chunk.ids) == len(chunk.items) == len(chunk.labels), "columns of a chunk")
        require(set(chunk.failures) <= set(range(len(chunk))), "failures outside of a chunk")
        names = [_named(name, row) for row, name in enumerate(chunk.ids, len(rows))]
        require(all(isinstance(one, str) for one in names), "an identifier that is no text")
        "".join([*names, *(text or "" for text in chunk.labels)]).encode()
        require(len(chunk.digest) == 64, "a digest")
        places = range(len(chunk))
        rows += [(names[row], chunk.items[row], chunk.failures.get(row)) for row in places]
        seen.count(len(chunk), len(chunk.failures))
    return rows


def _named(name: str | None, row: int) -> str:
    """An identifier, of a row without one its number: files say it in either way."""
    return name or str(row)


def _compare(rows: list[tuple[str, Any, str | None]], recipe: Recipe) -> None:
    due = recipe.get("rows")
    if due is not None:
        require(len(rows) == len(due), f"{len(due)} rows were written, {len(rows)} read")
        for (name, item, _), (due_name, due_item, exact) in zip(rows, due, strict=True):
            require(due_name is None or name == due_name, "a row has another identifier")
            require(not exact or (item or None) == (due_item or None), "a row has another item")
    if recipe.get("pairs"):
        for name, item, _ in rows:
            require(_paired(name, item), "a row has the molecule of another")


def _paired(name: str, item: Any) -> bool:
    one, other = _ID.fullmatch(name), _ITEM.fullmatch(item or "")
    if not one or not other or int(one[1]) * 7919 % _CHECK != int(one[2]):
        return True
    return len(other[1]) == int(one[1]) + 1


def _embed(recipe: Recipe, path: Path, rows: list[tuple[str, Any, str | None]]) -> None:
    """Embeds the file with a fake encoder; the output has the same rows in the same order."""
    output = scratch() / recipe["output"]
    encoder = TextDigests(recipe.get("modality", "molecules"))
    names = {name: recipe[name] for name in ("column", "id_column") if name in recipe}
    options = EmbedSettings(chunk_rows=recipe["chunk"], on_invalid=recipe["on_invalid"], **names)
    try:
        summary = embed_file(
            encoder, path, output, options, name="fake", overwrite=True, progress=False
        )
        require(summary.total == len(rows), "the summary counts other rows")
        if summary.dropped < summary.total:
            _read_back(output, rows, dropped=summary.dropped)
    finally:
        for left in scratch().glob(f"{output.name}*"):
            if left.is_file():
                left.unlink()


def _read_back(output: Path, rows: list[tuple[str, Any, str | None]], *, dropped: int) -> None:
    stored = embeddings.read(output)
    require(len(stored.ids) == len(rows) - dropped, "the output has other rows")
    if not dropped:
        names = [name.rstrip("\x00") for name, _, _ in rows]  # NumPy's texts end before these
        found = [_named(name.rstrip("\x00"), row) for row, name in enumerate(stored.ids)]
        require([name or str(row) for row, name in enumerate(names)] == found, "other identifiers")
    for row, (text, values) in enumerate(zip(stored.items, stored.values, strict=True)):
        if not np.isnan(values).any():
            item = text if dropped else rows[row][1]
            require(np.allclose(values, text_digest(item)), "a row has the vector of another")


@dataclass(frozen=True)
class TextDigests:
    """An encoder of texts and SMILES by their checksum."""

    modality: str
    embedding_dim: int = 4
    digest: str = "fake"

    @property
    def featurize(self) -> Callable[[Sequence[Any]], ReadItems]:
        return self.prepared

    def prepared(self, items: Sequence[Any]) -> ReadItems:
        failures = MODALITIES[self.modality].check(items, "none").failures
        return ReadItems([], list(items), failures)

    def encode(self, packed: ReadItems, /, *, batch_size: int) -> Embeddings:
        values = np.array([text_digest(item) for item in packed.items], dtype=np.float32)
        values[list(packed.failures)] = np.nan
        return Embeddings(values, packed.failures)

    def shortened(self, packed: ReadItems, /) -> int:
        return 0


def text_digest(item: Any) -> Matrix:
    """Four numbers that depend on a text alone."""
    content = str(item).rstrip("\x00").encode(errors="replace")
    return np.sin(np.arange(1, 5) * (zlib.crc32(content) % 10_007)).astype(np.float32)
