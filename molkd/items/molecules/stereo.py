"""Codes of stereocentres and double bonds that do not depend on the order of the atoms.

Three ways, each for what the one before leaves open, as the last costs fifty times the parsing:

1. RDKit's own labels R, S, E and Z, which are there once it has read a SMILES. Its newer labeller
   follows IUPAC's rules more closely, but a student needs only that isomers differ.
2. Two centres of one ring that have no such label, for both ways round it are the same, as in
   1,4-dimethylcyclohexane: cis or trans.
3. RDKit's newer labeller, for all of the molecule: several such centres in a ring, for example.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

from rdkit import Chem
from rdkit.Chem import rdCIPLabeler

from molkd.items.molecules import chem

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

BOND_CODES = {Chem.BondStereo.STEREOE: 1, Chem.BondStereo.STEREOZ: 2}
"""RDKit's own labels of bonds; with others the newer labeller is asked."""

_CENTRES = {"R": 1, "S": 2, "r": 3, "s": 4}
_CIS, _TRANS = _CENTRES["s"], _CENTRES["r"]
_DOUBLE_BONDS = {"E": 1, "Z": 2, "e": 1, "z": 2}
_UNLABELLED_CENTRE, _UNLABELLED_BOND = 5, 3
_TURNS = {Chem.ChiralType.CHI_TETRAHEDRAL_CW: 1, Chem.ChiralType.CHI_TETRAHEDRAL_CCW: -1}
_CIP_STEPS = 1_000_000
_IMPLICIT = -1

Codes = tuple[list[int], list[int]]
"""Of the centres and of the bonds asked for."""

Labeller = Callable[[Chem.Mol, Sequence[int], Sequence[int]], Codes]
"""Either of `codes` and `labelled`."""


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
    found = centre_codes(mol, centres)
    turned = [BOND_CODES.get(mol.GetBondWithIdx(bond).GetStereo(), 0) for bond in bonds]
    return (found, turned) if all(found) and all(turned) else labelled(mol, centres, bonds)


def centre_codes(mol: Chem.Mol, centres: Sequence[int]) -> list[int]:
    """Returns the codes of tagged atoms without the newer labeller; 0 where it is needed."""
    found = [_code(mol.GetAtomWithIdx(centre), _CENTRES, 0) for centre in centres]
    if all(found):
        return found
    pairs = _cis_trans(
        mol, [centre for centre, code in zip(centres, found, strict=True) if not code]
    )
    return [code or pairs.get(centre, 0) for centre, code in zip(centres, found, strict=True)]


def _cis_trans(mol: Chem.Mol, centres: Sequence[int]) -> dict[int, int]:
    """Returns index -> code of the atoms without a label; nothing unless all are pairs in rings."""
    found: dict[int, int] = {}
    for ring in mol.GetRingInfo().AtomRings():
        places = [place for place, index in enumerate(ring) if index in centres]
        if not places:
            continue
        if len(places) != 2 or any(ring[place] in found for place in places):
            return {}
        sides = [
            _side(mol.GetAtomWithIdx(ring[place]), ring[place - 1], ring[(place + 1) % len(ring)])
            for place in places
        ]
        code = {1: _CIS, -1: _TRANS}.get(sides[0] * sides[1])
        if code is None:
            return {}
        found |= {ring[place]: code for place in places}
    return found if len(found) == len(centres) else {}


def _side(atom: Chem.Atom, before: int, after: int) -> int:
    """Returns on which side of a ring the higher of an atom's other neighbours is.

    Args:
        atom: of the ring.
        before: its neighbour in the ring.
        after: its other neighbour in the ring.

    Returns:
        1 or -1, the other one for the other way round the ring; 0 where there is none.
    """
    ranks = {
        neighbour.GetIdx(): int(neighbour.GetProp("_CIPRank"))
        for neighbour in atom.GetNeighbors()
        if neighbour.HasProp("_CIPRank")
    }
    if len(ranks) == 3:
        ranks[_IMPLICIT] = -1  # to RDKit a hydrogen, or lone pair, comes last
    outside = sorted(ranks.keys() - {before, after}, key=ranks.__getitem__)
    if len(ranks) != 4 or len(outside) != 2 or ranks[outside[0]] == ranks[outside[1]]:
        return 0
    around = list(ranks)
    places = [around.index(neighbour) for neighbour in (*outside, before, after)]
    swaps = sum(one > other for one, other in itertools.combinations(places, 2))
    return _TURNS.get(atom.GetChiralTag(), 0) * (-1) ** swaps


def labelled(mol: Chem.Mol, centres: Sequence[int], bonds: Sequence[int]) -> Codes:
    """Returns the codes of RDKit's newer labeller alone: those of features before version 3.

    Some molecules are too symmetric to be labelled in time, and which of their labels are ready by
    then depends on the order of the atoms: they keep RDKit's own labels, which do not.
    """
    copy = Chem.Mol(mol)
    try:
        rdCIPLabeler.AssignCIPLabels(copy, maxRecursiveIterations=_CIP_STEPS)
    except RuntimeError:
        copy = Chem.Mol(mol)
        Chem.AssignStereochemistry(copy, cleanIt=True, force=True)
    atoms = [copy.GetAtomWithIdx(centre) for centre in centres]
    joins = [copy.GetBondWithIdx(bond) for bond in bonds]
    return (
        [_code(atom, _CENTRES, _UNLABELLED_CENTRE) for atom in atoms],
        [_code(bond, _DOUBLE_BONDS, _UNLABELLED_BOND) for bond in joins],
    )


def _code(part: Chem.Atom | Chem.Bond, known: Mapping[str, int], otherwise: int) -> int:
    try:
        return known.get(part.GetProp("_CIPCode"), otherwise)
    except KeyError:  # asking whether it is there takes as long as it
        return otherwise
