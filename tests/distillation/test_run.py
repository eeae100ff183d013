"""From SMILES and teachers to a student in a folder."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from molkd import students, teachers
from molkd.bank import Bank
from molkd.distillation.run import Distilled, DistillSettings, distill
from molkd.distillation.schedule import TrainSettings
from molkd.errors import ConfigError, StaleBankError, UnknownNameError
from molkd.information.settings import EstimatorSettings
from molkd.objectives import MutualInformationSettings, configured
from molkd.students import GineSettings
from molkd.teachers.rdkit.fingerprints import MaccsTeacher
from molkd.types import Embeddings, TeacherCard

CHAINS = ["C" * n + tail for n in range(1, 13) for tail in ("O", "N", "Cl", "c1ccccc1", "C(=O)O")]
SMILES: list[object] = [*CHAINS, "xx", None, "", float("nan"), *CHAINS[:3]]
SETTINGS = DistillSettings(
    student=GineSettings(size="tiny", hidden=16, layers=2, embedding_dim=8),
    objective=MutualInformationSettings(head_hidden=16),
    train=TrainSettings(epochs=2, batch_size=16),
    valid_fraction=0.2,
    estimate=EstimatorSettings(epochs=1, hidden=16),
)


def _run(folder: Path, names: str = "ecfp4,maccs", **changes) -> Distilled:
    made = [teachers.make(name) for name in names.split(",")]
    settings = dataclasses.replace(SETTINGS, **changes)
    return distill(SMILES, made, folder, settings, device="cpu", progress=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Distilled]:
    """A folder and the distillation that filled it; tests only read them."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, _run(folder)


def test_a_folder_with_all_that_was_promised(whole: tuple[Path, Distilled]):
    folder, result = whole
    assert sorted(result.failures) == [60, 61, 62, 63]
    assert result.failures[60] == "SMILES syntax error"
    assert set(result.information) == {"ecfp4", "maccs"}
    files = {path.name for path in folder.iterdir()}
    assert {"model.safetensors", "config.json", "README.md", "report.json"} <= files
    assert {"metrics.jsonl", "losses.png", "bank", "checkpoints"} <= files
    loaded = students.load(folder)
    assert loaded.digest == result.student.digest
    assert loaded.domain == result.student.domain
    assert set(loaded.domain.elements) == {"C", "N", "O", "Cl"}
    one, other = (s.embed(["CCO"]).values for s in (loaded, result.student))
    np.testing.assert_array_equal(one, other)
    report = json.loads((folder / "report.json").read_text())
    assert report["student"]["digest"] == loaded.digest
    assert report["rows"]["molecules"] == len(SMILES)
    assert report["teachers"]["maccs"]["license"]
    for known in result.information.values():
        assert -1 < known.r2_untrained < 1
        assert known.r2_untrained != known.r2
    card = (folder / "README.md").read_text()
    assert "the same network untrained" in card
    for expected in ("ecfp4", "maccs", "licence", "mutual information", "torch", '"seed": 0'):
        assert expected in card
    assert r"| h(teacher \| student) |" in card  # a bar in a cell is no column
    assert (folder / "losses.png").read_bytes().startswith(b"\x89PNG")
    # The last three molecules are duplicates of the first three: they stay on one side.
    assert report["rows"]["train"] + report["rows"]["valid"] == len(CHAINS) + 3


class _Informed(MaccsTeacher):
    """MACCS keys that had seen assays."""

    @property
    def card(self) -> TeacherCard:
        return dataclasses.replace(super().card, trained_on="assays of PubChem")


def test_the_card_says_what_teachers_have_seen_and_what_the_student_sees(tmp_path: Path):
    settings = dataclasses.replace(SETTINGS, train=TrainSettings(epochs=1, batch_size=16))
    distill(SMILES, [_Informed()], tmp_path, settings, device="cpu", progress=False)
    card = (tmp_path / "README.md").read_text()
    assert "What their weights have seen:\n\n- `maccs`: assays of PubChem\n" in card
    assert "nor do isotopes" in card


