"""SD files and MOL files: molecules with properties."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, cast

from rdkit import Chem, rdBase

from molkd.errors import InputError
from molkd.formats.chunks import Kept, Row
from molkd.formats.columns import Columns, listed
from molkd.formats.readers.sdf_records import Record, records
from molkd.formats.rows import Rows
from molkd.formats.streams import text_lines
from molkd.items.molecules import chem
from molkd.runtime.registry import near

_SEARCHED = 100
"""Records within which a property that is asked for has to appear."""

_Found = tuple[Record, str | None]
"""A record, and the property that holds its identifier."""


def read_sdf(stream: BinaryIO, name: str, columns: Columns) -> Rows:
    """Returns canonical isomeric SMILES of an SD file's molecules, in order.

    The identifier is the property that `columns.id` names, or the title line, or where the first
    molecule has no title its property with a usual name. The file is split into records here rather
    than by RDKit, so that a bad block costs its own row and no other.

    Raises:
        ConfigError: a SMILES column was chosen.
        InputError: a property that is asked for is not found, or the file is no SD file.
        DamagedError: the last record is not whole.
    """
    columns.refuse(name)

    def row_of(found: _Found) -> Row:
        record, key = found
        smiles, reason = _smiles(record.block)
        title = record.properties.get(key) if key else record.title
        return title or None, smiles, reason, _kept(record, key, columns, name)

    return Rows(name, _found(stream, name, columns), row_of)


def _found(stream: BinaryIO, name: str, columns: Columns) -> Iterator[_Found]:
    """The records, each with the property that holds its identifier."""
    key = columns.id or None
    missing = set(() if columns.keeps_all else columns.keep) | ({key} if key else set())
    seen: dict[str, None] = {}
    number = -1
    for number, record in enumerate(records(text_lines(stream, name), name)):
        if number == 0 and not key and not record.title:
            key = columns.usual_id(record.properties)
        if missing:
            seen |= dict.fromkeys(record.properties)
            missing -= record.properties.keys()
            if missing and number + 1 == _SEARCHED:
                break
        yield record, key
    if missing and number >= 0:
        _refuse(min(missing), [*seen], number + 1, name)


def _kept(record: Record, key: str | None, columns: Columns, name: str) -> Kept | None:
    if not columns.keep:
        return None
    names = columns.kept_names(record.properties, {key}, name)
    return {one: record.properties.get(one) or None for one in names}


def _refuse(missing: str, names: Sequence[str], count: int, file: str) -> None:
    where = "the first molecule has" if count == 1 else f"none of the first {count} molecules has"
    raise InputError(
        f"{file}: {where} a property {missing!r}.{near(missing, names)} "
        f"{listed(names, what='Properties')}"
    )


def _smiles(block: str) -> tuple[str | None, str | None]:
    """Returns the SMILES of a molecule block, or the reason why there is none."""
    try:
        with rdBase.BlockLogs():
            mol = cast("Chem.Mol | None", Chem.MolFromMolBlock(block))
            if mol is None:
                raw = cast("Chem.Mol | None", Chem.MolFromMolBlock(block, sanitize=False))
                return None, chem.problem_of(raw) if raw else "molecule block cannot be read"
            return chem.canonical_smiles(chem.parse(mol)), None
    except chem.InvalidMoleculeError as error:
        return None, str(error)
    except (RuntimeError, ValueError) as error:  # RDKit's own checks
        return None, f"molecule block cannot be read: {error}"
