"""SD files: molecule blocks with properties, each closed by a line of four dollar signs."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, cast

from rdkit import Chem, rdBase

from molkd.errors import InputError
from molkd.formats.rows import Columns, Row
from molkd.formats.streams import DamagedError, text_lines
from molkd.items.molecules import chem
from molkd.runtime.registry import near

_END = "$$$$"
_MOST_LINES = 1_000_000
_PROPERTY = re.compile(r">.*?<([^>]*)>")


def read_sdf(stream: BinaryIO, name: str, columns: Columns) -> Iterator[Row]:
    """Yields canonical isomeric SMILES of an SD file's molecules, in order.

    The identifier is the property that `columns.id` names or else the title line. The file is split
    into blocks here rather than by RDKit, so that a bad block costs its own row and no other.

    Raises:
        ConfigError: a SMILES column was chosen.
        InputError: the first molecule lacks the property of the identifiers.
        DamagedError: the last block is not closed.
    """
    columns.refuse(name)
    for number, block in enumerate(_blocks(text_lines(stream, name), name)):
        title = block[0].strip() if block else ""
        if columns.id:
            properties = _properties(block)
            if number == 0 and columns.id not in properties:
                listed = ", ".join(map(repr, properties)) or "none"
                raise InputError(
                    f"{name}: the first molecule has no property {columns.id!r}."
                    f"{near(columns.id, properties)} Properties: {listed}."
                )
            title = properties.get(columns.id, "")
        smiles, reason = _smiles("\n".join(block))
        yield title or None, smiles, reason


def _blocks(lines: Iterator[str], name: str) -> Iterator[list[str]]:
    block: list[str] = []
    for line in lines:
        if line.startswith(_END):
            yield block
            block = []
        else:
            block.append(line.rstrip("\r\n"))
        if len(block) > _MOST_LINES:
            raise InputError(f"{name}: {_MOST_LINES} lines without {_END}: this is no SD file")
    if any(line.strip() for line in block):
        raise DamagedError(f"the last molecule is not closed by {_END}")


def _properties(block: Sequence[str]) -> dict[str, str]:
    """Property -> first line of its value."""
    properties: dict[str, str] = {}
    for line, value in itertools.pairwise(block):
        match = _PROPERTY.match(line)
        if match:
            properties[match[1]] = value.strip()
    return properties


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