def test_running_again_gives_the_same_student_without_asking_teachers(
    whole: tuple[Path, Distilled], tmp_path: Path
):
    folder = Path(shutil.copytree(whole[0], tmp_path / "again"))

    class Silent:
        def __init__(self, card: TeacherCard) -> None:
            self.card = card

        def embed(self, items: object, /) -> Embeddings:
            raise AssertionError(f"asked again about {items}")

    silent = [Silent(teachers.make(name).card) for name in ("ecfp4", "maccs")]
    again = distill(SMILES, silent, folder, SETTINGS, device="cpu", progress=False)
    assert again.student.digest == whole[1].student.digest
    assert again.information == whole[1].information


@pytest.mark.parametrize(
    "change",
    [
        {"split": "scaffold"},
        {"valid_fraction": 0.4},
        {"pca": {"ecfp4": 4}},
        {"objective": MutualInformationSettings(head_hidden=16, densities={"ecfp4": "gaussian"})},
        {"objective": configured("mse", {"head_hidden": 16})},
        {"train": TrainSettings(epochs=2, batch_size=16, seed=3)},
        {"student": GineSettings(size="tiny", hidden=16, layers=2, embedding_dim=9)},
    ],
)
def test_every_setting_changes_the_student(
    whole: tuple[Path, Distilled], tmp_path: Path, change: dict[str, Any]
):
    assert _run(tmp_path, **change).student.digest != whole[1].student.digest


def test_standardisation_reaches_bank_and_student(tmp_path: Path):
    made = [teachers.make("maccs")]
    salts: list[object] = [*CHAINS, "CC(=O)[O-].[Na+]", "CC(=O)O"]
    settings = dataclasses.replace(SETTINGS, standardize="full")
    distill(salts, made, tmp_path, settings, device="cpu", progress=False)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["settings"]["standardize"] == "full"
    opened = Bank.open(tmp_path / "bank")
    assert opened.items[-2] == opened.items[-1] == "CC(=O)O"


def test_the_engine_is_asked_to_fill_the_bank(tmp_path: Path):
    with pytest.raises(UnknownNameError, match=r"unknown engine 'rai'\. Did you mean 'ray'"):
        distill(SMILES, [MaccsTeacher()], tmp_path, engine="rai", progress=False)


def test_another_corpus_in_the_same_folder_is_refused(whole: tuple[Path, Distilled]):
    made = [teachers.make("ecfp4")]
    with pytest.raises(StaleBankError, match="row 0"):
        distill(["CCCCC", *SMILES[1:]], made, whole[0], SETTINGS, progress=False)


class _Failing:
    """A teacher that fails on every row, or on molecules with nitrogen."""

    def __init__(self, only: str) -> None:
        self._only = only
        self.card = TeacherCard(
            name="failing",
            kind="test",
            dim=2,
            support="real",
            source="",
            license="none",
            limits="much",
        )

    def embed(self, items, /) -> Embeddings:
        texts = [teachers_smiles(item) for item in items]
        failures = {row: "cannot read it" for row, text in enumerate(texts) if self._only in text}
        values = np.array([[len(text), text.count("C")] for text in texts], dtype=np.float32)
        values[list(failures)] = np.nan
        return Embeddings(values, failures)


def teachers_smiles(item) -> str:
    from molkd.items.molecules import chem

    return chem.canonical_smiles(item)


def test_a_teacher_that_fails_on_some_rows_costs_these_rows_only(tmp_path: Path):
    made = [teachers.make("maccs"), _Failing("N")]
    result = distill(SMILES, made, tmp_path, SETTINGS, device="cpu", progress=False)
    assert len(result.failures) == 4  # molecules with nitrogen are still used for the other one
    assert result.information["failing"].rows < result.information["maccs"].rows


def test_a_teacher_that_fails_on_all_rows_is_named(tmp_path: Path):
    made = [teachers.make("maccs"), _Failing("C")]
    with (
        pytest.warns(UserWarning, match="failing"),
        pytest.raises(
            ConfigError, match=r"'failing' could embed none of 67 .*cannot read it.*leave it out"
        ),
    ):
        distill(SMILES, made, tmp_path, SETTINGS, device="cpu", progress=False)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ConfigError, match="split: expected one of random, scaffold"):
        DistillSettings(split="time")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigError, match="valid_fraction must lie"):
        DistillSettings(valid_fraction=1.0)


