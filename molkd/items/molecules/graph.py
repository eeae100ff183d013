"""Molecules as packed graphs of small integers: what the student reads, without torch.

Every feature is invariant to the order of the atoms: stereochemistry is read as CIP labels (R, S,
r, s, E, Z), never as RDKit's order-dependent tags. Isotopes are not seen, nor is what a plain
SMILES cannot say: axial chirality, enhanced stereochemistry, conformers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from rdkit import Chem

from molkd.items.molecules import chem, plain, vectorized
from molkd.items.molecules.packed import Graphs

FEATURES_VERSION = 3
"""Changes whenever the same molecule may get other integers. Version 1 saw isotopes (deuterium as
an atom, centres by isotopes only), and left large symmetric molecules half labelled. Versions 1 and
2 labelled all stereocentres by RDKit's newer labeller; see `molkd.items.molecules.stereo`."""

READABLE_VERSIONS = frozenset({1, 2, 3})
"""Versions on which a student may have been trained: the integers mean the same."""

ATOM_SIZES: Mapping[str, int] = {
    "element": 119,
    "degree": 12,
    "charge": 11,
    "hydrogens": 9,
    "hybridization": 9,
    "aromatic": 2,
    "rings": 5,
    "ring_size": 10,
    "chirality": 6,
    "radicals": 4,
}
"""Atom feature -> number of values, in the order of the columns."""

BOND_SIZES: Mapping[str, int] = {"order": 6, "conjugated": 2, "ring": 2, "stereo": 4}
"""Bond feature -> number of values, in the order of the columns."""

_CHUNK = 1024
"""Molecules that are read at once: enough for NumPy, few enough for the processor's cache."""

_FEWEST = 8
"""Molecules below which reading them one by one is faster."""


def as_read(item: chem.Molecule) -> Chem.Mol:
    """Reads a molecule with the atoms that a student sees, in their order.

    Raises:
        InvalidMoleculeError: see `chem.parse`.
    """
    return plain.without_isotopes(chem.parse(item))


def featurize(items: Sequence[chem.Molecule]) -> Graphs:
    """Reads SMILES or RDKit molecules into packed graphs, one per item."""
    items = list(items)
    parts = [_featurized(items[at : at + _CHUNK]) for at in range(0, len(items) or 1, _CHUNK)]
    return parts[0] if len(parts) == 1 else Graphs.concatenate(parts)


def _featurized(items: Sequence[chem.Molecule]) -> Graphs:
    parsed = chem.parse_all(items)
    count = len(parsed.mols)
    together, done = vectorized.read(parsed.mols if count >= _FEWEST else [])
    if len(done) == len(items):
        return together
    others = np.setdiff1d(np.arange(count), done)
    # Items that could not be parsed get the last graph, which has no atoms.
    singly = plain.read([*(parsed.mols[place] for place in others), Chem.Mol()])
    places = np.full(len(items), count)
    places[np.array(parsed.rows, dtype=np.int64)[[*done, *others]]] = np.arange(count)
    graphs = Graphs.concatenate([together, singly]).select(places)
    failures = dict(sorted((*graphs.failures.items(), *parsed.failures.items())))
    return dataclasses.replace(graphs, failures=failures)
