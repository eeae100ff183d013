"""The law of one vector: a compound has the same embedding, however it was written or drawn."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import datamol as dm
import numpy as np
import pytest
from rdkit import Chem

import molkd
from molkd import students, teachers
from molkd.embedding import EmbedSettings, embed_file
from molkd.featurizers import MolKDTransformer
from molkd.featurizers.deepchem import MolKDFeaturizer
from molkd.formats import embeddings
from molkd.items.molecules import chem
from molkd.library import of
from molkd.students import shipped
from molkd.teachers import catalogue
from molkd.teachers.hub.smiles import HuggingFaceTeacher
from molkd.types import Embeddings
from tests.fakes.compounds import DIFFERENT, HARD, SAME
from tests.fakes.forms import forms_of
from tests.teachers import tiny_models

STUDENT = shipped.DEFAULT
SHARED = Path(os.environ.get("MOLKD_SHARED", Path(__file__).resolve().parents[2] / "shared"))
TOLERANCE = 1e-5
CONFORMERS = ("ani-2x", "csp5", "csp5-1h")
"""Teachers that see every fourth compound: one costs them a tenth of a second."""

FORMS_PER_TEACHER = 3
"""Forms of each compound that a teacher sees: all in turn, as it would take minutes to see all."""

Embed = Callable[[Sequence[Any]], Embeddings]
Forms = dict[str, dict[str, str | Chem.Mol]]


@pytest.fixture(scope="module")
def forms() -> Forms:
    """SMILES -> its forms, for 300 molecules of ChEMBL that are not large, and the hard ones."""
    real = [text for text in dm.data.chembl_samples()["smiles"] if len(text) < 60][:300]
    assert len(real) == 300
    return {smiles: forms_of(smiles, seed) for seed, smiles in enumerate((*real, *HARD))}


@pytest.fixture(scope="module")
def student() -> Any:
    return molkd.load(STUDENT)


def _check_law(embed: Embed, forms: Forms) -> None:
    """Embeds compounds and forms of them; names those that differ."""
    items = [item for smiles, several in forms.items() for item in (smiles, *several.values())]
    labels = [(smiles, name) for smiles, several in forms.items() for name in ("itself", *several)]
    embedded = embed(items)
    broken: list[str] = []
    for row, (smiles, name) in enumerate(labels):
        if name == "itself":
            first = row
        elif first in embedded.failures or row in embedded.failures:
            if embedded.failures.get(first) != embedded.failures.get(row):
                broken.append(f"{smiles} as {name}: {embedded.failures.get(row)}")
        elif not np.allclose(
            embedded.values[row], embedded.values[first], rtol=TOLERANCE, atol=TOLERANCE
        ):
            broken.append(f"{smiles} as {name}: another vector")
    assert not broken, f"{len(broken)} of {len(items)}: {broken[:10]}"


def _some(forms: Forms, count: int) -> Forms:
    """Some forms of each compound: each form comes up as often as any other."""
    chosen: Forms = {}
    for place, (smiles, several) in enumerate(forms.items()):
        names = list(several)
        turns = [(place * count + turn) % len(names) for turn in range(count)]
        chosen[smiles] = {names[turn]: several[names[turn]] for turn in turns}
    return chosen


def test_every_form_is_there(forms: Forms):
    counts = {name: sum(name in several for several in forms.values()) for name in _names(forms)}
    assert len(counts) == 25
    assert min(counts.values()) > 100, counts
    assert len(forms) >= 360


def _names(forms: Forms) -> set[str]:
    return {name for several in forms.values() for name in several}


def test_a_student_sees_compounds_not_drawings(student: Any, forms: Forms):
    _check_law(student.embed, forms)


@pytest.fixture(scope="module", params=["static-molecules", "hybrid-tiny"])
def counting(request: pytest.FixtureRequest) -> Any:
    """A student that reads counts, untrained."""
    return students.make(students.sized(request.param)).eval()


def test_students_that_count_see_compounds(counting: Any, forms: Forms):
    _check_law(counting.embed, _some(forms, FORMS_PER_TEACHER))


def test_students_that_count_tell_apart_what_differs(counting: Any):
    for pairs, differ in ((DIFFERENT, True), (SAME, False)):
        for kind, pair in pairs.items():
            one, other = counting.embed(pair).values
            assert (np.abs(one - other).max() > 1e-3) == differ, kind


def test_the_law_notices_the_old_way_in(
    student: Any, forms: Forms, monkeypatch: pytest.MonkeyPatch
):
    def as_drawn(item: Any) -> Chem.Mol:
        mol = item if isinstance(item, Chem.Mol) else Chem.MolFromSmiles(item)
        mol.UpdatePropertyCache(strict=False)
        Chem.FastFindRings(mol)
        return mol

    monkeypatch.setattr(chem, "_parsed", as_drawn)
    with pytest.raises(AssertionError, match="as molecule with hydrogens: another vector"):
        _check_law(student.embed, dict(list(forms.items())[:40]))


@pytest.mark.parametrize("make", [MolKDTransformer, MolKDFeaturizer])
def test_estimators_see_compounds(make: Any, student: Any, forms: Forms):
    some = _some(forms, FORMS_PER_TEACHER)

    def embed(items: Sequence[Any]) -> Embeddings:
        if make is MolKDFeaturizer:
            values = MolKDFeaturizer(STUDENT).featurize(list(items))
        else:
            values = MolKDTransformer(STUDENT, on_invalid="null").transform(list(items))
        return Embeddings(values, student.embed(items).failures)

    _check_law(embed, some)


def test_libraries_see_compounds(student: Any, forms: Forms):
    def embed(items: Sequence[Any]) -> Embeddings:
        library = of(items, progress=False)
        return Embeddings(library.values, library.reasons)

    _check_law(embed, _some(forms, FORMS_PER_TEACHER))


READY = [
    entry.name
    for entry in catalogue.entries(SHARED / "weights")
    if entry.modality == "molecules" and entry.readiness == "ready"
]
ADAPTED = [
    "molfeat:secfp",
    "molfeat:estate",
    "deepchem:CircularFingerprint",
    "describe:hashed-ngrams",
]


@pytest.mark.parametrize(
    "name", [*READY, *ADAPTED, "a SMILES transformer", "a SELFIES transformer"]
)
def test_teachers_see_compounds(name: str, forms: Forms, tmp_path: Path):
    if name.startswith("a "):
        representation = "selfies" if "SELFIES" in name else "smiles"
        teacher: Any = HuggingFaceTeacher(
            str(tiny_models.roberta(tmp_path / "model")), representation=representation
        )
    else:
        teacher = teachers.make(name, weights_dir=SHARED / "weights")
    some = _some(forms, FORMS_PER_TEACHER)
    _check_law(teacher.embed, dict(list(some.items())[:: 4 if name in CONFORMERS else 1]))


@pytest.mark.parametrize("kind", DIFFERENT)
def test_different_compounds_have_different_vectors(kind: str, student: Any):
    one, other = student.embed(DIFFERENT[kind]).values
    assert np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize("kind", SAME)
def test_what_a_student_does_not_tell_apart(kind: str, student: Any):
    one, other = student.embed(SAME[kind]).values
    np.testing.assert_allclose(one, other, atol=TOLERANCE)


def test_files_hold_compounds(student: Any, forms: Forms, tmp_path: Path):
    compounds = list(forms)
    by_format = {"smi": _smi, "csv": _csv, "sdf": _sdf}
    expected = student.embed(compounds)
    for suffix, write in by_format.items():
        source = tmp_path / f"forms.{suffix}"
        rows = write(source, forms)
        output = tmp_path / f"{suffix}.parquet"
        embed_file(student, source, output, EmbedSettings(), name="student", progress=False)
        stored = embeddings.read(output)
        assert len(stored.ids) == len(rows) > 300
        np.testing.assert_allclose(
            stored.values, expected.values[rows], rtol=TOLERANCE, atol=TOLERANCE
        )


def _smi(path: Path, forms: Forms) -> list[int]:
    path.write_text("".join(f"{several['random SMILES']} x\n" for several in forms.values()))
    return list(range(len(forms)))


def _csv(path: Path, forms: Forms) -> list[int]:
    with path.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["smiles"])
        table.writerows([[several["CXSMILES"]] for several in forms.values()])
    return list(range(len(forms)))


def _sdf(path: Path, forms: Forms) -> list[int]:
    """Alternating kinds of blocks; the compounds that can be written so."""
    rows: list[int] = []
    with path.open("w") as stream:
        for row, several in enumerate(forms.values()):
            mol = several.get("V3000 unsanitised" if row % 2 else "molecule with hydrogens")
            if isinstance(mol, Chem.Mol) and "*" not in Chem.MolToSmiles(mol):
                block = Chem.MolToMolBlock(mol, kekulize=False, forceV3000=bool(row % 2))
                stream.write(block + "$$$$\n")
                rows.append(row)
    return rows
