"""Releases of RDKit that compute other things of the same molecules are told apart by name."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import rdkit

from molkd import bank, students
from molkd.bank import index
from molkd.embedding import EmbedSettings, embed_file
from molkd.errors import OutputError, StaleBankError
from molkd.items.molecules import versions
from molkd.students import GineSettings
from molkd.teachers.rdkit.fingerprints import MorganTeacher
from molkd.types import Embeddings, TeacherCard
from tests.items.molecules.rdkit_facets import facets

RECORDED: Mapping[str, Mapping[str, str]] = json.loads(
    (Path(__file__).parent / "rdkit_digests.json").read_text()
)


def test_this_release_does_what_was_recorded_of_it():
    found = facets()
    release = found.pop("rdkit")
    if release not in RECORDED:
        pytest.skip(f"RDKit {release} is not recorded: see rdkit_facets.py")
    assert found == RECORDED[release]


def test_recorded_releases_differ():
    """In the acceptors that `rdkit2d` counts, in canonical SMILES, in the rings of a cage."""
    changed = {
        (one, other): {
            name for name in RECORDED[one] if RECORDED[one][name] != RECORDED[other][name]
        }
        for one, other in itertools.pairwise(sorted(RECORDED))
    }
    assert changed == {
        ("2025.03.6", "2025.09.6"): {"acceptors"},
        ("2025.09.6", "2026.03.6"): {"smiles"},
        ("2026.03.6", "2026.09.1"): {"features", "rings"},
    }


@pytest.fixture
def student_folder(tmp_path: Path) -> Path:
    student = students.make(GineSettings(size="tiny", embedding_dim=8), seed=0)
    student.save_pretrained(tmp_path / "student")
    return tmp_path / "student"


def _learnt_with(folder: Path, reading: Mapping[str, str] | None) -> None:
    config = json.loads((folder / "config.json").read_text())
    assert config.pop("reading") == versions.reading()
    if reading is not None:
        config["reading"] = reading
    (folder / "config.json").write_text(json.dumps(config))


def test_a_student_of_another_rdkit_is_named(student_folder: Path, tmp_path: Path):
    other = {"rdkit": "2025.03.6", **RECORDED["2025.03.6"]}
    _learnt_with(student_folder, other)
    with pytest.warns(
        UserWarning, match=rf"RDKit 2025.03.6 .* RDKit {rdkit.__version__} .*rdkit=="
    ):
        student = students.load(student_folder)
    assert student.trained_reading == other
    student.save_pretrained(tmp_path / "copy")
    assert json.loads((tmp_path / "copy" / "config.json").read_text())["reading"] == other


@pytest.mark.parametrize("reading", [None, {**versions.reading(), "rdkit": "2099.01.1"}])
def test_a_release_that_computes_the_same_is_not(
    reading: Mapping[str, str] | None, student_folder: Path
):
    _learnt_with(student_folder, reading)
    assert students.load(student_folder).embed(["CCO"]).valid.all()


class _OfAnotherRelease(MorganTeacher):
    """ECFP as an earlier RDKit computed it."""

    @property
    def card(self) -> TeacherCard:
        return dataclasses.replace(super().card, versions={"rdkit": "2025.03.6"})

    def embed(self, items: Any, /) -> Embeddings:
        return super().embed(items)


def test_a_teacher_of_another_rdkit_is_refused_by_name(tmp_path: Path):
    bank.build(tmp_path, ["CCO"], [_OfAnotherRelease(width=64)])
    with pytest.raises(StaleBankError, match=rf"2025.03.6.* there.*{rdkit.__version__}.* now"):
        bank.build(tmp_path, ["CCO"], [MorganTeacher(width=64)])


def test_a_bank_whose_keys_another_rdkit_wrote_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    one, other = r"C(=C/c1ccccc1)\c1ccccc1", r"c1ccc(/C=C\c2ccccc2)cc1"
    with monkeypatch.context() as patch:
        patch.setattr(index.versions, "installed", lambda _: {"rdkit": "2025.3.6"})
        bank.build(tmp_path, [one], [MorganTeacher(width=64)])
    with pytest.raises(StaleBankError, match=r"row 0 .*\(rdkit 2025\.3\.6 there, 20.* now\)"):
        bank.build(tmp_path, [other], [MorganTeacher(width=64)])


def test_a_file_of_embeddings_names_the_rdkit(student_folder: Path, tmp_path: Path):
    (tmp_path / "in.smi").write_text("CCO\n")
    output = tmp_path / "out.parquet"
    student = students.load(student_folder)
    embed_file(student, tmp_path / "in.smi", output, EmbedSettings(), name="s", progress=False)
    metadata = pq.read_schema(output).metadata
    assert metadata[b"molkd.rdkit"].decode() == version("rdkit")


def test_an_output_of_another_rdkit_says_so(student_folder: Path, tmp_path: Path):
    (tmp_path / "in.smi").write_text("CCO\n")
    output = tmp_path / "out.parquet"
    student = students.load(student_folder)
    source, settings = tmp_path / "in.smi", EmbedSettings()
    with pytest.MonkeyPatch.context() as patch:
        older = {"rdkit": "2025.3.6", "torch": version("torch")}
        patch.setattr("molkd.runtime.versions.installed", lambda _: older)
        embed_file(student, source, output, settings, name="s", progress=False)
    with pytest.raises(
        OutputError, match=r"\(rdkit 2025\.3\.6 there, 20.* now\): give --overwrite"
    ):
        embed_file(student, source, output, settings, name="s", progress=False)
