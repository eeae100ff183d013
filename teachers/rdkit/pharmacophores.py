"""Vectors over pairs of pharmacophore points and their distance: ErG and CATS2D."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt
import rdkit
from molfeat.calc.cats import CATS
from rdkit import Chem
from rdkit.Chem import rdmolops, rdReducedGraphs

from molkd.teachers.base.per_molecule import Encoder, PerMoleculeTeacher
from molkd.types import TeacherCard

_TYPES = ("A", "D", "L", "N", "P", "R")
"""Acceptor, donor, lipophilic, negative, positive, aromatic ring."""

_PAIRS = tuple(combinations_with_replacement(range(len(_TYPES)), 2))
_DISTANCES = 9
"""0 to 8 bonds."""


class ErgTeacher(PerMoleculeTeacher):
    """Extended reduced graph: fuzzy counts of pharmacophore pairs at 1 to 15 bonds."""

    @property
    def card(self) -> TeacherCard:
        """What the teacher is, and everything that decides its numbers."""
        return TeacherCard(
            name="erg",
            kind="pharmacophore vector",
            dim=315,
            support="real",
            source=f"Stiefl et al. 2006, doi:10.1021/ci050457y; RDKit {rdkit.__version__}",
            license="BSD-3-Clause (RDKit)",
            limits="every molecule that RDKit can sanitise; all zero without two pharmacophore "
            "points; stereo is ignored",
            options={"fuzz": 0.3, "paths": [1, 15]},
            versions={"rdkit": rdkit.__version__},
        )

    def _encoder(self) -> Encoder:
        return rdReducedGraphs.GetErGFingerprint


class Cats2dTeacher(PerMoleculeTeacher):
    """Counts of pairs of typed atoms at 0 to 8 bonds, 21 pairs of types by 9 distances.

    Types of atoms are those of molfeat's CATS calculator, whose numbers it reproduces: ordered
    pairs of atoms are counted, hence twice each pair of different atoms.
    """

    @property
    def card(self) -> TeacherCard:
        """What the teacher is, and everything that decides its numbers."""
        return TeacherCard(
            name="cats2d",
            kind="pharmacophore vector",
            dim=len(_PAIRS) * _DISTANCES,
            support="counts",
            source="Schneider et al. 1999, Angew. Chem. Int. Ed. 38, 2894; "
            f"atom types of molfeat {version('molfeat')}",
            license="Apache-2.0 (molfeat's atom types)",
            limits="every molecule that RDKit can sanitise; pairs within 8 bonds; all zero without "
            "a typed atom; stereo is ignored",
            options={"distances": [0, _DISTANCES - 1]},
            versions={"rdkit": rdkit.__version__, "molfeat": version("molfeat")},
        )

    def get_feature_names_out(self, input_features: object = None) -> npt.NDArray[np.object_]:  # noqa: ARG002
        """Returns cats2d_AA_0 (two acceptors, the same atom) to cats2d_RR_8."""
        pairs = [_TYPES[a] + _TYPES[b] for a, b in _PAIRS]
        names = [f"cats2d_{pair}_{bonds}" for pair in pairs for bonds in range(_DISTANCES)]
        return np.array(names, dtype=object)

    def _encoder(self) -> Encoder:
        return _cats2d


def _cats2d(mol: Chem.Mol) -> npt.NDArray[np.float64]:
    """Counts ordered pairs (i, j) where one atom has the first type and the other the second."""
    typed = _atom_types(mol)
    both = typed[:, [a for a, _ in _PAIRS]] * typed[:, [b for _, b in _PAIRS]]
    distances = rdmolops.GetDistanceMatrix(mol)
    counts = np.empty((len(_PAIRS), _DISTANCES))
    for bonds in range(_DISTANCES):
        near = (distances == bonds).astype(np.float64)
        ways = typed.T @ near @ typed
        # Of two atoms that both have both types, the two ways are one pair.
        twice = np.einsum("ip,ij,jp->p", both, near, both, optimize=True)
        for pair, (a, b) in enumerate(_PAIRS):
            counts[pair, bonds] = ways[a, a] if a == b else 2 * ways[a, b] - twice[pair]
    return counts.ravel()


def _atom_types(mol: Chem.Mol) -> npt.NDArray[np.float64]:
    """Returns which atom has which of `_TYPES`; shape (atoms, 6), zeros and ones.

    A type has several patterns, in order of precedence: only the first one that occurs counts.
    """
    typed = np.zeros((mol.GetNumAtoms(), len(_TYPES)))
    for column, patterns in enumerate(_patterns()):
        for pattern in patterns:
            matches = mol.GetSubstructMatches(pattern, maxMatches=mol.GetNumAtoms())
            if matches:
                typed[[atom for match in matches for atom in match], column] = 1
                break
    return typed


@cache
def _patterns() -> list[list[Chem.Mol]]:
    smarts = CATS.SMARTS
    return [[Chem.MolFromSmarts(s) for s in smarts[kind]] for kind in _TYPES]
