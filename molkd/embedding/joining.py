"""One file from files named by their rows: the bytes that a job of one file would have written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from molkd.embedding.encoders import FAMILIARITY
from molkd.embedding.layout import Layout, settings_path
from molkd.embedding.merging import Manifest
from molkd.embedding.parts import Parts
from molkd.embedding.settings import EmbedSettings
from molkd.errors import ConfigError
from molkd.formats import WRITERS
from molkd.formats.embeddings import MODALITY_OF, explained, facts_of_schema, matrix_of
from molkd.formats.encodings import Encoding
from molkd.formats.writers import format_of, refuse_coded_text
from molkd.formats.writers.kept import columns_of
from molkd.formats.writers.table import EmbeddedChunk, Result
from molkd.runtime import files, locks, memory, settings

_OWN = ("id", *MODALITY_OF, "valid", "error", "embedding")
_PREFIX = "molkd."


def refuse_misplaced(folder: Path, output: Path) -> None:
    """Refuses a file that `join` could not write, before it is known what the folder holds.

    Raises:
        ConfigError: the suffix names no format, or the file would lie among those of the folder.
        OutputError: it is a folder.
    """
    files.refuse_folder(output, "embeddings.parquet")
    format_of(output)
    if folder.resolve() in output.resolve().parents:
        raise ConfigError(
            f"{output} would lie in {folder} and count as one of its files: give another place"
        )


def join(manifest: Manifest, output: Path) -> None:
    """Writes all files of a manifest as one, in any format of embeddings.

    Raises:
        ConfigError: see `refuse_misplaced`; or the format cannot hold so few bits.
        InputError: a file cannot be read.
        OutputError: the output is a folder, cannot be written, or another process writes it.
    """
    refuse_misplaced(manifest.folder, output)
    kind = format_of(output)
    first = manifest.paths[0]
    with explained(first):
        schema = pq.read_schema(first)
    named = [bool(entry["named"]) for entry in manifest.content["files"]]
    metadata: dict[bytes, bytes] = schema.metadata or {}
    facts = {key.decode(): value.decode() for key, value in metadata.items()}
    encoding = encoding_of_schema(schema)
    refuse_coded_text(kind, encoding)
    chunks = Pieces(manifest.paths, named, encoding)
    options = settings.load(EmbedSettings, settings_path(_records(manifest) / first.name))
    result = Result(
        rows=chunks.rows,
        encoding=encoding,
        column=next(name for name in MODALITY_OF if name in schema.names),
        metadata={key: value for key, value in facts.items() if key.startswith(_PREFIX)},
        chunks=chunks,
        kept=columns_of(chunks) if options.adds_columns else {},
    )
    record = {
        name: manifest.content[name]
        for name in ("model", "model_digest", "versions", "rows", "invalid", "items")
    }
    held = Layout(output).held  # by a job that embeds into this file, too
    with locks.held(held):
        files.remove_leftovers(output)
        with files.atomic_path(output) as temporary:
            WRITERS[kind](temporary, result, final=output)
            record["sha256"] = files.sha256_of(temporary)
            settings.write(settings_path(output), options, record=record)
        Parts(held).remove()


def encoding_of_schema(schema: Any) -> Encoding:
    """How the embeddings of a Parquet file are stored, by its Arrow schema."""
    kind = schema.field("embedding").type
    single = pa.types.is_fixed_size_list(kind) and pa.types.is_float32(kind.value_type)
    plain = Encoding("float32" if single else "float16", getattr(kind, "list_size", 0))
    return Encoding.of_facts(facts_of_schema(schema)) or plain


def _records(manifest: Manifest) -> Path:
    return Layout(manifest.folder, 1).records


@dataclass(frozen=True)
class Pieces:
    """The rows of files in order, read in every iteration.

    Attributes:
        paths: the files.
        named: for each, whether any of its rows has an identifier; if none has, it holds the
            numbers of the rows, which are taken where no row of all files has one.
        encoding: how embeddings are stored.
    """

    paths: Sequence[Path]
    named: Sequence[bool]
    encoding: Encoding

    @property
    def rows(self) -> int:
        """How many there are, without those that were left out."""
        found = 0
        for path in self.paths:
            with explained(path):
                found += int(pq.read_metadata(path).num_rows)
        return found

    def __iter__(self) -> Iterator[EmbeddedChunk]:
        for path, named in zip(self.paths, self.named, strict=True):
            with explained(path), pq.ParquetFile(path) as stored:
                for group in range(stored.metadata.num_row_groups):
                    table = stored.read_row_group(group)
                    yield _chunk(table, self.encoding, nameless=any(self.named) and not named)
                    memory.release()


def _chunk(table: Any, encoding: Encoding, *, nameless: bool) -> EmbeddedChunk:
    column = next(name for name in MODALITY_OF if name in table.column_names)
    packed = encoding if encoding.facts else None
    values = matrix_of(table["embedding"].combine_chunks(), packed)
    return EmbeddedChunk(
        [None] * len(table) if nameless else table["id"].to_pylist(),
        table[column].to_pylist(),
        table["error"].to_pylist(),
        encoding.encode(values)[0],
        kept={name: _texts(table, name) for name in table.column_names if name not in _OWN},
    )


def _texts(table: Any, name: str) -> list[str | None]:
    """A column as it was read; scores are the only ones that were stored as numbers."""
    values = table[name].to_pylist()
    if name != FAMILIARITY:
        return values
    return [None if value is None else f"{value:.4f}" for value in values]
