"""Standardisation of molecules: to one form of a compound, whatever form it came in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast, get_args

from rdkit import Chem, rdBase

from molkd.errors import ConfigError
from molkd.items.base import read_each
from molkd.items.molecules import chem

Standardization = Literal["none", "light", "full"]
"""`none`: as parsed. `light`: metals disconnected, groups normalised, charges reionised.
`full`: light, of the largest fragment, uncharged where RDKit can."""

_ROUNDS = 20


def standardize(item: chem.Molecule, level: Standardization) -> chem.CanonicalMol:
    """Returns the standard form of a molecule; standardised again, it stays what it is.

    RDKit's rules applied twice give another molecule than once in one of a hundred cases, so they
    are applied until nothing changes.

    Raises:
        ConfigError: no such level.
        InvalidMoleculeError: the item is no molecule, or the rules of the level fail on it.
    """
    if level not in get_args(Standardization):
        raise ConfigError(f"standardize is one of {get_args(Standardization)}, not {level!r}")
    mol = chem.parse_canonical(item)
    if level == "none":
        return mol
    forms: list[str] = []
    while mol.smiles not in forms and len(forms) < _ROUNDS:
        forms.append(mol.smiles)
        mol = chem.parse_canonical(_standardized(mol, level))
    circle = forms[forms.index(mol.smiles) :] if mol.smiles in forms else [mol.smiles]
    return chem.from_canonical(min(circle))  # rules that undo each other go round: choose one


def standardize_all(
    items: Sequence[object], level: Standardization
) -> tuple[list[str], dict[int, str]]:
    """Standardises many items.

    Returns:
        The canonical SMILES of each item, and row -> reason for those that fail; these keep their
        own text, if they have one.
    """
    canonical, rows, failures = read_each(
        lambda item: standardize(cast("chem.Molecule", item), level).smiles, items
    )
    written = dict(zip(rows, canonical, strict=True))
    texts = [item if isinstance(item, str) else "" for item in items]
    return [written.get(row, text) for row, text in enumerate(texts)], failures


def _standardized(mol: Chem.Mol, level: Standardization) -> Chem.Mol:
    """One round of the rules.

    Raises:
        InvalidMoleculeError: they fail.
    """
    from rdkit.Chem.MolStandardize import rdMolStandardize  # slow to import, only needed here

    try:
        with rdBase.BlockLogs():
            mol = rdMolStandardize.MetalDisconnector().Disconnect(Chem.Mol(mol))
            if level == "full":
                mol = _largest_fragment(mol)
            mol = rdMolStandardize.Normalize(mol)
            mol = rdMolStandardize.Reionizer().reionize(mol)
            if level == "full":
                mol = _uncharged(mol)
    except Exception as error:  # RDKit raises bare C++ exceptions of many kinds
        reason = f"cannot be standardised: {chem.first_line(error)}"
        raise chem.InvalidMoleculeError(reason) from error
    return mol


def _largest_fragment(mol: Chem.Mol) -> Chem.Mol:
    """The fragment of most heavy atoms; of equal ones the heaviest, then the first by SMILES."""
    from rdkit.Chem.MolStandardize import rdMolStandardize

    rules = rdMolStandardize.CleanupParameters()
    rules.largestFragmentChooserCountHeavyAtomsOnly = True
    return rdMolStandardize.LargestFragmentChooser(rules).choose(mol)


def _uncharged(mol: Chem.Mol) -> Chem.Mol:
    """The molecule with as few charges as RDKit can leave; itself where nothing valid comes out."""
    from rdkit.Chem.MolStandardize import rdMolStandardize

    neutral = rdMolStandardize.Uncharger().uncharge(mol)
    try:
        return chem.parse(neutral)
    except chem.InvalidMoleculeError:  # ferrocene's rings, hexafluorophosphate
        return mol
