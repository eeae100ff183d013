"""The features of many molecules in a few arrays, end to end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from molkd.failures import joined, packed_reasons, picked, reasons_of
from molkd.types import Rows, ranges_of, starts_of

Codes = npt.NDArray[np.uint8]

_ARRAYS = ("atoms", "bonds", "ends", "atom_starts", "bond_starts")


@dataclass(frozen=True, slots=True)
class Graphs:
    """The graphs of n items, end to end; an item that failed is a graph without atoms.

    Attributes:
        atoms: shape (a, atom features), codes of all atoms.
        bonds: shape (m, bond features), codes of all bonds, each stored once.
        ends: shape (m, 2), the atoms a bond joins, counted within their own graph.
        atom_starts: shape (n + 1,), graph i holds atoms from atom_starts[i] to atom_starts[i + 1].
        bond_starts: shape (n + 1,), the same for bonds.
        failures: row -> reason.
    """

    atoms: Codes
    bonds: Codes
    ends: npt.NDArray[np.int32]
    atom_starts: Rows
    bond_starts: Rows
    failures: Mapping[int, str]

    reader: ClassVar[str] = "graphs"
    """Which features they are is told by the student's digests of `versions.reading`."""

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Returns all that it holds, for `molkd.bank.readings`."""
        held = {name: getattr(self, name) for name in _ARRAYS}
        return {**held, "failures": packed_reasons(self.failures)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Returns what `arrays` gave."""
        atoms, bonds, ends, atom_starts, bond_starts = (arrays[name] for name in _ARRAYS)
        return cls(atoms, bonds, ends, atom_starts, bond_starts, reasons_of(arrays["failures"]))

    def __len__(self) -> int:
        return len(self.atom_starts) - 1

    @property
    def shortened(self) -> int:
        """None: molecules are read whole."""
        return 0

    @property
    def sizes(self) -> Rows:
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
