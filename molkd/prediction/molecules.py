"""The molecules of a library for a model that reads no embedding of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from molkd.errors import InputError
from molkd.formats import readers
from molkd.formats.columns import Columns
from molkd.library import Library, table
from molkd.library.given import as_file


def opened(molecules: Any, column: str | None = None) -> Library:
    """Returns a library from a file of embeddings or of molecules, which are not embedded.

    Args:
        molecules: a file, or what else `molkd.library.of` takes.
        column: of the SMILES; by default the one with a usual name.

    Raises:
        InputError: the file cannot be read.
    """
    with as_file(molecules, column) as source:
        return _opened(source, column)


def _opened(source: str | Path, column: str | None) -> Library:
    if table.holds_embeddings(Path(source)):
        return table.read(Path(source))
    ids: list[str | None] = []
    smiles: list[str] = []
    reasons: dict[int, str] = {}
    for chunk in readers.read(source, Columns(column)):
        reasons |= {chunk.row0 + row: why for row, why in chunk.failures.items()}
        ids += chunk.ids
        smiles += [text or "" for text in chunk.labels]
    if not smiles:
        raise InputError(f"{source} holds no molecules")
    named = any(name is not None for name in ids)
    return Library(
        ids=[(name or "") if named else str(row) for row, name in enumerate(ids)],
        smiles=smiles,
        values=np.empty((len(smiles), 0), dtype=np.float32),
        reasons=reasons,
        columns={},
        model="",
        model_digest="",
    )
