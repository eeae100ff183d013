"""Molecules as packed graphs of small integers: what the student reads, without torch.

Every feature is invariant to the order of the atoms: stereochemistry is read as CIP labels (R, S,
r, s, E, Z), never as RDKit's order-dependent tags. Isotopes are not seen, nor is what a plain
SMILES cannot say: axial chirality, enhanced stereochemistry, conformers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from rdkit import Chem, rdBase
from rdkit.Chem import rdCIPLabeler

from molkd.failures import joined, packed_reasons, picked, reasons_of
from molkd.items.molecules import chem
from molkd.types import Rows, ranges_of, starts_of

FEATURES_VERSION = 2
"""Changes whenever the same molecule may get other integers. Version 1 saw isotopes (deuterium as
an atom, centres by isotopes only), and left large symmetric molecules half labelled."""

READABLE_VERSIONS = frozenset({1, 2})
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

_ORDERS = {
    Chem.BondType.SINGLE: 0,
    Chem.BondType.DOUBLE: 1,
    Chem.BondType.TRIPLE: 2,
    Chem.BondType.AROMATIC: 3,
    Chem.BondType.DATIVE: 4,
}
_OTHER_ORDER = 5
_UNLABELLED_CENTRE, _UNLABELLED_BOND = 5, 3
_CENTRES = {"R": 1, "S": 2, "r": 3, "s": 4}
_DOUBLE_BONDS = {"E": 1, "Z": 2, "e": 1, "z": 2}
_NO_TAG = Chem.ChiralType.CHI_UNSPECIFIED
_NO_STEREO = frozenset(
    {
        Chem.BondStereo.STEREONONE,
        Chem.BondStereo.STEREOANY,
        Chem.BondStereo.STEREOATROPCW,
        Chem.BondStereo.STEREOATROPCCW,
    }
)
_CIP_STEPS = 1_000_000

_ARRAYS = ("atoms", "bonds", "ends", "atom_starts", "bond_starts")

Codes = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Graphs:
    """The graphs of n items, end to end; an item that failed is a graph without atoms.

    Attributes:
        atoms: shape (a, len(ATOM_SIZES)), codes of all atoms.
        bonds: shape (m, len(BOND_SIZES)), codes of all bonds, each stored once.
        ends: shape (m, 2), the atoms a bond joins, counted within their own graph.
        atom_starts: shape (n + 1,), graph i holds atoms from atom_starts[i] to atom_starts[i + 1].
        bond_starts: shape (n + 1,), the same for bonds.
        failures: row -> reason.
    """

    atoms: Codes
    bonds: Codes
    ends: npt.NDArray[np.int32]
    atom_starts: Indices
    bond_starts: Indices
    failures: Mapping[int, str]

    reader: ClassVar[str] = f"graphs-{FEATURES_VERSION}"

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Returns all that it holds, for `molkd.bank.readings`."""
        held = {name: getattr(self, name) for name in _ARRAYS}
        return {**held, "failures": packed_reasons(self.failures)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Returns what `arrays` gave."""
        return cls(*(arrays[name] for name in _ARRAYS), reasons_of(arrays["failures"]))

    def __len__(self) -> int:
        return len(self.atom_starts) - 1

    @property
    def shortened(self) -> int:
        """None: molecules are read whole."""
        return 0

    @property
    def sizes(self) -> Indices:
        """Shape (n,): atoms per graph."""
        return np.diff(self.atom_starts)

    def select(self, rows: Rows) -> Self:
        """Returns the graphs of some rows, in the order given."""
        sizes, bond_counts = self.sizes[rows], np.diff(self.bond_starts)[rows]
        atoms = ranges_of(self.atom_starts[rows], sizes)
        bonds = ranges_of(self.bond_starts[rows], bond_counts)
        return type(self)(
            self.atoms[atoms],
            self.bonds[bonds],
            self.ends[bonds],
            starts_of(sizes),
            starts_of(bond_counts),
            picked(self.failures, rows),
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Returns the graphs of several parts, one after the other."""
        return cls(
            np.concatenate([part.atoms for part in parts]),
            np.concatenate([part.bonds for part in parts]),
            np.concatenate([part.ends for part in parts]),
            starts_of(np.concatenate([part.sizes for part in parts])),
            starts_of(np.concatenate([np.diff(part.bond_starts) for part in parts])),
            joined([(len(part), part.failures) for part in parts]),
        )


def as_read(item: chem.Molecule) -> Chem.Mol:
    """Reads a molecule with the atoms that a student sees, in their order.

    Raises:
        InvalidMoleculeError: see `chem.parse`.
    """
    mol = chem.parse(item)
    labelled = any(atom.GetIsotope() for atom in mol.GetAtoms())
    return _without_isotopes(mol) if labelled else mol


def featurize(items: Sequence[chem.Molecule]) -> Graphs:
    """Reads SMILES or RDKit molecules into packed graphs, one per item."""
    parsed = chem.parse_all(items)
    failures = dict(parsed.failures)
    counts = np.zeros((len(items), 2), dtype=np.int64)
    atoms: list[tuple[int, ...]] = []
    bonds: list[tuple[int, ...]] = []
    for row, mol in zip(parsed.rows, parsed.mols, strict=True):
        before = len(atoms), len(bonds)
        try:
            _add(mol, atoms, bonds)
        except chem.InvalidMoleculeError as error:
            failures[row] = str(error)
        counts[row] = len(atoms) - before[0], len(bonds) - before[1]
    bond_table = np.array(bonds, dtype=np.int32).reshape(-1, len(BOND_SIZES) + 2)
    return Graphs(
        np.array(atoms, dtype=np.uint8).reshape(-1, len(ATOM_SIZES)),
        bond_table[:, 2:].astype(np.uint8),
        bond_table[:, :2],
        starts_of(counts[:, 0]),
        starts_of(counts[:, 1]),
        dict(sorted(failures.items())),
    )


def _add(mol: Chem.Mol, atoms: list[tuple[int, ...]], bonds: list[tuple[int, ...]]) -> None:
    """Appends the codes of a molecule's atoms and bonds."""
    members = list(mol.GetAtoms())
    if any(atom.GetIsotope() for atom in members):
        mol = _without_isotopes(mol)
        members = list(mol.GetAtoms())
    joins = list(mol.GetBonds())
    centres, double_bonds = _stereo(mol, members, joins)
    rings = mol.GetRingInfo()
    for index, atom in enumerate(members):
        in_rings = rings.NumAtomRings(index)
        atoms.append(
            (
                atom.GetAtomicNum(),
                min(atom.GetDegree(), 11),
                min(max(atom.GetFormalCharge(), -5), 5) + 5,
                min(atom.GetTotalNumHs(), 8),
                min(int(atom.GetHybridization()), 8),
                atom.GetIsAromatic(),
                min(in_rings, 4),
                min(rings.MinAtomRingSize(index), 9) if in_rings else 0,
                centres.get(index, 0),
                min(atom.GetNumRadicalElectrons(), 3),
            )
        )
    for index, bond in enumerate(joins):
        bonds.append(
            (
                bond.GetBeginAtomIdx(),
                bond.GetEndAtomIdx(),
                _ORDERS.get(bond.GetBondType(), _OTHER_ORDER),
                bond.GetIsConjugated(),
                rings.NumBondRings(index) > 0,
                double_bonds.get(index, 0),
            )
        )


def _stereo(
    mol: Chem.Mol, members: Sequence[Chem.Atom], joins: Sequence[Chem.Bond]
) -> tuple[dict[int, int], dict[int, int]]:
    """Returns the codes of the labelled atoms and bonds, by index."""
    tagged = [index for index, atom in enumerate(members) if atom.GetChiralTag() != _NO_TAG]
    turned = [index for index, bond in enumerate(joins) if bond.GetStereo() not in _NO_STEREO]
    if not tagged and not turned:
        return {}, {}
    labelled = _labelled(mol)
    centres = {
        index: _code(labelled.GetAtomWithIdx(index), _CENTRES, _UNLABELLED_CENTRE)
        for index in tagged
    }
    double_bonds = {
        index: _code(labelled.GetBondWithIdx(index), _DOUBLE_BONDS, _UNLABELLED_BOND)
        for index in turned
    }
    return centres, double_bonds


def _labelled(mol: Chem.Mol) -> Chem.Mol:
    """Returns a copy with CIP labels: they are properties, not to be left on the caller's molecule.

    Some molecules are too symmetric to be labelled in time, and which of their labels are ready by
    then depends on the order of the atoms: they keep RDKit's older labels, which do not.
    """
    labelled = Chem.Mol(mol)
    try:
        rdCIPLabeler.AssignCIPLabels(labelled, maxRecursiveIterations=_CIP_STEPS)
    except RuntimeError:
        labelled = Chem.Mol(mol)
        Chem.AssignStereochemistry(labelled, cleanIt=True, force=True)
    return labelled


def _without_isotopes(mol: Chem.Mol) -> Chem.Mol:
    """Returns the molecule with the common isotope of every atom; deuterium becomes implicit.

    Raises:
        InvalidMoleculeError: RDKit cannot sanitise it without.
    """
    plain = Chem.Mol(mol)
    for atom in plain.GetAtoms():
        # Common hydrogens that RDKit kept, such as those of "[H]/N=C/C", are marked, to stay.
        common = atom.GetAtomicNum() == 1 and not atom.GetIsotope()
        atom.SetIsotope(1 if common else 0)
    rules = Chem.RemoveHsParameters()
    rules.removeDefiningBondStereo = True
    try:
        with rdBase.BlockLogs():
            plain = Chem.RemoveHs(plain, rules)
    except Exception as error:  # RDKit raises bare C++ exceptions of many kinds
        reason = f"isotopes cannot be taken off: {chem.first_line(error)}"
        raise chem.InvalidMoleculeError(reason) from error
    for atom in plain.GetAtoms():
        atom.SetIsotope(0)
    Chem.AssignStereochemistry(plain, cleanIt=True, force=True)
    return plain


def _code(part: Chem.Atom | Chem.Bond, codes: Mapping[str, int], otherwise: int) -> int:
    return codes.get(part.GetProp("_CIPCode"), otherwise) if part.HasProp("_CIPCode") else otherwise
