"""RDKit's 2-D descriptors: a frozen list, winsorised, without NaN or infinity.

`rdkit2d.csv` beside this file holds one line per descriptor: its name, the bounds its values are
clipped to and its median, written by `benchmarks/scripts/freeze_descriptors.py` from 20,000
molecules of ChEMBL 22. The bounds are the 0.05 and 99.95 percentiles. Left out: Ipc (overflows),
AvgIpc, SPS and QED (slow), and what does not vary between its bounds.

What RDKit computes in one call for a whole family is computed in one call here, and the
electrotopological state once for the 25 descriptors over it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import rdkit
from rdkit import Chem
from rdkit.Chem import Descriptors, rdMolDescriptors, rdmolops, rdPartialCharges
from rdkit.Chem.EState import EState, EState_VSA

from molkd.errors import ConfigError
from molkd.teachers.base.per_molecule import Encoder, PerMoleculeTeacher
from molkd.types import TeacherCard, digest_of

TABLE: Final = Path(__file__).with_name("rdkit2d.csv")

Family = tuple[tuple[str, ...], Callable[[Any], Sequence[float]]]
"""Descriptors, and the call that computes all of them in this order."""


@dataclass(frozen=True, slots=True)
class Table:
    """The frozen descriptors; the arrays have one value for each.

    Attributes:
        names: RDKit's names, in the order of the columns.
        low: smallest value that comes out.
        high: largest value that comes out.
        median: value in place of one that RDKit cannot compute.
    """

    names: tuple[str, ...]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    median: npt.NDArray[np.float64]

    @property
    def digest(self) -> str:
        """Changes with any name or number."""
        columns = (self.low.tolist(), self.high.tolist(), self.median.tolist())
        return digest_of([list(self.names), *columns])


class Rdkit2dTeacher(PerMoleculeTeacher):
    """RDKit's 2-D descriptors of a frozen list, clipped to frozen bounds, in their own units."""

    @property
    def card(self) -> TeacherCard:
        """What the teacher is, and everything that decides its numbers."""
        table = read_table()
        return TeacherCard(
            name="rdkit2d",
            kind="descriptor",
            dim=len(table.names),
            support="real",
            source=f"RDKit {rdkit.__version__}, rdkit.Chem.Descriptors",
            license="BSD-3-Clause (RDKit)",
            limits="every molecule that RDKit can sanitise; partial charges and BCUT2D, undefined "
            "for metals and dummy atoms, take the median of ChEMBL; values beyond the 0.05 and "
            "99.95 percentiles of ChEMBL are clipped to these",
            options={"table": table.digest},
            versions={"rdkit": rdkit.__version__},
        )

    def get_feature_names_out(self, input_features: object = None) -> npt.NDArray[np.object_]:  # noqa: ARG002
        """Returns RDKit's names of the descriptors."""
        return np.array(read_table().names, dtype=object)

    def _encoder(self) -> Encoder:
        table = read_table()
        compute = calculator(table.names)

        def encode(mol: Chem.Mol) -> npt.NDArray[np.float64]:
            values = compute(mol)
            return np.clip(np.where(np.isnan(values), table.median, values), table.low, table.high)

        return encode


