"""What a library is made of: properties of its molecules, duplicates and stereoisomers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rdkit import Chem
from rdkit.Chem import Crippen, Descriptors, rdMolDescriptors

from molkd.items.molecules import chem
from molkd.library.results import Shown
from molkd.runtime.processes import ordered_map
from molkd.runtime.progress import Progress

PROPERTIES = {
    "heavy atoms": Chem.Mol.GetNumHeavyAtoms,
    "molecular weight (Da)": Descriptors.MolWt,  # pyright: ignore[reportAttributeAccessIssue]
    "logP (Crippen)": Crippen.MolLogP,  # pyright: ignore[reportAttributeAccessIssue]
    "polar surface area (Å²)": rdMolDescriptors.CalcTPSA,
    "hydrogen-bond donors": rdMolDescriptors.CalcNumLipinskiHBD,
    "hydrogen-bond acceptors": rdMolDescriptors.CalcNumLipinskiHBA,
    "rotatable bonds": rdMolDescriptors.CalcNumRotatableBonds,
    "rings": rdMolDescriptors.CalcNumRings,
}
"""Property -> what computes it of an RDKit molecule; Lipinski's counts are of N and O."""

_CHUNK = 1000


@dataclass(frozen=True, eq=False, repr=False)
class Composition(Shown):
    """What the molecules of a library are, one row each.

    Attributes:
        compounds: n canonical SMILES with stereochemistry; "" where there is no molecule.
        skeletons: n canonical SMILES without stereochemistry, likewise.
        properties: name in `PROPERTIES` -> shape (n,), NaN where there is no molecule.
        reasons: row -> why there is none.
    """

    compounds: Sequence[str]
    skeletons: Sequence[str]
    properties: Mapping[str, npt.NDArray[np.float64]]
    reasons: Mapping[int, str]

    def __len__(self) -> int:
        return len(self.compounds)

    def __str__(self) -> str:
        known = {*self.compounds} - {""}
        return f"{len(known):,} different compounds in {len(self):,} rows"

    @property
    def duplicates(self) -> list[list[int]]:
        """Rows that are one compound, two or more of each; the most first, then by first row."""
        return _repeated(self.compounds)

    @property
    def stereoisomers(self) -> list[list[int]]:
        """First rows of compounds that differ in stereochemistry alone; order as `duplicates`."""
        first = list(
            {text: row for row, text in reversed(list(enumerate(self.compounds)))}.values()
        )
        first.sort()
        groups = _repeated([self.skeletons[row] for row in first])
        return [[first[place] for place in group] for group in groups]


def composition(smiles: Sequence[str], *, jobs: int = 1, progress: bool = True) -> Composition:
    """Reads the molecules of a library.

    Args:
        smiles: n; what cannot be read gets a reason.
        jobs: processes.
        progress: whether to show a progress bar.
    """
    chunks = [smiles[start : start + _CHUNK] for start in range(0, len(smiles), _CHUNK)]
    compounds: list[str] = []
    skeletons: list[str] = []
    values: list[npt.NDArray[np.float64]] = []
    reasons: dict[int, str] = {}
    with Progress("read molecules", len(smiles), unit="molecules", shown=progress) as bar:
        for part in ordered_map(_read, chunks, jobs=min(jobs, len(chunks)) or 1):
            reasons |= {len(compounds) + row: why for row, why in part.reasons.items()}
            compounds += part.compounds
            skeletons += part.skeletons
            values.append(np.array(list(part.properties.values())))
            bar.update(len(part))
    every = np.concatenate(values, axis=1) if values else np.empty((len(PROPERTIES), 0))
    return Composition(compounds, skeletons, dict(zip(PROPERTIES, every, strict=True)), reasons)


def _read(smiles: Sequence[str]) -> Composition:
    """The composition of a chunk."""
    found, rows, reasons = chem.read_all(lambda _, mol: _described(mol), smiles)
    compounds, skeletons = [""] * len(smiles), [""] * len(smiles)
    values = np.full((len(smiles), len(PROPERTIES)), np.nan)
    for row, (compound, skeleton, numbers) in zip(rows, found, strict=True):
        compounds[row], skeletons[row], values[row] = compound, skeleton, numbers
    return Composition(compounds, skeletons, dict(zip(PROPERTIES, values.T, strict=True)), reasons)


def _described(mol: Chem.Mol) -> tuple[str, str, list[float]]:
    numbers = [compute(mol) for compute in PROPERTIES.values()]
    return chem.canonical_smiles(mol), Chem.MolToSmiles(mol, isomericSmiles=False), numbers


def _repeated(texts: Sequence[str]) -> list[list[int]]:
    """Positions of each text that stands there twice or more; "" counts as none."""
    places: dict[str, list[int]] = {}
    for place, text in enumerate(texts):
        if text:
            places.setdefault(text, []).append(place)
    return sorted(
        (group for group in places.values() if len(group) > 1), key=lambda rows: (-len(rows), rows)
    )
