"""Conformers of a compound: the same for every way in which it is written, and for every process.

ETKDGv3 (Wang et al. 2020, https://doi.org/10.1021/acs.jcim.0c00025) and a force field. Atoms come
in the order of the canonical SMILES, and the seed is made of it and of the conformer's number. What
is tried is bounded by attempts, which give the same bits on every machine; the clock is only a last
resort.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

from molkd.items.molecules import chem

Positions = npt.NDArray[np.float64]
"""Shape (atoms, 3), in Å, hydrogens after all others."""

MAX_HEAVY_ATOMS = 100
"""Larger molecules are refused: their conformers cost seconds each and are one of very many."""

ATTEMPTS = {False: 20, True: 50}
"""Whether an embedding starts from random coordinates -> how often it is tried, in this order."""

TIMEOUT = 60
"""Seconds after which an embedding is given up: single attempts at some cages never end."""

STEPS = 200
"""Steps of the force field at most."""

APART = 20.0
"""Å between the parts of a compound: no network sees that far."""

CLOSEST = 0.6
"""Å between atoms below which a conformer is no molecule; the bond of hydrogen has 0.7."""


def with_conformers(mol: Chem.Mol, numbers: Sequence[int]) -> Chem.Mol | str:
    """Returns a copy with hydrogens and the conformers of these numbers, or why there are none.

    Args:
        mol: as `molkd.items.molecules.chem.parse_canonical` gives it.
        numbers: the same number is the same conformer.
    """
    whole = Chem.AddHs(mol)
    for number in numbers:
        found = _positions(chem.canonical_smiles(mol), number)
        if isinstance(found, str):
            return found
        conformer = Chem.Conformer(len(found))
        conformer.SetPositions(found)
        whole.AddConformer(conformer, assignId=True)
    return whole


def positions(mol: Chem.Mol) -> list[Positions]:
    """Returns the coordinates of all conformers of a molecule."""
    return [np.asarray(conformer.GetPositions()) for conformer in mol.GetConformers()]


def forget() -> None:
    """Lets the next one who asks pay for conformers, as is fair where times are compared."""
    _positions.cache_clear()


@lru_cache(maxsize=4096)  # teachers of one bank ask for the same ones
def _positions(smiles: str, number: int) -> Positions | str:
    """Embeds the parts of a compound one by one, side by side on the first axis.

    RDKit would embed all of them around one point, atoms within atoms.
    """
    whole = Chem.AddHs(chem.from_canonical(smiles))
    placed = np.zeros((whole.GetNumAtoms(), 3))
    members = Chem.GetMolFrags(whole)
    seed = _seed(smiles, number)
    end = 0.0
    for part, atoms in zip(Chem.GetMolFrags(whole, asMols=True), members, strict=True):
        found = _embedded(part, seed)
        if isinstance(found, str):
            return found
        if len(members) > 1:
            found[:, 0] += end - found[:, 0].min()
            end = found[:, 0].max() + APART
        placed[list(atoms)] = found
    return placed


def _seed(smiles: str, number: int) -> int:
    """Another one for each compound and number; never 0, which to RDKit is 1."""
    digest = hashlib.sha256(f"{number} {smiles}".encode()).digest()
    return 1 + int.from_bytes(digest[:4]) % (2**31 - 2)


def _embedded(part: Chem.Mol, seed: int) -> Positions | str:
    """The conformer of a connected molecule in the minimum of its force field, or a reason."""
    if part.GetNumAtoms() == 1:
        return np.zeros((1, 3))
    for random, attempts in ATTEMPTS.items():
        rules = rdDistGeom.ETKDGv3()
        rules.randomSeed = seed
        rules.useRandomCoords = random
        rules.maxIterations = attempts
        rules.timeout = TIMEOUT
        if rdDistGeom.EmbedMolecule(part, rules) == 0:
            break
    else:
        return f"no conformer in {sum(ATTEMPTS.values())} attempts of RDKit's ETKDGv3"
    if rdForceFieldHelpers.MMFFHasAllMoleculeParams(part):
        rdForceFieldHelpers.MMFFOptimizeMolecule(part, maxIters=STEPS)
    elif rdForceFieldHelpers.UFFHasAllMoleculeParams(part):
        rdForceFieldHelpers.UFFOptimizeMolecule(part, maxIters=STEPS)
    else:
        return "neither MMFF94 nor UFF has parameters for all atoms"
    found = np.asarray(part.GetConformer().GetPositions())
    distances = np.linalg.norm(found[:, None] - found, axis=2)
    np.fill_diagonal(distances, np.inf)
    if not distances.min() >= CLOSEST:  # nor NaN
        return f"atoms of its conformer are {distances.min():.2f} Å apart"
    return found
