"""One compound in the many forms in which people have it."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import AllChem, rdDistGeom, rdMolInterchange

from molkd.types import Rows

Form = Callable[[Chem.Mol, int], str | Chem.Mol]
"""A form of a sanitised molecule; the number chooses where there is a choice."""


def _order(mol: Chem.Mol, seed: int) -> Rows:
    return np.random.default_rng(seed).permutation(mol.GetNumAtoms())


def _mapped(mol: Chem.Mol, seed: int) -> Chem.Mol:
    mapped = Chem.Mol(mol)
    numbers = (_order(mol, seed) + 1).tolist()
    for atom, number in zip(mapped.GetAtoms(), numbers, strict=True):
        atom.SetAtomMapNum(number)
    return mapped


def _renumbered(mol: Chem.Mol, seed: int) -> Chem.Mol:
    return Chem.RenumberAtoms(mol, _order(mol, seed).tolist())


def _random_smiles(mol: Chem.Mol, seed: int) -> str:
    return Chem.MolToRandomSmilesVect(mol, 1, randomSeed=seed + 1)[0]


def _kekulised(mol: Chem.Mol, flags: bool) -> Chem.Mol:
    copy = Chem.Mol(mol)
    Chem.Kekulize(copy, clearAromaticFlags=not flags)
    return copy


def _with_conformer(mol: Chem.Mol, seed: int) -> Chem.Mol:
    full = Chem.AddHs(mol)
    if mol.GetNumAtoms() > 40 or rdDistGeom.EmbedMolecule(full, randomSeed=seed) < 0:
        AllChem.Compute2DCoords(full)
    return full


def _block(mol: Chem.Mol, *, v3000: bool = False) -> str:
    drawn = Chem.Mol(mol)
    AllChem.Compute2DCoords(drawn)
    return Chem.MolToMolBlock(drawn, forceV3000=v3000)


def _block_3d(mol: Chem.Mol, seed: int) -> str | None:
    """None where a centre is left open: coordinates would say how it is turned."""
    stereo = Chem.FindPotentialStereo(Chem.Mol(mol), cleanIt=False)
    if any(part.specified != Chem.StereoSpecified.Specified for part in stereo):
        return None
    return Chem.MolToMolBlock(_with_conformer(mol, seed), forceV3000=mol.GetNumAtoms() > 300)


def _edited(mol: Chem.Mol) -> Chem.RWMol:
    """A molecule that an atom was added to, and taken from again, as editors do."""
    edited = Chem.RWMol(mol)
    edited.RemoveAtom(edited.AddAtom(Chem.Atom(6)))
    return edited


def _from_json(mol: Chem.Mol) -> Chem.Mol:
    return rdMolInterchange.JSONToMols(rdMolInterchange.MolToJSON(mol))[0]


FORMS: Mapping[str, Form] = {
    "random SMILES": _random_smiles,
    "atom-mapped SMILES": lambda mol, seed: Chem.MolToSmiles(_mapped(mol, seed)),
    "CXSMILES": lambda mol, _: Chem.MolToCXSmiles(mol),
    "SMILES with hydrogens": lambda mol, _: Chem.MolToSmiles(mol, allHsExplicit=True),
    "SMILES of hydrogens": lambda mol, _: Chem.MolToSmiles(Chem.AddHs(mol)),
    "kekulised SMILES": lambda mol, _: Chem.MolToSmiles(_kekulised(mol, False), kekuleSmiles=True),
    "molecule": lambda mol, _: Chem.Mol(mol),
    "molecule with hydrogens": lambda mol, _: Chem.AddHs(mol),
    "kekulised": lambda mol, _: _kekulised(mol, False),
    "kekulised with flags": lambda mol, _: _kekulised(mol, True),
    "unsanitised": lambda mol, seed: Chem.MolFromSmiles(_random_smiles(mol, seed), sanitize=False),
    "unsanitised with hydrogens": lambda mol, _: Chem.MolFromSmiles(
        Chem.MolToSmiles(Chem.AddHs(mol)), sanitize=False
    ),
    "renumbered": _renumbered,
    "atom-mapped": _mapped,
    "edited": lambda mol, _: _edited(mol),
    "pickled": lambda mol, _: pickle.loads(pickle.dumps(mol)),  # noqa: S301
    "binary": lambda mol, _: Chem.Mol(mol.ToBinary()),
    "JSON": lambda mol, _: _from_json(mol),
    "JSON, pickled": lambda mol, _: Chem.Mol(_from_json(mol).ToBinary()),
    "V2000": lambda mol, _: Chem.MolFromMolBlock(_block(mol)),
    "V3000": lambda mol, _: Chem.MolFromMolBlock(_block(mol, v3000=True)),
    "V3000 unsanitised": lambda mol, _: Chem.MolFromMolBlock(
        _block(mol, v3000=True), sanitize=False, removeHs=False
    ),
    "V2000 with a conformer": lambda mol, seed: Chem.MolFromMolBlock(_block_3d(mol, seed)),
    "V2000 with a conformer, unsanitised": lambda mol, seed: Chem.MolFromMolBlock(
        _block_3d(mol, seed), sanitize=False, removeHs=False
    ),
    "with a conformer": _with_conformer,
}
"""Name -> what makes it of a molecule; a form that RDKit cannot write is a None or an error."""


def forms_of(smiles: str, seed: int = 0) -> dict[str, str | Chem.Mol]:
    """Returns all forms of a compound that RDKit can make, by name."""
    mol = Chem.MolFromSmiles(smiles)
    forms: dict[str, str | Chem.Mol] = {}
    with rdBase.BlockLogs():
        for name, form in FORMS.items():
            try:
                made = form(mol, seed)
            except Exception:  # noqa: BLE001, S112 - RDKit raises bare C++ exceptions of many kinds
                continue
            if made is not None:
                forms[name] = made
    return forms
