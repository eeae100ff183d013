"""What every molecular teacher does with rows that fail, shown on a small one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from rdkit import Chem

from molkd.errors import ItemError
from molkd.teachers import as_teacher
from molkd.teachers.base.molecules import MoleculeTeacher, OnInvalid
from molkd.types import Teacher, TeacherCard


class _SizeTeacher(MoleculeTeacher):
    """Atoms and bonds; refuses metals, says why about iodine, breaks silently on bromine."""

    def __init__(self, *, on_invalid: OnInvalid = "error") -> None:
        self.on_invalid = on_invalid

    @property
    def card(self) -> TeacherCard:
        return TeacherCard(
            name="size",
            kind="descriptor",
            dim=2,
            support="counts",
            source="this test",
            license="Apache-2.0",
            limits="no metals",
        )

    def _refuse(self, mol: Chem.Mol) -> str | None:
        return "holds sodium" if _holds(mol, 11) else None

    def _compute(self, mols: list[Chem.Mol]) -> Any:
        rows = [[mol.GetNumAtoms(), mol.GetNumBonds()] for mol in mols]
        values = np.array(rows, dtype=np.float64)
        values[[_holds(mol, 35) for mol in mols], 1] = np.inf
        return values

    def _try(self, mols: list[Chem.Mol]) -> tuple[Any, Mapping[int, str]]:
        values = self._compute(mols)
        reasons = {i: "iodine is unknown" for i, mol in enumerate(mols) if _holds(mol, 53)}
        values[list(reasons)] = np.nan
        return values, reasons


def _holds(mol: Chem.Mol, element: int) -> bool:
    return any(atom.GetAtomicNum() == element for atom in mol.GetAtoms())


KINDS = {
    "CCO": None,
    "C=C": None,
    "[Na+].[Cl-]": "holds sodium",
    "CI": "iodine is unknown",
    "CBr": "the teacher returned NaN or infinity",
    "": "empty SMILES",
    "C1CC": "SMILES syntax error",
}


def test_fits_the_protocol() -> None:
    assert isinstance(_SizeTeacher(), Teacher)
    assert as_teacher(_SizeTeacher()).card.name == "size"


def test_every_kind_of_failure_has_its_reason() -> None:
    embedded = _SizeTeacher().embed(list(KINDS))
    assert embedded.values[:2].tolist() == [[3, 2], [2, 1]]
    assert np.isnan(embedded.values[2:]).all()
    expected = {row: why for row, why in enumerate(KINDS.values()) if why}
    assert dict(embedded.failures) == expected
    assert embedded.valid.tolist() == [True, True] + [False] * 5
    assert embedded.values.dtype == np.float32


@given(st.lists(st.sampled_from(list(KINDS)), max_size=12))
def test_every_item_has_its_row_whatever_its_neighbours(items: list[str]) -> None:
    embedded = _SizeTeacher().embed(items)
    assert embedded.values.shape == (len(items), 2)
    assert {row: KINDS[one] for row, one in enumerate(items) if KINDS[one]} == embedded.failures
    assert list(embedded.failures) == sorted(embedded.failures)
    alone = [_SizeTeacher().embed([one]).values for one in items]
    assert_array_equal(embedded.values, np.concatenate([np.empty((0, 2)), *alone]))


def test_nothing_is_computed_where_all_are_refused() -> None:
    embedded = _SizeTeacher().embed(["[Na+].[Cl-]", ""])
    assert list(embedded.failures) == [0, 1]
    assert embedded.values.shape == (2, 2)


def test_transform_raises_or_keeps_the_row() -> None:
    with pytest.raises(ItemError, match="row 1: iodine is unknown"):
        _SizeTeacher().transform(["C", "CI"])
    kept = _SizeTeacher(on_invalid="null").transform(["C", "CI"])
    assert_array_equal(kept, [[1, 0], [np.nan, np.nan]])


def test_names_of_features() -> None:
    assert _SizeTeacher().get_feature_names_out().tolist() == ["_sizeteacher0", "_sizeteacher1"]


def test_what_a_family_read_is_not_in_its_state() -> None:
    teacher = _SizeTeacher()
    teacher._loaded = np.zeros(1000)
    assert teacher.__getstate__() == {"on_invalid": "error"}


@pytest.mark.parametrize("missing", ["card", "_compute"])
def test_a_family_must_implement_its_part(missing: str) -> None:
    partial = type(
        "_Partial",
        (MoleculeTeacher,),
        {name: None for name in ("card", "_compute") if name != missing},
    )
    with pytest.raises(TypeError, match=f"abstract method '?{missing}"):
        partial()
