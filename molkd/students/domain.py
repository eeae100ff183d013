"""Which molecules a student was distilled from: their elements, charges and sizes.

What lies outside is embedded all the same; that it does is said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from rdkit import Chem

from molkd.errors import CorruptFileError
from molkd.items.molecules.graph import ATOM_SIZES, Graphs

_ELEMENT, _CHARGE = (list(ATOM_SIZES).index(name) for name in ("element", "charge"))
_NEUTRAL = ATOM_SIZES["charge"] // 2


@dataclass(frozen=True, slots=True)
class Domain:
    """What occurred in a corpus.

    Attributes:
        elements: symbols, by atomic number.
        charges: formal charges of atoms, ascending; those beyond -5 and 5 count as these.
        heavy_atoms: fewest and most atoms, without hydrogens, of a molecule.
    """

    elements: tuple[str, ...]
    charges: tuple[int, ...]
    heavy_atoms: tuple[int, int]

    @classmethod
    def of(cls, graphs: Graphs) -> Self:
        """Returns what occurs in the molecules that could be read."""
        heavy = _heavy(graphs)[graphs.sizes > 0].tolist()
        return cls(
            tuple(_symbol(code) for code in np.unique(graphs.atoms[:, _ELEMENT]).tolist()),
            tuple(code - _NEUTRAL for code in np.unique(graphs.atoms[:, _CHARGE]).tolist()),
            (min(heavy, default=0), max(heavy, default=0)),
        )

    def outside(self, graphs: Graphs) -> dict[int, tuple[str, ...]]:
        """Returns row -> what of it did not occur, for the molecules that lie outside."""
        found: dict[int, dict[str, None]] = {}
        known = np.zeros(ATOM_SIZES["element"], dtype=np.bool_)
        known[[_number(symbol) for symbol in self.elements]] = True
        charged = np.zeros(ATOM_SIZES["charge"], dtype=np.bool_)
        charged[[charge + _NEUTRAL for charge in self.charges]] = True
        elements, charges = graphs.atoms[:, _ELEMENT], graphs.atoms[:, _CHARGE]
        strange = np.flatnonzero(~(known[elements] & charged[charges]))
        for atom, row in zip(strange.tolist(), _owners(graphs)[strange].tolist(), strict=True):
            said = found.setdefault(row, {})
            if not known[elements[atom]]:
                said[f"element {_symbol(int(elements[atom]))}"] = None
            if not charged[charges[atom]]:
                said[f"charge {int(charges[atom]) - _NEUTRAL:+d}"] = None
        fewest, most = self.heavy_atoms
        heavy, there = _heavy(graphs), graphs.sizes > 0
        for row in np.flatnonzero(there & (heavy > most)).tolist():
            found.setdefault(row, {})[f"more than {most} heavy atoms"] = None
        for row in np.flatnonzero(there & (heavy < fewest)).tolist():
            found.setdefault(row, {})[f"fewer than {fewest} heavy atoms"] = None
        return {row: tuple(found[row]) for row in sorted(found)}

    def as_json(self) -> bytes:
        """Returns it as files hold it."""
        return (json.dumps(asdict(self), indent=2) + "\n").encode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `as_json` wrote.

        Raises:
            CorruptFileError: it is no such text.
        """
        try:
            raw: Mapping[str, list[str]] = json.loads(text)
            fewest, most = map(int, raw["heavy_atoms"])
            read = cls(
                tuple(map(str, raw["elements"])), tuple(map(int, raw["charges"])), (fewest, most)
            )
            numbers = [_number(symbol) for symbol in read.elements]
        except (ValueError, TypeError, KeyError, RuntimeError) as error:
            raise CorruptFileError(f"no description of a corpus: {error}") from error
        if not all(-_NEUTRAL <= charge <= _NEUTRAL for charge in read.charges) or -1 in numbers:
            raise CorruptFileError("no description of a corpus: a charge or element is none")
        return read


def _owners(graphs: Graphs) -> npt.NDArray[np.int64]:
    """Shape (a,): the row of each atom."""
    return np.repeat(np.arange(len(graphs)), graphs.sizes)


def _heavy(graphs: Graphs) -> npt.NDArray[np.int64]:
    """Shape (n,): atoms that are no hydrogen."""
    heavy = graphs.atoms[:, _ELEMENT] != 1
    return np.bincount(_owners(graphs)[heavy], minlength=len(graphs))


def _symbol(number: int) -> str:
    return Chem.GetPeriodicTable().GetElementSymbol(number)


def _number(symbol: str) -> int:
    return Chem.GetPeriodicTable().GetAtomicNumber(symbol)
