"""The features of many molecules at once: the integers of `molkd.items.molecules.plain`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from rdkit import Chem

from molkd.items.molecules import binary, records, stereo
from molkd.items.molecules.packed import Graphs
from molkd.items.molecules.plain import ORDERS, OTHER_ORDER
from molkd.items.molecules.records import Records
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
    said, readable = records.read([binary for binary, _ in written])
    atom_starts, bond_starts = starts_of(said.atom_counts), starts_of(said.bond_counts)
    atoms = np.zeros((atom_starts[-1], 10), dtype=np.uint8)
    columns = (
        said.elements,
        np.minimum(said.degrees, 11),
        np.clip(said.charges, -5, 5) + 5,
        np.minimum(said.hydrogens, 8),
        np.minimum(said.hybridizations, 8),
        said.aromatic,
        np.minimum(said.ring_counts, 4),
        np.minimum(said.smallest_rings, 9),
        0,
        np.minimum(said.radicals, 3),
    )
    for place, column in enumerate(columns):
        atoms[:, place] = column
    bonds = np.zeros((bond_starts[-1], 4), dtype=np.uint8)
    for place, column in enumerate((_ORDERS[said.types], said.conjugated, said.in_ring, 0)):
        bonds[:, place] = column
    graphs = Graphs(atoms, bonds, said.ends, atom_starts, bond_starts, {})
    rows = np.flatnonzero(readable)
    known = [written[row][1] for row in rows.tolist()]
    _label(graphs, said, known, lambda place, *parts: label(int(rows[place]), *parts))
    return graphs, rows


def _label(graphs: Graphs, said: Records, known: Sequence[Sequence[int]], label: Label) -> None:
    """Fills in the codes of stereocentres and double bonds."""
    tagged = np.flatnonzero(said.tags)
    turned = np.flatnonzero(~np.isin(said.stereo, _NO_STEREO))
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
    bond_codes = _BOND_CODES[said.stereo[turned]]
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
