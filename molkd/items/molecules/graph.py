"""Molecules as packed graphs of small integers: what the student reads, without torch.

Every feature is invariant to the order of the atoms: stereochemistry is read as labels (R, S, E, Z,
cis, trans; see `stereo`), never as RDKit's order-dependent tags. Isotopes are not seen, nor is what
a plain SMILES cannot say: axial chirality, enhanced stereochemistry, conformers. What the integers
are is said in `plain`; `vectorized` reads the same ones faster.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from rdkit import Chem

from molkd.items.molecules import chem, plain, stereo, vectorized
from molkd.items.molecules.packed import Graphs

FEATURES_VERSION = 3
"""Changes whenever the same molecule may get other integers. Version 1 saw isotopes (deuterium as
an atom, centres by isotopes only), and left large symmetric molecules half labelled. Versions 1 and
2 had the codes of RDKit's newer labeller for all stereocentres; now see `stereo`."""

READABLE_VERSIONS = frozenset({1, 2, 3})
"""Versions on which a student may have been trained: the columns mean the same."""

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

_CHUNK = 2048
"""Molecules that are read at once: enough for NumPy, few enough for the processor's cache."""


def as_read(item: chem.Molecule) -> Chem.Mol:
    """Reads a molecule with the atoms that a student sees, in their order.

    Raises:
        InvalidMoleculeError: see `chem.parse`.
    """
    return plain.without_isotopes(chem.parse(item))


def featurize(items: Sequence[chem.Molecule]) -> Graphs:
    """Reads SMILES or RDKit molecules into packed graphs, one per item."""
    return _featurized(items, stereo.codes)


def featurize_before_3(items: Sequence[chem.Molecule]) -> Graphs:
    """Reads what students of features before version 3 have learnt from; slow where stereo is."""
    return _featurized(items, stereo.labelled)


def featurizer(version: int) -> Callable[[Sequence[chem.Molecule]], Graphs]:
    """Returns what reads molecules as a student of some version of the features knows them."""
    return featurize if version >= 3 else featurize_before_3


def _featurized(items: Sequence[chem.Molecule], labeller: stereo.Labeller) -> Graphs:
    items = list(items)
    starts = range(0, len(items) or 1, _CHUNK)
    parts = [_chunk(items[start : start + _CHUNK], labeller) for start in starts]
    return parts[0] if len(parts) == 1 else Graphs.concatenate(parts)


def _chunk(items: Sequence[chem.Molecule], labeller: stereo.Labeller) -> Graphs:
    def written(item: object, mol: Chem.Mol) -> vectorized.Written:
        fresh = "@" in item if isinstance(item, str) else not isinstance(mol, chem.CanonicalMol)
        return vectorized.write(mol, labels=fresh and labeller is stereo.codes)

    def label(place: int, centres: Sequence[int], bonds: Sequence[int]) -> stereo.Codes:
        return labeller(chem.parse(items[rows[place]]), centres, bonds)

    binaries, rows, failures = chem.read_all(written, items)
    together, done = vectorized.read(binaries, label)
    if len(done) == len(items):
        return together
    others = np.setdiff1d(np.arange(len(rows)), done)
    # Items that could not be parsed get the last graph, which has no atoms.
    mols = [*(chem.parse(items[rows[place]]) for place in others), Chem.Mol()]
    singly = plain.read(mols, labeller)
    places = np.full(len(items), len(rows))
    places[np.array(rows, dtype=np.int64)[[*done, *others]]] = np.arange(len(rows))
    graphs = Graphs.concatenate([together, singly]).select(places)
    failures = dict(sorted((*graphs.failures.items(), *failures.items())))
    return dataclasses.replace(graphs, failures=failures)
