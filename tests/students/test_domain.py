"""What a student was distilled from is remembered, and what lies outside is named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from molkd import students
from molkd.errors import CorruptFileError
from molkd.featurizers import MolKDTransformer
from molkd.items.molecules.graph import featurize
from molkd.students import GineSettings, GineStudent
from molkd.students.domain import Domain
from molkd.students.molecules import DOMAIN

CORPUS = ["CCO", "c1ccccc1Cl", "CC(=O)[O-]", "xx", "C[NH3+]", "CCN(CC)CCCC"]
C60 = "c12c3c4c5c1c1c6c7c2c2c8c3c3c9c4c4c%10c5c5c1c1c6c6c%11c7c2c2c7c8c3c3c8c9c4c4c9c%10c5c5c1c1c6c6c%11c2c2c7c3c3c8c4c4c9c5c1c1c6c2c3c41"  # noqa: E501
INSIDE = ["CCCO", "ClCCCl", "C[NH3+]", "[O-]CC"]
OUTSIDE = {
    "[U]": ("element U", "fewer than 2 heavy atoms"),
    C60: ("more than 9 heavy atoms",),
    "C" * 300: ("more than 9 heavy atoms",),
    "CC[Fe+2]": ("element Fe", "charge +2"),
    "BrCCBr": ("element Br",),
    "C": ("fewer than 2 heavy atoms",),
    "*CC": ("element *",),
}


@pytest.fixture
def student() -> GineStudent:
    made = students.make(GineSettings(size="tiny", embedding_dim=64))
    made.remember(made.featurize(CORPUS))
    return made


def test_what_occurs_in_a_corpus() -> None:
    found = Domain.of(featurize(CORPUS))
    assert found == Domain(("C", "N", "O", "Cl"), (-1, 0, 1), (2, 9))
    assert Domain.from_json(found.as_json().decode()) == found


def test_hydrogens_do_not_count() -> None:
    assert Domain.of(featurize(["[H][H]", "[2H]CC"])).heavy_atoms == (0, 2)


def test_every_molecule_outside_is_named(student: GineStudent) -> None:
    items = [*INSIDE, *OUTSIDE, "xx"]
    embedded = student.embed(items)
    assert embedded.outside == {4 + place: what for place, what in enumerate(OUTSIDE.values())}
    assert list(embedded.failures) == [len(items) - 1]


def test_a_student_without_a_record_says_nothing_and_embeds_the_same(student: GineStudent) -> None:
    silent = students.untrained_like(student)
    silent.domain = None
    assert silent.embed(list(OUTSIDE)).outside == {}
    silent.load_state_dict(student.state_dict())
    np.testing.assert_array_equal(
        silent.embed(list(OUTSIDE)).values, student.embed(list(OUTSIDE)).values
    )
    assert silent.digest == student.digest


def test_it_travels_with_the_folder_and_with_a_truncated_student(
    student: GineStudent, tmp_path: Path
) -> None:
    student.save_pretrained(tmp_path)
    for other in (students.load(tmp_path), student.truncate(8)):
        assert other.domain == student.domain
        assert other.embed(["[U]"]).outside[0][0] == "element U"
    assert json.loads((tmp_path / DOMAIN).read_text())["elements"] == ["C", "N", "O", "Cl"]
    assert MolKDTransformer(tmp_path).embed(["CCO", "[U]"]).outside.keys() == {1}


@pytest.mark.parametrize("size", ["static-molecules", "hybrid-tiny"])
def test_students_that_count_remember_too(size: str, tmp_path: Path) -> None:
    made = students.make(students.sized(size))
    made.remember(made.featurize(CORPUS))
    made.save_pretrained(tmp_path)
    for other in (made, students.load(tmp_path), made.truncate(8)):
        assert other.embed(["[U]", "CCO"]).outside == {0: OUTSIDE["[U]"]}


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", "null"),
        '{"elements": ["Xx"], "charges": [], "heavy_atoms": [1, 2]}',
        '{"elements": ["C"], "charges": [9], "heavy_atoms": [1, 2]}',
        '{"elements": ["C"], "charges": [0], "heavy_atoms": [1]}',
        '{"elements": 3, "charges": [0], "heavy_atoms": [1, 2]}',
        '{"elements": ["C"], "charges": ["a"], "heavy_atoms": [1, 2]}',
    ],
)
def test_no_description_is_refused(text: str) -> None:
    with pytest.raises(CorruptFileError, match="no description of a corpus"):
        Domain.from_json(text)