def test_all_teachers_as_one_target(tmp_path: Path):
    objective = MutualInformationSettings(head_layers=0, shared_sd=True)
    result = _run(tmp_path, joint_pca=9, objective=objective)
    assert set(result.information) == {"ecfp4", "maccs"}  # what the student knows of each is said
    assert result.history[-1]["train"] < result.history[0]["train"]
    report = json.loads((tmp_path / "report.json").read_text())
    assert set(report["teachers"]) == {"ecfp4", "maccs"}
    assert report["settings"]["joint_pca"] == 9


def test_a_turned_embedding_says_the_same_in_dimensions_that_are_alike(
    tmp_path: Path, whole: tuple[Path, Distilled]
):
    turned = _run(tmp_path / "turned", basis="teachers").student.embed(CHAINS).values
    own = whole[1].student.embed(CHAINS).values
    there = np.column_stack([own, np.ones(len(own))])
    mapped = there @ np.linalg.lstsq(there, turned, rcond=None)[0]
    np.testing.assert_allclose(mapped, turned, atol=1e-3)
    assert turned.std(axis=0).max() / turned.std(axis=0).min() < 1.5
    assert own.std(axis=0).max() / own.std(axis=0).min() > 1.5
    again = _run(tmp_path / "turned", basis="teachers").student  # finished: it is not turned twice
    np.testing.assert_array_equal(again.embed(CHAINS).values, turned)


def test_first_dimensions_of_a_turned_embedding_are_longest(tmp_path: Path):
    objective = MutualInformationSettings(head_hidden=16, matryoshka_dims=(2, 4))
    result = _run(tmp_path, basis="teachers", objective=objective)
    spread = result.student.embed(CHAINS).values.std(axis=0)
    assert spread[:2].min() > 1.5 * spread[2:4].max()
    assert spread[2:4].min() > 1.5 * spread[4:].max()
    short = result.student.truncate(2).embed(CHAINS).values
    first = result.student.embed(CHAINS).values[:, :2]
    np.testing.assert_allclose(short, first, atol=1e-5 * np.abs(first).max())
    again = _run(tmp_path, basis="teachers", objective=objective).student  # not turned twice
    assert again.digest == result.student.digest


def test_a_length_that_does_not_shorten_is_refused_before_training(tmp_path: Path):
    objective = MutualInformationSettings(matryoshka_dims=(4, 8))
    with pytest.raises(ConfigError, match="matryoshka_dims: 8 must be positive and shorter"):
        _run(tmp_path, basis="teachers", objective=objective)
    assert not (tmp_path / "metrics.jsonl").exists()


def test_weights_of_16_bits(tmp_path: Path, whole: tuple[Path, Distilled]):
    result = _run(tmp_path, weights_dtype="fp16")
    loaded = students.load(tmp_path)
    np.testing.assert_array_equal(loaded.embed(CHAINS).values, result.student.embed(CHAINS).values)
    assert loaded.digest == result.student.digest != whole[1].student.digest
    size, full = (
        sum(one.nbytes for one in load_file(folder / "model.safetensors").values())
        for folder in (tmp_path, whole[0])
    )
    assert size == full / 2


def test_an_embedding_longer_than_its_components_is_not_turned(tmp_path: Path):
    student = dataclasses.replace(SETTINGS.student, embedding_dim=200)
    with pytest.raises(ConfigError, match="as many components as the embedding has dim"):
        _run(tmp_path, "maccs", basis="teachers", student=student)
    assert not (tmp_path / "metrics.jsonl").exists()  # nobody trains for hours before that


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"joint_pca": 0}, "joint_pca must be at least 1"),
        ({"joint_pca": 9, "pca": {"ecfp4": 4}}, "but pca asks for them one by one"),
        ({"joint_pca": 9, "winsorize": 5.0, "weights": "redundancy"}, "winsorize and weights"),
        (
            {"joint_pca": 9, "objective": MutualInformationSettings(nodes=True)},
            r"objective\.nodes asks",
        ),
    ],
)
def test_what_asks_for_teachers_one_by_one_is_refused(changes: dict[str, Any], message: str):
    with pytest.raises(ConfigError, match=message):
        dataclasses.replace(SETTINGS, **changes)
