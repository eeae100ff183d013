"""Numbers that a reaction put on atoms are no chemistry: no teacher, and no student, sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rdkit import Chem

from molkd import students, teachers
from tests.teachers import tiny_models
from tests.teachers.pretrained import distance
from tests.teachers.test_contract import READINESS, WEIGHTS

MAPPED = {
    "[CH3:1][OH:2]": "CO",
    "[OH:7][CH2:1][CH3:3]": "CCO",
    "[cH:1]1[cH:2][cH:3][cH:4][cH:5][c:6]1[C:7](=[O:8])[OH:9]": "OC(=O)c1ccccc1",
    "[CH3:2][C@H:1]([NH2:3])[C:4](=[O:5])[OH:6]": "C[C@H](N)C(=O)O",
    "[CH3:1]/[CH:2]=[CH:3]/[Cl:4]": "C/C=C/Cl",
    "[NH3+:9][CH2:1][C:2](=[O:3])[O-:4]": "[NH3+]CC(=O)[O-]",
}
"""SMILES with maps -> without; some maps would change the order of atoms if they counted."""

OFFLINE = [
    *(name for name, state in READINESS.items() if state == "ready"),
    *(["depict:resnet20-cifar10"] if (WEIGHTS / "resnet-cifar10").is_dir() else []),
    "describe:hashed-ngrams",
]


def _check(embedder: Any) -> None:
    expected = embedder.embed(list(MAPPED.values()))
    assert not expected.failures
    for form in (list(MAPPED), [Chem.MolFromSmiles(smiles) for smiles in MAPPED]):
        found = embedder.embed(form)
        assert not found.failures
        assert distance(found.values, expected.values) < 1e-5


@pytest.mark.parametrize(
    "name",
    OFFLINE,
)
def test_a_teacher_does_not_see_atom_maps(name: str) -> None:
    _check(teachers.make(name, weights_dir=WEIGHTS))


@pytest.mark.parametrize("model", tiny_models.MODELS)
def test_a_model_of_the_hub_does_not_see_atom_maps(model: str, folders: dict[str, Path]) -> None:
    _check(tiny_models.teacher_of(folders, model, unknown="keep"))


def test_a_student_does_not_see_atom_maps() -> None:
    _check(students.make(students.sized("tiny")))
