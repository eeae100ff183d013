"""Codes of stereocentres and double bonds that do not depend on the order of the atoms.

RDKit's own labels, which reading a SMILES leaves on nearly every centre, are taken as they are: the
newer labeller of RDKit follows IUPAC's rules more closely, but costs twice the reading, and a student
needs only that isomers differ. It labels whole molecules of which a centre or a bond has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rdkit import Chem
from rdkit.Chem import rdCIPLabeler

from molkd.items.molecules import chem

UNLABELLED_CENTRE, UNLABELLED_BOND = 5, 3
"""Codes of what has a configuration, but no label."""

NO_TAG = Chem.ChiralType.CHI_UNSPECIFIED
NO_STEREO = frozenset(
    {
        Chem.BondStereo.STEREONONE,
        Chem.BondStereo.STEREOANY,
        Chem.BondStereo.STEREOATROPCW,
        Chem.BondStereo.STEREOATROPCCW,
    }
)
"""What of a bond is no configuration, or none that is read."""

_CENTRES = {"R": 1, "S": 2, "r": 3, "s": 4}
_DOUBLE_BONDS = {"E": 1, "Z": 2, "e": 1, "z": 2}
_READY_BONDS = {Chem.BondStereo.STEREOE: 1, Chem.BondStereo.STEREOZ: 2}
_CIP_STEPS = 1_000_000

Codes = tuple[list[int], list[int]]
"""Of the centres and of the bonds asked for."""


def codes(mol: Chem.Mol, centres: Sequence[int], bonds: Sequence[int]) -> Codes:
    """Returns the codes of all tagged atoms and all bonds with a configuration.

    Args:
        mol: of `chem.parse`; it is left as it is.
        centres: indices of the tagged atoms.
        bonds: indices of the bonds whose stereo is none of `NO_STEREO`.
    """
    if isinstance(mol, chem.CanonicalMol):  # it has been around, and may have lost its labels
        mol = Chem.Mol(mol)
        Chem.AssignStereochemistry(mol, cleanIt=True, force=True)
    atoms = [mol.GetAtomWithIdx(centre) for centre in centres]
    joins = [mol.GetBondWithIdx(bond) for bond in bonds]
    ready = (
        [_code(atom, _CENTRES, 0) for atom in atoms],
        [_READY_BONDS.get(bond.GetStereo(), 0) for bond in joins],
    )
    return ready if all(ready[0]) and all(ready[1]) else _labelled(mol, centres, bonds)


def _labelled(mol: Chem.Mol, centres: Sequence[int], bonds: Sequence[int]) -> Codes:
    """The codes of the newer labeller.

    Some molecules are too symmetric to be labelled in time, and which of their labels are ready by
    then depends on the order of the atoms: they keep RDKit's older labels, which do not.
    """
    labelled = Chem.Mol(mol)
    try:
        rdCIPLabeler.AssignCIPLabels(labelled, maxRecursiveIterations=_CIP_STEPS)
    except RuntimeError:
        labelled = mol
    atoms = [labelled.GetAtomWithIdx(centre) for centre in centres]
    joins = [labelled.GetBondWithIdx(bond) for bond in bonds]
    return (
        [_code(atom, _CENTRES, UNLABELLED_CENTRE) for atom in atoms],
        [_code(bond, _DOUBLE_BONDS, UNLABELLED_BOND) for bond in joins],
    )


def _code(part: Chem.Atom | Chem.Bond, known: Mapping[str, int], otherwise: int) -> int:
    return known.get(part.GetProp("_CIPCode"), otherwise) if part.HasProp("_CIPCode") else otherwise
