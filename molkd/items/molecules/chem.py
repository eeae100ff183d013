"""SMILES and RDKit molecules: parsing with a reason for every failure, and standardisation.

The features of graph students are in `molkd.items.molecules.graph`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from rdkit import Chem, rdBase

from molkd.errors import ConfigError

Molecule = str | Chem.Mol
"""What an item of a molecular corpus may be."""

Standardization = Literal["none", "light", "full"]
"""`none`: as parsed. `light`: metals disconnected, groups normalised, charges reionised.
`full`: light, then the largest fragment, uncharged."""

MAX_ATOMS = 1000
"""Heavy atoms above which a molecule is refused: no teacher is meant for it."""


class InvalidMoleculeError(ValueError):
    """An item is not a usable molecule; the message is the reason shown to the user."""


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
    mols: list[Chem.Mol] = []
    rows: list[int] = []
    failures: dict[int, str] = {}
    for row, item in enumerate(items):
        try:
            mols.append(parse(item))
            rows.append(row)
        except InvalidMoleculeError as error:
            failures[row] = str(error)
    return Parsed(mols, rows, failures)


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
    texts = [item if isinstance(item, str) else "" for item in items]
    failures: dict[int, str] = {}
    for row, item in enumerate(items):
        try:
            texts[row] = canonical_smiles(standardize(parse(item), level))
        except InvalidMoleculeError as error:
            failures[row] = str(error)
    return texts, failures


def canonical_smiles(mol: Chem.Mol) -> str:
    """Returns the canonical isomeric SMILES."""
    return Chem.MolToSmiles(mol)


def _from_smiles(item: object) -> Chem.Mol:
    if not isinstance(item, str):
        raise InvalidMoleculeError(f"no SMILES but {_described(item)}")
    text = item.strip()
    if not text:
        raise InvalidMoleculeError("empty SMILES")
    with rdBase.BlockLogs():
        mol = cast("Chem.Mol | None", Chem.MolFromSmiles(text))
        if mol is None:
            raise InvalidMoleculeError(_reason(text))
    return mol


def _described(item: object) -> str:
    missing = item is None or str(item).lower() in {"nan", "nat", "<na>"}
    return "a missing value" if missing else f"a value of type {type(item).__name__}"


def _reason(text: str) -> str:
    raw = cast("Chem.Mol | None", Chem.MolFromSmiles(text, sanitize=False))
    if raw is None:
        return "SMILES syntax error"
    problems = Chem.DetectChemistryProblems(raw)
    return problems[0].Message() if problems else "RDKit cannot sanitise it"
