"""The features of many molecules at once: the integers of `molkd.items.molecules.plain`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rdkit import Chem

from molkd.items.molecules import binary, stereo
from molkd.items.molecules.binary import Records
from molkd.items.molecules.packed import Graphs
from molkd.items.molecules.plain import ORDERS, OTHER_ORDER
from molkd.types import Rows, starts_of

_ORDERS = np.array(
    [ORDERS.get(Chem.BondType.values.get(value), OTHER_ORDER) for value in range(256)],
    dtype=np.uint8,
)
_CHIRALITY, _STEREO = 8, 3
_TURNED = np.array(
    [
        Chem.BondStereo.values.get(value, Chem.BondStereo.STEREONONE) not in stereo.NO_STEREO
        for value in range(256)
    ]
)


def read(mols: Sequence[Chem.Mol], labeller: stereo.Labeller = stereo.codes) -> tuple[Graphs, Rows]:
    """Reads those molecules of `chem.parse` that hold nothing unusual.

    Returns:
        Their graphs, and their positions among all, ascending.
    """
    records, readable = binary.read(mols)
    atom_starts, bond_starts = starts_of(records.atom_counts), starts_of(records.bond_counts)
    atoms = np.zeros((atom_starts[-1], 10), dtype=np.uint8)
    columns = (
        records.elements,
        np.minimum(records.degrees, 11),
        np.clip(records.charges, -5, 5) + 5,
        np.minimum(records.hydrogens, 8),
        np.minimum(records.hybridizations, 8),
        records.aromatic,
        np.minimum(records.ring_counts, 4),
        np.minimum(records.smallest_rings, 9),
        0,
        np.minimum(records.radicals, 3),
    )
    for place, column in enumerate(columns):
        atoms[:, place] = column
    bonds = np.zeros((bond_starts[-1], 4), dtype=np.uint8)
    for place, column in enumerate(
        (_ORDERS[records.types], records.conjugated, records.in_ring, 0)
    ):
        bonds[:, place] = column
    graphs = Graphs(atoms, bonds, records.ends, atom_starts, bond_starts, {})
    rows = np.flatnonzero(readable)
    _label([mols[row] for row in rows], labeller, records, graphs)
    return graphs, rows


def _label(
    mols: Sequence[Chem.Mol], labeller: stereo.Labeller, records: Records, graphs: Graphs
) -> None:
    """Fills in the codes of stereocentres and double bonds."""
    tagged = np.flatnonzero(records.tags != int(stereo.NO_TAG))
    turned = np.flatnonzero(_TURNED[records.stereo])
    centre_starts = np.searchsorted(tagged, graphs.atom_starts)
    bond_starts = np.searchsorted(turned, graphs.bond_starts)
    counts = np.diff(centre_starts), np.diff(bond_starts)
    centres = (tagged - np.repeat(graphs.atom_starts[:-1], counts[0])).tolist()
    bonds = (turned - np.repeat(graphs.bond_starts[:-1], counts[1])).tolist()
    centre_codes: list[int] = []
    bond_codes: list[int] = []
    for row in np.flatnonzero(counts[0] + counts[1]).tolist():
        found = labeller(
            mols[row],
            centres[centre_starts[row] : centre_starts[row + 1]],
            bonds[bond_starts[row] : bond_starts[row + 1]],
        )
        centre_codes += found[0]
        bond_codes += found[1]
    graphs.atoms[tagged, _CHIRALITY] = centre_codes
    graphs.bonds[turned, _STEREO] = bond_codes