@cache
def read_table() -> Table:
    """Reads `rdkit2d.csv`."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    low, high, median = (np.array([float(line[c]) for line in lines]) for c in _COLUMNS)
    return Table(tuple(line["name"] for line in lines), low, high, median)


@cache
def calculator(names: tuple[str, ...]) -> Callable[[Chem.Mol], npt.NDArray[np.float64]]:
    """Returns the function that computes descriptors; NaN where one is undefined.

    Raises:
        ConfigError: the installed RDKit lacks some of them.
    """
    missing = [name for name in names if not hasattr(Descriptors, name)]
    if missing:
        raise ConfigError(
            f"RDKit {rdkit.__version__} lacks the descriptors {', '.join(missing)}; the frozen "
            "list of rdkit2d was made with RDKit 2026.9: install that version"
        )
    families = [family for family in _families() if set(family[0]) & set(names)]
    grouped = [name for group, _ in families for name in group]
    singles = [name for name in names if name not in grouped]
    functions: list[Callable[[Chem.Mol], float]] = [getattr(Descriptors, name) for name in singles]
    order = np.array([[*grouped, *singles].index(name) for name in names])

    def compute(mol: Chem.Mol) -> npt.NDArray[np.float64]:
        mol = Chem.Mol(mol)  # RDKit's descriptors leave their intermediate results on the molecule
        values: list[float] = []
        for _, function in families:
            values.extend(function(mol))
        values.extend(function(mol) for function in functions)
        return np.array(values)[order]

    return compute


def _families() -> list[Family]:
    ends = [f"{of}{end}" for of in ("MW", "CHG", "LOGP", "MR") for end in ("HI", "LOW")]
    return [
        (_numbered("PEOE_VSA", 14), cast("Any", rdMolDescriptors.PEOE_VSA_)),
        (_numbered("SMR_VSA", 10), cast("Any", rdMolDescriptors.SMR_VSA_)),
        (_numbered("SlogP_VSA", 12), cast("Any", rdMolDescriptors.SlogP_VSA_)),
        (tuple(f"BCUT2D_{end.replace('CHGLOW', 'CHGLO')}" for end in ends), _bcut2d),
        (
            ("MaxPartialCharge", "MinPartialCharge", "MaxAbsPartialCharge", "MinAbsPartialCharge"),
            _partial_charges,
        ),
        (
            (
                *("MaxEStateIndex", "MinEStateIndex", "MaxAbsEStateIndex", "MinAbsEStateIndex"),
                *_numbered("EState_VSA", 11),
                *_numbered("VSA_EState", 10),
            ),
            _estate,
        ),
        (("MolLogP", "MolMR"), rdMolDescriptors.CalcCrippenDescriptors),
    ]


def _numbered(stem: str, count: int) -> tuple[str, ...]:
    return tuple(f"{stem}{number}" for number in range(1, count + 1))


def _atoms(mol: Chem.Mol) -> list[Any]:
    return [mol.GetAtomWithIdx(index) for index in range(mol.GetNumAtoms())]  # 3 x GetAtoms()


def _bcut2d(mol: Chem.Mol) -> Sequence[float]:
    try:
        return rdMolDescriptors.BCUT2D(mol)
    except ValueError:  # no Gasteiger parameters for an element
        return [np.nan] * 8


def _partial_charges(mol: Chem.Mol) -> Sequence[float]:
    """Extremes of Gasteiger's charges; undefined as soon as one charge is."""
    rdPartialCharges.ComputeGasteigerCharges(mol)
    charges = np.array([atom.GetDoubleProp("_GasteigerCharge") for atom in _atoms(mol)])
    if not np.isfinite(charges).all():
        return [np.nan] * 4
    low, high = float(charges.min()), float(charges.max())
    return [high, low, max(abs(low), abs(high)), min(abs(low), abs(high))]


def _estate(mol: Chem.Mol) -> Sequence[float]:
    """Extremes of the electrotopological state, and its sums over surface bins and the reverse."""
    state = _estate_indices(mol)
    surface = np.array(rdMolDescriptors._CalcLabuteASAContribs(mol)[0])  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    size = np.abs(state)
    by_state = np.searchsorted(EState_VSA.estateBins, state, side="right")
    by_surface = np.searchsorted(EState_VSA.vsaBins, surface, side="right")
    return [
        *(state.max(), state.min(), size.max(), size.min()),
        *np.bincount(by_state, weights=surface, minlength=11),
        *np.bincount(by_surface, weights=state, minlength=10),
    ]


def _estate_indices(mol: Chem.Mol) -> npt.NDArray[np.float64]:
    """Electrotopological state per atom; Hall, Mohney and Kier 1991, doi:10.1021/ci00001a012."""
    intrinsic = np.array([_intrinsic_state(atom) for atom in _atoms(mol)])
    steps = rdmolops.GetDistanceMatrix(mol) + 1
    weight = np.where(steps < 1e6, 1 / steps**2, 0)  # other fragments do not perturb
    return intrinsic + intrinsic * weight.sum(axis=1) - weight @ intrinsic


def _intrinsic_state(atom: Any) -> float:
    degree = atom.GetDegree()
    if degree == 0:
        return 0.0
    number = atom.GetAtomicNum()
    valence = Chem.GetPeriodicTable().GetNOuterElecs(number) - atom.GetTotalNumHs()
    return (4 / EState.GetPrincipleQuantumNumber(number) ** 2 * valence + 1) / degree


_COLUMNS: Final = ("low", "high", "median")
