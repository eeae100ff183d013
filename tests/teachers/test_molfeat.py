"""molfeat's featurizers as teachers: same numbers, honest support, reasons instead of crashes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from molfeat.calc import FPCalculator
from molfeat.store.modelstore import ModelStore
from molfeat.trans import MoleculeTransformer
from molfeat.trans.fp import FPVecTransformer
from sklearn.base import clone

from molkd import teachers
from molkd.errors import ConfigError, MissingExtraError, UnknownNameError, WeightsError
from molkd.teachers.adapters import molfeat
from molkd.teachers.adapters.molfeat import MolfeatTeacher

MOLECULES = [
    *("CCO", "c1ccccc1C(=O)NC", "[Na+].[Cl-]", "C", "CN1C=NC2=C1C(=O)N(C)C(=O)N2C"),
    *("CC[Pt]", "N[C@@H](C)C(=O)O", "OCC1OC(O)C(O)C(O)C1O", "CC(C)Cc1ccc(cc1)C(C)C(=O)O"),
]
KINDS = [
    *("maccs", "avalon", "pattern", "layered", "secfp", "erg", "estate", "avalon-count", "ecfp"),
    *("fcfp", "topological", "atompair", "rdkit", "ecfp-count", "fcfp-count", "topological-count"),
    *("atompair-count", "rdkit-count", "desc2D", "cats2D", "pharm2D", "scaffoldkeys", "skeys"),
]
PACKAGES_MISSING = ["map4", "mordred"]
CONFORMERS = ["desc3D", "cats3D", "pharm3D", "electroshape", "usr", "usrcat"]


def test_all_kinds_of_molfeat_are_tested() -> None:
    assert {*KINDS, *PACKAGES_MISSING, *CONFORMERS} == set(FPVecTransformer.AVAILABLE_FPS)


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_molfeats_and_support_is_honest(kind: str) -> None:
    teacher: Any = teachers.make(f"molfeat:{kind}")
    embedded = teacher.embed([*MOLECULES, "xx"])
    assert embedded.failures[len(MOLECULES)] == "SMILES syntax error"
    values = embedded.values[embedded.valid]
    expected = np.array(FPVecTransformer(kind=kind, length=2048)(MOLECULES[:2]))
    np.testing.assert_allclose(values[:2], expected, rtol=1e-5)
    card = teacher.card
    assert (card.name, card.dim) == (f"molfeat:{kind}", expected.shape[1])
    if card.support == "bits":
        assert set(np.unique(values)) == {0, 1}
    elif card.support == "counts":
        assert (values == np.round(values)).all()
        assert values.max() > 1
    else:
        assert "taken as real numbers" in card.limits


@pytest.mark.parametrize("kind", CONFORMERS)
def test_conformers_are_refused(kind: str) -> None:
    with pytest.raises(ConfigError, match=f"molfeat:{kind} gives no vector .* conformers"):
        assert teachers.make(f"molfeat:{kind}").card


@pytest.mark.parametrize("kind", PACKAGES_MISSING)
def test_a_missing_package_is_named(kind: str) -> None:
    with pytest.raises(MissingExtraError, match=f"molfeat:{kind} needs another package.*{kind}"):
        assert teachers.make(f"molfeat:{kind}").card


def test_radius_is_part_of_the_name() -> None:
    ecfp6: Any = teachers.make("molfeat:ecfp:6")
    np.testing.assert_array_equal(
        ecfp6.transform(MOLECULES),
        np.array([FPCalculator("ecfp", radius=3)(smiles) for smiles in MOLECULES]),
    )
    assert ecfp6.card.digest != teachers.make("molfeat:ecfp").card.digest
    assert ecfp6.card.support == "bits"


def test_undefined_descriptors_cost_their_rows() -> None:
    embedded = teachers.make("molfeat:desc2D").embed(["CCO", "[Na+].[Cl-]"])
    assert embedded.failures == {1: "the teacher returned NaN or infinity"}


class Store(ModelStore):
    """A store that has no models, or that cannot be reached."""

    error: Exception | None = None

    def search(self, *args: object, **kwargs: object) -> list[Any]:
        if self.error:
            raise self.error
        return []


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> type[Store]:
    monkeypatch.setattr("molfeat.store.loader.ModelStore", Store)
    monkeypatch.setattr(Store, "error", None)
    return Store


def test_unknown_names_bring_a_proposal(store: type[Store]) -> None:
    with pytest.raises(UnknownNameError, match=r"no featurizer 'ecpf'.*'ecfp'"):
        assert teachers.make("molfeat:ecpf").card


def test_a_store_out_of_reach_is_told(store: type[Store], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "error", ConnectionError("no route"))
    with pytest.raises(WeightsError, match=r"'ChemBERTa-77M-MLM' is no kind.*reached: no route"):
        assert teachers.make("molfeat:ChemBERTa-77M-MLM").card


class Letters(MoleculeTransformer):
    """Refuses whole batches for one molecule, as molfeat's pretrained transformers do."""

    def __init__(self) -> None:
        super().__init__(featurizer=FPCalculator("maccs"))
        self.batches: list[int] = []

    def transform(self, mols: Any, **_: object) -> Any:
        self.batches.append(len(mols))
        if any(mol.GetAtomWithIdx(0).GetSymbol() == "S" for mol in mols):
            raise ValueError("no sulfur, please")
        return super().transform(mols)


def test_an_object_is_divided_into_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(molfeat, "BATCH", 2)
    letters = Letters()
    embedded = MolfeatTeacher(letters).embed(["CCO", "CCN", "S", "CCC", "CCCl"])
    assert embedded.failures == {2: "ValueError: no sulfur, please"}
    expected = teachers.make("maccs").embed(["CCO", "CCN", "CCC", "CCCl"]).values
    np.testing.assert_array_equal(embedded.values[embedded.valid], expected)
    assert letters.batches == [1, 2, 2, 1, 1, 1]


def test_objects_are_told_apart() -> None:
    def of(radius: int) -> MolfeatTeacher:
        return MolfeatTeacher(FPCalculator("ecfp", radius=radius))

    assert of(2).card.digest == of(2).card.digest == clone(of(2)).card.digest
    assert of(2).card.digest != of(3).card.digest
    assert (of(2).card.name, of(2).card.support) == ("molfeat:FPCalculator", "real")


def test_what_is_no_featurizer_is_refused() -> None:
    with pytest.raises(ValueError, match="'featurizer' parameter of MolfeatTeacher"):
        MolfeatTeacher(3).transform(["CCO"])


def test_another_featurizer_can_be_set() -> None:
    teacher = MolfeatTeacher("maccs")
    assert len(teacher) == 167
    assert teacher.set_params(featurizer="estate").transform(["CCO"]).shape == (1, 79)
