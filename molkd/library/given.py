"""Molecules that are at hand, as a library: SMILES, a data frame, or a file; kept in memory."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rdkit import Chem

from molkd.errors import InputError
from molkd.formats import sources
from molkd.formats.columns import EVERY, OTHERS, Columns, is_own, listed
from molkd.items.molecules import chem
from molkd.library import makers, table
from molkd.library.table import Library


def of(
    molecules: Any,
    *,
    model: str | Path | None = None,
    column: str | None = None,
    keep: Sequence[str] = (OTHERS,),
    standardize: str = "none",
    jobs: int = 1,
    progress: bool = True,
) -> Library:
    """Returns a library of molecules that are at hand, embedded, in memory.

    For more than one wants to embed again the next day there are `molkd embed` and `opened`.

    Args:
        molecules: SMILES or RDKit molecules; a data frame of pandas, polars or Arrow; a file of
            molecules; or a library, or a file of embeddings, which is taken as it is.
        model: the student that embeds them, by default that of the package; of embeddings, the one
            that must have made them.
        column: of a table, that of the SMILES or RDKit molecules; by default the one with a usual
            name.
        keep: columns of a table to take along; by default every one but those that have the name
            of a library's own.
        standardize: what is done to molecules before they are embedded: none, light or full.
        jobs: processes.
        progress: whether to show a progress bar.

    Raises:
        InputError: there are no molecules, a file or a data frame cannot be read or lacks a column,
            or embeddings are of another student than `model`.
    """
    name = None if model is None else str(model)
    if isinstance(molecules, Library):
        if name is not None:
            makers.student_of(molecules, name)
        return molecules
    with (
        as_file(molecules, column, keep) as source,
        tempfile.TemporaryDirectory() as folder,
    ):
        work = Path(folder) / "embedded.parquet"
        return table.opened(
            source,
            work=work,
            model=name,
            column=column,
            keep=keep,
            standardize=standardize,
            jobs=jobs,
            progress=progress,
        )


@contextlib.contextmanager
def as_file(
    molecules: Any, column: str | None = None, keep: Sequence[str] = (OTHERS,)
) -> Generator[str | Path]:
    """Gives molecules as a file that `molkd embed` reads: a file as it is, others as a table.

    Args:
        molecules: see `of`.
        column: see `of`; other columns of a data frame that hold RDKit molecules are left out.
        keep: see `of`.

    Raises:
        InputError: there are no molecules, no such column, or this is nothing of the kind.
    """
    if isinstance(molecules, str | Path):
        (first, *_) = sources.listed(molecules)
        if sources.resolved(first) is not None and not Path(first).exists():
            raise InputError(
                f"there is no file {molecules}; SMILES are given as a list: [{str(molecules)!r}]"
            )
        yield molecules
        return
    names = _names(molecules)
    if names is None and (isinstance(molecules, Mapping) or not isinstance(molecules, Iterable)):
        raise InputError(
            f"expected a list of SMILES, a data frame or a file, got a {type(molecules).__name__}"
        )
    arrays = (
        {column or "smiles": _array(molecules, molecules=True)}
        if names is None
        else _of_frame(molecules, names, column, keep)
    )
    columns = {name: array for name, array in arrays.items() if array is not None}
    if not len(next(iter(columns.values()))):
        raise InputError("expected molecules, got none")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "molecules.parquet"
        pq.write_table(pa.table(columns), path)
        yield path


def _names(molecules: Any) -> list[str] | None:
    """The columns of a data frame; None of what is no data frame."""
    names = getattr(molecules, "column_names", None) or getattr(molecules, "columns", None)
    return None if names is None else list(names)


def _of_frame(
    frame: Any, names: Sequence[str], column: str | None, keep: Sequence[str]
) -> dict[str, Any]:
    """The columns that count, molecules first."""
    if len(names) > len({*names}):
        raise InputError(f"the data frame has several columns of one name: {listed(names)}")
    named = () if (EVERY | {OTHERS}) & {*keep} else tuple(keep)
    places = Columns(column, keep=named).find(names, "the data frame")
    item = names[places.item]
    ids = [] if places.id is None else [names[places.id]]
    kept = named or [name for name in names if name not in {item, *ids} and not is_own(name)]
    others = {name: _array(frame[name]) for name in (*ids, *kept)}
    return {item: _array(frame[item], molecules=True), **others}


def _array(values: Any, *, molecules: bool = False) -> Any:
    """A column as an Arrow array; None for one of objects.

    Args:
        values: of a data frame, or any sequence.
        molecules: whether they are molecules; then they become texts.
    """
    if isinstance(values, pa.Array | pa.ChunkedArray):
        array = values
    elif hasattr(values, "to_arrow"):
        array = values.to_arrow()
    else:
        plain = values if hasattr(values, "dtype") else list(values)
        try:
            array = pa.array(plain, from_pandas=True)
        except pa.ArrowException:  # of several types, or of objects
            return _objects(list(values), molecules=molecules)
    return array.cast(pa.string()) if molecules else array


def _objects(values: Sequence[Any], *, molecules: bool) -> Any:
    if any(isinstance(value, Chem.Mol) for value in values):
        if not molecules:
            return None
        values = [_written(v) if isinstance(v, Chem.Mol) else v for v in values]
    return pa.array([None if v is None or v != v else str(v) for v in values], pa.string())  # noqa: PLR0124 - NaN


def _written(mol: Chem.Mol) -> str:
    """A molecule as text; what is none as one that is refused where it is read, with its row."""
    try:
        return chem.canonical_smiles(chem.parse(mol))
    except chem.InvalidMoleculeError:
        return f"query {Chem.MolToSmarts(mol)}" if mol.HasQuery() else Chem.MolToSmiles(mol)
