"""The graph network of espaloma-charge gives the numbers of the original code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from molkd.teachers.packages.espaloma import FEATURES, EspalomaChargeTeacher, atom_features
from tests.teachers import pretrained
from tests.teachers.packages import originals


@pytest.fixture(scope="module")
def teacher() -> EspalomaChargeTeacher:
    teacher = EspalomaChargeTeacher()
    originals.needs_package(teacher)
    return teacher


def test_equals_the_original(teacher: EspalomaChargeTeacher) -> None:
    originals.check_equals_original(teacher)


def test_batches_do_not_matter(teacher: EspalomaChargeTeacher) -> None:
    pretrained.check_batches_do_not_matter(teacher)


def test_travels(teacher: EspalomaChargeTeacher) -> None:
    pretrained.check_travels(teacher.set_params(on_invalid="null"))


def test_card_needs_no_weights(tmp_path: Path) -> None:
    assert EspalomaChargeTeacher().card.name == "espaloma-charge"
    pretrained.check_card_needs_no_weights(EspalomaChargeTeacher(), tmp_path)


def test_refuses_other_weights(tmp_path: Path) -> None:
    pretrained.check_refuses_other_weights(EspalomaChargeTeacher(), tmp_path)


def test_a_missing_package_is_named_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    originals.check_missing_package_is_named(
        EspalomaChargeTeacher(), "pip install --no-deps expaloma==0.1.0", tmp_path, monkeypatch
    )


def test_single_atoms_embed_and_unknown_ones_have_a_reason(teacher: EspalomaChargeTeacher) -> None:
    items = ["[Cl-]", "[Na+].[Cl-]", "[H][H]", "*C", "[He]", "C[Pt](C)(C)C", "C"]
    embedded = teacher.embed(items)
    assert embedded.valid.tolist() == [True, False, True, False, False, False, True]
    assert embedded.failures[1] == "elements unknown to the model: Na"
    assert embedded.failures[3] == "elements unknown to the model: *"
    assert np.ptp(teacher.transform(["C", "[Cl-]", "[H][H]"]), axis=0).max() > 0.1


def test_unknown_hybridisations_have_a_reason(teacher: EspalomaChargeTeacher) -> None:
    mol = Chem.MolFromSmiles("CS")
    mol.GetAtomWithIdx(1).SetHybridization(Chem.HybridizationType.SP2D)
    assert teacher._refuse(mol) == "hybridisation unknown to the model: SP2D"


def test_features_of_an_atom() -> None:
    mol = Chem.AddHs(Chem.MolFromSmiles("C1CC1O"))
    values = atom_features(mol)
    assert values.shape == (10, FEATURES)
    assert values[3].nonzero()[0].tolist() == [8, 100, 101, 102, 104, 113]
    np.testing.assert_allclose(values[0, 100:], [4, 4, 4, 0, 12.011, 1, *[0] * 7, 1, 0, 0])
    assert values[-1].nonzero()[0].tolist() == [1, 100, 101, 102, 104]


@pytest.mark.gpu
def test_a_gpu_gives_the_same_numbers(teacher: EspalomaChargeTeacher) -> None:
    cpu = teacher.embed(pretrained.DRUGS).values
    cuda = teacher.set_params(device="cuda").embed(pretrained.DRUGS).values
    teacher.set_params(device="cpu")
    assert pretrained.distance(cuda, cpu) < 1e-4
