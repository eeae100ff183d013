"""The features of many molecules at once: the integers of `molkd.items.molecules.plain`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from rdkit import Chem

from molkd.items.molecules import binary, stereo
from molkd.items.molecules.binary import Records
from molkd.items.molecules.packed import Graphs
from molkd.items.molecules.plain import ORDERS, OTHER_ORDER
from molkd.types import Rows, starts_of

_ORDERS = np.full(256, OTHER_ORDER, dtype=np.uint8)
_ORDERS[list(map(int, ORDERS))] = list(ORDERS.values())
_BOND_CODES = np.zeros(256, dtype=np.uint8)
_BOND_CODES[list(map(int, stereo.BOND_CODES))] = list(stereo.BOND_CODES.values())
_NO_STEREO = np.array([int(kind) for kind in stereo.NO_STEREO])
_CHIRALITY, _STEREO = 8, 3

Written = tuple[bytes, Sequence[int]]
"""The binary form of a molecule, and the codes of its tagged atoms as far as they are known: 0 for
some that is not, or nothing at all."""

Label = Callable[[int, Sequence[int], Sequence[int]], stereo.Codes]
"""Returns the codes of the tagged atoms and turned bonds of one of the molecules."""


def write(mol: Chem.Mol, *, labels: bool) -> Written:
    """Writes a molecule of `chem.parse`, with or without RDKit's own labels."""
    written = binary.write(mol)
    return written, stereo.centre_codes(mol, binary.tagged(written)) if labels else ()


def read(written: Sequence[Written], label: Label) -> tuple[Graphs, Rows]:
    """Reads those molecules that hold nothing unusual.

    Args:
        written: of `write`.
        label: is asked for the codes of a molecule of which one is not known.

    Returns:
        Their graphs, and their positions among all, ascending.
    """
    records, readable = binary.read([binary for binary, _ in written])
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
    rows = np.flatnonzero(readable)
    graphs = Graphs(atoms, bonds, records.ends, atom_starts, bond_starts, {})
    _label(
        graphs,
        records,
        [written[row][1] for row in rows],
        lambda place, *parts: label(rows[place], *parts),
    )
    return graphs, rows


def _label(graphs: Graphs, records: Records, known: Sequence[Sequence[int]], label: Label) -> None:
    """Fills in the codes of stereocentres and double bonds."""
    tagged = np.flatnonzero(records.tags)
    turned = np.flatnonzero(~np.isin(records.stereo, _NO_STEREO))
    centre_starts = np.searchsorted(tagged, graphs.atom_starts)
    bond_starts = np.searchsorted(turned, graphs.bond_starts)
    counts = np.diff(centre_starts).tolist()
    centre_codes = np.array(
        [
            code
            for codes, count in zip(known, counts, strict=True)
            for code in (codes if len(codes) == count else [0] * count)
        ],
        dtype=np.uint8,
    )
    bond_codes = _BOND_CODES[records.stereo[turned]]
    missing = [
        np.searchsorted(starts, np.flatnonzero(codes == 0), side="right") - 1
        for starts, codes in ((centre_starts, centre_codes), (bond_starts, bond_codes))
    ]
    for row in np.unique(np.concatenate(missing)).tolist():
        centres = slice(centre_starts[row], centre_starts[row + 1])
        bonds = slice(bond_starts[row], bond_starts[row + 1])
        centre_codes[centres], bond_codes[bonds] = label(
            row,
            (tagged[centres] - graphs.atom_starts[row]).tolist(),
            (turned[bonds] - graphs.bond_starts[row]).tolist(),
        )
    graphs.atoms[tagged, _CHIRALITY] = centre_codes
    graphs.bonds[turned, _STEREO] = bond_codes
