"""DeepChem's featurizers as teachers: same numbers, reasons instead of empty rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rdkit import Chem
from sklearn.base import clone

from molkd import teachers
from molkd.errors import ConfigError, MissingExtraError, UnknownNameError
from molkd.teachers.adapters.deepchem import DeepChemTeacher

MOLECULES = ["CCO", "c1ccccc1C(=O)NC", "N[C@@H](C)C(=O)O", "C", "OCC1OC(O)C(O)C(O)C1O"]


@pytest.fixture(scope="module")
def feat() -> Any:
    assert teachers.make("deepchem:CircularFingerprint").card  # imports DeepChem quietly
    import deepchem.feat

    return deepchem.feat


@pytest.mark.parametrize(
    ("name", "support"),
    [
        ("CircularFingerprint", "bits"),
        ("MACCSKeysFingerprint", "bits"),
        ("RDKitDescriptors", "real"),
    ],
)
def test_values_are_deepchems(feat: Any, name: str, support: str) -> None:
    teacher: Any = teachers.make(f"deepchem:{name}")
    expected = getattr(feat, name)().featurize(MOLECULES).astype(np.float32)
    np.testing.assert_allclose(teacher.transform(MOLECULES), expected, rtol=1e-6)
    card = teacher.card
    assert (card.name, card.support, card.dim) == (f"deepchem:{name}", support, expected.shape[1])
    assert support != "bits" or set(np.unique(expected)) == {0, 1}


def test_the_order_of_atoms_is_deepchems_for_smiles(feat: Any) -> None:
    teacher = DeepChemTeacher(feat.SmilesToSeq(_alphabet("CO()=N1c"), max_len=30))
    backwards = Chem.RenumberAtoms(Chem.MolFromSmiles("CCO"), [2, 1, 0])
    np.testing.assert_array_equal(teacher.transform(["CCO"]), teacher.transform([backwards]))


def _alphabet(characters: str) -> dict[str, int]:
    return {character: number for number, character in enumerate([*characters, "<unk>", "<pad>"])}


def test_a_failure_is_a_row_with_deepchems_reason(feat: Any) -> None:
    class Picky(feat.MolecularFeaturizer):
        def _featurize(self, datapoint: Any, **_: object) -> Any:
            if datapoint.GetNumAtoms() == 2:
                raise ValueError("two atoms are too few")
            return np.array([]) if datapoint.GetNumAtoms() == 3 else np.ones(4)

    embedded = DeepChemTeacher(Picky()).embed(["CCCC", "CC", "CCO", "xx"])
    assert embedded.values.shape == (4, 4)
    assert embedded.failures == {
        1: "ValueError: two atoms are too few",
        2: "TypeError: it returned an array of shape (0,)",
        3: "SMILES syntax error",
    }


@pytest.mark.parametrize("name", ["MolGraphConvFeaturizer", "ConvMolFeaturizer", "SmilesToImage"])
def test_graphs_and_images_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"deepchem:{name} gives no vector.*one vector of fixed"):
        assert teachers.make(f"deepchem:{name}").card


def test_missing_arguments_are_named() -> None:
    with pytest.raises(ConfigError, match=r"CoulombMatrix has arguments.*max_atoms.*featurizer="):
        assert teachers.make("deepchem:CoulombMatrix").card


def test_missing_packages_are_named() -> None:
    with pytest.raises(
        MissingExtraError, match=r"Mol2VecFingerprint needs another package.*mol2vec"
    ):
        assert teachers.make("deepchem:Mol2VecFingerprint").card


@pytest.mark.parametrize("name", ["CircularFingerprints", "BindingPocketFeaturizer"])
def test_only_featurizers_of_molecules_are_known(name: str) -> None:
    with pytest.raises(UnknownNameError, match=f"no featurizer of molecules '{name}'"):
        assert teachers.make(f"deepchem:{name}").card


def test_arguments_decide_the_digest(feat: Any) -> None:
    def of(size: int) -> DeepChemTeacher:
        return DeepChemTeacher(feat.CircularFingerprint(size=size))

    assert of(512).card.digest == of(512).card.digest == clone(of(512)).card.digest
    assert of(512).card.digest != of(1024).card.digest
    used = of(512)
    used.embed(MOLECULES)
    assert used.card.digest == of(512).card.digest


def test_a_digest_survives_use() -> None:
    teacher = DeepChemTeacher("RDKitDescriptors")
    before = teacher.card.digest
    teacher.embed(MOLECULES)
    assert teacher.card.digest == before == DeepChemTeacher("RDKitDescriptors").card.digest


def test_counts_are_known_as_counts(feat: Any) -> None:
    teacher = DeepChemTeacher(feat.CircularFingerprint(is_counts_based=True))
    assert teacher.card.support == "counts"
    assert teacher.transform(MOLECULES).max() > 1


def test_what_is_no_featurizer_is_refused() -> None:
    with pytest.raises(ValueError, match="'featurizer' parameter of DeepChemTeacher"):
        DeepChemTeacher(3).transform(["CCO"])
