"""SMILES and RDKit molecules: parsing with a reason for every failure, and standardisation.

The features of graph students are in `molkd.items.molecules.graph`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from rdkit import Chem, rdBase

from molkd.errors import ConfigError
from molkd.items.base import InvalidItemError, described, read_each

Molecule = str | Chem.Mol
"""What an item of a molecular corpus may be."""

Standardization = Literal["none", "light", "full"]
"""`none`: as parsed. `light`: metals disconnected, groups normalised, charges reionised.
`full`: light, then the largest fragment, uncharged."""

MAX_ATOMS = 1000
"""Heavy atoms above which a molecule is refused: no teacher is meant for it."""


class InvalidMoleculeError(InvalidItemError):
    """An item is not a usable molecule."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The molecules of a batch of items.

    Attributes:
        mols: the molecules that could be read, in order.
        rows: their positions among the items.
        failures: row -> reason, for all other items.
    """

    mols: list[Chem.Mol]
    rows: list[int]
    failures: Mapping[int, str]


def parse(item: object) -> Chem.Mol:
    """Reads a SMILES string, or takes an RDKit molecule as it is.

    Raises:
        InvalidMoleculeError: the item is empty, no SMILES, chemically impossible or too large.
    """
    mol = item if isinstance(item, Chem.Mol) else _from_smiles(item)
    atoms = mol.GetNumAtoms()
    if atoms == 0:
        raise InvalidMoleculeError("molecule without atoms")
    if atoms > MAX_ATOMS:
        raise InvalidMoleculeError(f"{atoms} atoms, more than the {MAX_ATOMS} allowed")
    return mol


def parse_all(items: Sequence[object]) -> Parsed:
    """Reads many items; those that cannot be read get a reason instead of an exception."""
    return Parsed(*read_each(parse, items))


def standardize(mol: Chem.Mol, level: Standardization) -> Chem.Mol:
    """Returns a standardised copy, or the molecule itself for level "none".

    Raises:
        ConfigError: no such level.
        InvalidMoleculeError: the rules of the level fail on this molecule.
    """
    if level not in get_args(Standardization):
        raise ConfigError(f"standardize is one of {get_args(Standardization)}, not {level!r}")
    if level == "none":
        return mol
    import datamol  # slow to import, and only needed here

    try:
        with rdBase.BlockLogs():
            if level == "full":
                mol = datamol.keep_largest_fragment(mol)
            return datamol.standardize_mol(mol, disconnect_metals=True, uncharge=level == "full")
    except Exception as error:  # RDKit raises bare C++ exceptions of many kinds
        raise InvalidMoleculeError(f"cannot be standardised: {error}") from error


def standardize_all(
    items: Sequence[object], level: Standardization
) -> tuple[list[str], dict[int, str]]:
    """Standardises many items.

    Returns:
        The canonical SMILES of each item, and row -> reason for those that fail; these keep their
        own text, if they have one.
    """
    canonical, rows, failures = read_each(
        lambda item: canonical_smiles(standardize(parse(item), level)), items
    )
    written = dict(zip(rows, canonical, strict=True))
    texts = [item if isinstance(item, str) else "" for item in items]
    return [written.get(row, text) for row, text in enumerate(texts)], failures


def canonical_smiles(mol: Chem.Mol) -> str:
    """Returns the canonical isomeric SMILES."""
    return Chem.MolToSmiles(mol)


def _from_smiles(item: object) -> Chem.Mol:
    if not isinstance(item, str):
        raise InvalidMoleculeError(f"no SMILES but {described(item)}")
    text = item.strip()
    if not text:
        raise InvalidMoleculeError("empty SMILES")
    with rdBase.BlockLogs():
        mol = cast("Chem.Mol | None", Chem.MolFromSmiles(text))
        if mol is None:
            raw = cast("Chem.Mol | None", Chem.MolFromSmiles(text, sanitize=False))
            raise InvalidMoleculeError(problem_of(raw) if raw else "SMILES syntax error")
    return mol


def problem_of(raw: Chem.Mol) -> str:
    """Returns why RDKit cannot sanitise a molecule that was read without sanitising."""
    problems = Chem.DetectChemistryProblems(raw)
    return problems[0].Message() if problems else "RDKit cannot sanitise it"
