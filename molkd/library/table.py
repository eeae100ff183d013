"""A library of molecules with their embeddings: what all of the workbench reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from molkd import students
from molkd.embedding import EmbedSettings, embed_file, settings_path
from molkd.embedding.layout import MANIFEST, RECORDS
from molkd.embedding.merging import read_manifest
from molkd.errors import InputError, OutputError
from molkd.formats import WRITERS, embeddings
from molkd.formats.columns import OTHERS
from molkd.library.cards import Card, Section
from molkd.library.makers import student_of
from molkd.library.results import Shown, values_of
from molkd.runtime import devices, settings
from molkd.students import shipped
from molkd.types import Mask, Matrix

_SHOWN = 5
_UNKNOWN = "the file holds no embedding of it"


@dataclass(frozen=True, eq=False, repr=False)
class Library(Shown):
    """Molecules with embeddings, one row each, in the order of their file.

    Attributes:
        ids: one identifier per row; the row number where no row has one.
        smiles: as the file holds them; "" where there was none.
        values: shape (n, d); NaN in rows without an embedding.
        reasons: row -> why it has none; of every row that has none.
        columns: name -> column that was kept, an Arrow array of n values.
        model: what the file calls the student that made the embeddings; "" where it does not say.
        model_digest: of that student; "" where the file does not say.
        standardize: what was done to the molecules before they were embedded; see `EmbedSettings`.
        encoding: how the file stores the embeddings, where not as numbers: "int8" or "binary".
    """

    ids: Sequence[str]
    smiles: Sequence[str]
    values: Matrix
    reasons: Mapping[int, str]
    columns: Mapping[str, Any]
    model: str
    model_digest: str
    standardize: str = "none"
    encoding: str = ""

    def __len__(self) -> int:
        return len(self.values)

    def __str__(self) -> str:
        count, made = int(self.valid.sum()), self.model and f" by {self.model}"
        dim = self.values.shape[1]
        told = f"{count:,} of them embedded{made}, {dim} dimensions" if dim else "not embedded"
        return f"{len(self):,} molecules, {told}"

    def describe(self) -> str:
        """Returns what there is, and the first rows without an embedding with their reasons."""
        told = [f"  row {row}: {why}" for row, why in list(self.reasons.items())[:_SHOWN]]
        more = len(self.reasons) - len(told)
        return "\n".join([str(self), *told, *([f"  ... and {more:,} more"] if more else [])])

    def sections(self, most: int) -> list[Section]:
        """Returns the first molecules, with the columns that were kept."""
        cards = [
            Card(self.smiles[row], self.ids[row], tuple(values_of(self.columns, row)))
            for row in range(min(most, len(self), 2 * _SHOWN))
        ]
        return [Section(f"The first {len(cards)}", cards=tuple(cards))]

    @cached_property
    def valid(self) -> Mask:
        """Shape (n,): rows that have an embedding."""
        return np.asarray(np.isfinite(self.values).all(axis=1), dtype=np.bool_)

    @cached_property
    def digest(self) -> str:
        """Of identifiers, SMILES and embeddings, in their order; see `RowsDigest`."""
        found = RowsDigest()
        found.add(self.ids, self.smiles, self.values)
        return found.hexdigest()


class RowsDigest:
    """The digest of a library, of which it is given all rows, some at a time."""

    def __init__(self) -> None:
        self._parts = [hashlib.sha256() for _ in range(5)]

    def add(self, ids: Sequence[str], smiles: Sequence[str], values: Matrix) -> None:
        """Takes the next rows; how many at a time makes no difference."""
        for place, texts in enumerate((ids, smiles)):
            lengths = np.fromiter(map(len, texts), np.int64, len(texts))
            self._parts[2 * place].update(lengths.tobytes())
            self._parts[2 * place + 1].update("".join(texts).encode(errors="surrogatepass"))
        self._parts[4].update(np.ascontiguousarray(values).data)

    def hexdigest(self) -> str:
        """Returns 64 hexadecimal digits."""
        return hashlib.sha256(b"".join(part.digest() for part in self._parts)).hexdigest()


def read(path: str | Path) -> Library:
    """Reads a file of embeddings of molecules, as `molkd embed` writes them.

    Raises:
        InputError: it cannot be read, holds no embeddings, or none of molecules.
    """
    path = Path(path)
    folder = path.is_dir()
    stored = (
        embeddings.read_together(read_manifest(path).paths) if folder else embeddings.read(path)
    )
    if stored.modality != "molecules":
        raise InputError(f"{path} holds {stored.modality}; expected embeddings of molecules")
    facts = {**_record(path), **stored.facts}
    missing = np.flatnonzero(~np.isfinite(stored.values).all(axis=1)).tolist()
    return Library(
        ids=stored.ids,
        smiles=stored.items,
        values=stored.values,
        reasons={row: stored.reasons.get(row, _UNKNOWN) for row in missing},
        columns=stored.columns,
        model=facts.get("model", ""),
        model_digest=facts.get("model_digest", ""),
        standardize=standardization_of(facts),
        encoding=facts.get("encoding", ""),
    )


def refuse_incomplete(library: Library, dim: int, reader: str) -> None:
    """Refuses a library that holds less of its embeddings than is to be read.

    Args:
        library: of a student that makes embeddings of `dim` dimensions.
        dim: see there.
        reader: what reads them, for the message.

    Raises:
        InputError: it holds one bit of each value, or the first dimensions alone.
    """
    binary, width = library.encoding == "binary", library.values.shape[1]
    if binary or width != dim:
        what = "one bit of each value" if binary else f"{width} of {dim} dimensions"
        raise InputError(
            f"{reader} reads whole embeddings, and the library holds {what}: embed the molecules "
            f"again without {'--dtype binary' if binary else '--dimensions'}"
        )


def standardization_of(facts: Mapping[str, str]) -> str:
    """Returns what was done to the molecules of a file first, as far as it says."""
    try:
        return str(json.loads(facts.get("settings", "{}")).get("standardize", "none"))
    except (ValueError, AttributeError):  # written by others
        return "none"


def opened(
    source: str | Path,
    *,
    work: str | Path,
    model: str | None = None,
    column: str | None = None,
    keep: Sequence[str] = (OTHERS,),
    standardize: str = "none",
    jobs: int = 1,
    progress: bool = True,
) -> Library:
    """Returns a library from its file of embeddings, or from molecules, which are embedded first.

    Args:
        source: file of embeddings, or of molecules in any format that `molkd embed` reads.
        work: Parquet file for the embeddings of molecules; what lies there already is used if it
            is what would be written, and goes on where it stopped.
        model: the student that embeds molecules, by default that of the package; of a file of
            embeddings, the one that must have made it.
        column: of a file of molecules, that of the SMILES; by default the one with a usual name.
        keep: columns of a file of molecules to take along, "all" for every one; by default all
            but those that have the name of a library's own.
        standardize: what is done to molecules before they are embedded: none, light or full.
        jobs: processes.
        progress: whether to show a progress bar.

    Raises:
        InputError: the file cannot be read, or its embeddings are of another student than `model`.
        OutputError: `work` holds something else, or cannot be written.
    """
    how: dict[str, Any] = {"column": column, "keep": keep, "standardize": standardize}
    file = embedded_file(source, work=work, model=model, jobs=jobs, progress=progress, **how)
    library = read(file)
    if model is not None and file != Path(work):
        student_of(library, model)
    return library


def embedded_file(
    source: str | Path,
    *,
    work: str | Path,
    model: str | None = None,
    column: str | None = None,
    keep: Sequence[str] = (OTHERS,),
    standardize: str = "none",
    jobs: int = 1,
    progress: bool = True,
) -> Path:
    """Returns a file of embeddings as it is, and for one of molecules that of their embeddings.

    See `opened`; this reads none of them.
    """
    if holds_embeddings(Path(source)):
        return Path(source)
    name = model or shipped.DEFAULT
    student: Any = students.load(name).to(devices.choose("auto"))
    label = shipped.label_of(name)
    options = EmbedSettings(column=column, keep=tuple(keep), standardize=standardize)
    there = Path(work).exists()
    try:
        embed_file(student, source, work, options, name=label, jobs=jobs, progress=progress)
    except OutputError as error:
        if not there:
            raise
        raise OutputError(
            f"{work} was made from other molecules than {source} holds, by another student or with "
            "other settings: delete it, or name another file with --work"
        ) from error
    return Path(work)


def holds_embeddings(path: Path) -> bool:
    """Whether a file is one of embeddings, and not of molecules in one of the same formats.

    A folder is where `molkd embed --rows-per-file` has written it.
    """
    if path.is_dir():
        return (path / RECORDS).is_dir() or (path / MANIFEST).exists()
    if path.suffix[1:] not in WRITERS or not path.is_file():
        return False
    if path.suffix in {".npz", ".npy"}:
        return True
    names = embeddings.column_names(path)
    return "embedding" in names or "molkd_0" in names


def _record(path: Path) -> dict[str, str]:
    """What is written beside a file of embeddings; not there for every one."""
    found = settings.read_record(settings_path(path))
    return {key: str(value) for key, value in found.items()}
