"""Adaptors: a student predicts its teachers in their units, with an honest uncertainty."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from molkd import students
from molkd.bank.builder import build
from molkd.distillation.run import DistillSettings, distill
from molkd.distillation.schedule import TrainSettings
from molkd.errors import ConfigError, CorruptFileError, UnknownNameError
from molkd.information import adaptors
from molkd.information.densities import EmbeddedRows, fit_adaptors
from molkd.information.settings import EstimatorSettings
from molkd.objectives import configured
from molkd.students import GineSettings
from molkd.targets.fitting import fit_scaling
from molkd.targets.reader import TargetReader
from molkd.targets.scaling import Scaling
from molkd.teachers import make
from tests.fakes.fake_teachers import TableTeacher

ROWS, HELD = 3000, 1000


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adaptors") / "student"
    smiles = ["C" * n + tail for n in range(1, 41) for tail in ("O", "N", "Cl", "c1ccccc1")]
    settings = DistillSettings(
        student=GineSettings(size="tiny", hidden=16, layers=2),
        objective=configured("mse", {"head_hidden": 16}),
        train=TrainSettings(epochs=1, batch_size=32),
        estimate=EstimatorSettings(epochs=2, hidden=32),
        keep_adaptors=True,
    )
    distill(smiles, [make("maccs"), make("ecfp4-count")], folder, settings, progress=False)
    return folder


def test_a_student_predicts_in_the_teachers_units(student: Path) -> None:
    loaded = students.load(student)
    predicted = loaded.predict_teacher(["CCCO", "xx", "CCCCN"], "maccs")
    assert predicted.mean.shape == predicted.sd.shape == (3, 167)
    assert list(predicted.failures) == [1]
    assert np.isnan(predicted.mean[1]).all()
    assert np.isnan(predicted.sd[1]).all()
    alive = predicted.mean[[0, 2]]
    assert ((alive >= 0) & (alive <= 1)).all()
    counts = loaded.predict_teacher(["CCCCCCCCO"], "ecfp4-count").mean
    assert counts.shape == (1, 2048)
    assert counts.max() > 1


def test_adaptors_are_refused_where_they_do_not_fit(student: Path, tmp_path: Path) -> None:
    loaded = students.load(student)
    with pytest.raises(UnknownNameError, match=r"no adaptor for 'macs'.*Did you mean 'maccs'"):
        loaded.predict_teacher(["CCO"], "macs")
    with pytest.raises(ConfigError, match="loaded from its folder"):
        students.make().predict_teacher(["CCO"], "maccs")
    bare = tmp_path / "bare"
    shutil.copytree(student, bare, ignore=shutil.ignore_patterns(adaptors.FOLDER))
    with pytest.raises(ConfigError, match="--keep-adaptors"):
        students.load(bare).predict_teacher(["CCO"], "maccs")
    with pytest.raises(ConfigError, match="another student"):
        adaptors.load(student / adaptors.FOLDER, "0" * 64)


@pytest.mark.parametrize("name", ["heads.safetensors", "scaling-0.npz"])
def test_a_damaged_file_is_named(student: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(student, copy)
    path = copy / adaptors.FOLDER / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptFileError, match=name):
        students.load(copy).predict_teacher(["CCO"], "maccs")


@pytest.mark.parametrize(
    "change",
    [
        {"teachers": 7},
        {"teachers": [{}]},
        {"sha256": None},
        {"outputs": 1},
        {"hidden": [10**7]},
        {"density": 1.5},
        {"file": None},
    ],
)
def test_an_index_that_does_not_fit_is_refused(
    student: Path, tmp_path: Path, change: dict[str, object]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(student, copy)
    path = copy / adaptors.FOLDER / adaptors.INDEX
    index = json.loads(path.read_text())
    (index if change.keys() <= index.keys() else index["teachers"][0]).update(change)
    path.write_text(json.dumps(index))
    with pytest.raises(CorruptFileError, match=r"adaptors\.json|heads\.safetensors"):
        students.load(copy).predict_teacher(["CCO"], "maccs")


def test_mean_and_sd_are_those_of_the_teacher_given_the_embedding(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(ROWS, 2)).astype(np.float32)
    noise = rng.normal(size=ROWS) * np.where(z[:, 1] > 0, 2.0, 0.5)
    teacher = np.column_stack([30 + 5 * z[:, 0] + noise, np.full(ROWS, 7.0)])
    reader, scalings = _reader(tmp_path, teacher.astype(np.float32))
    train = EmbeddedRows(np.arange(ROWS - HELD), z[:-HELD])
    settings = EstimatorSettings(epochs=25, batch_size=128)
    fitted = fit_adaptors(reader, scalings, train, settings)
    adaptors.save(tmp_path / "saved", fitted, "digest")
    mean, sd = adaptors.load(tmp_path / "saved", "digest").predict(z[-HELD:], "toy")
    held = z[-HELD:]
    assert np.abs(mean[:, 0] - (30 + 5 * held[:, 0])).mean() < 0.4
    assert np.median(sd[held[:, 1] > 0.3, 0]) == pytest.approx(2.0, rel=0.15)
    assert np.median(sd[held[:, 1] < -0.3, 0]) == pytest.approx(0.5, rel=0.25)
    np.testing.assert_array_equal(mean[:, 1], 7)
    np.testing.assert_array_equal(sd[:, 1], 0)


def test_means_begin_at_a_regression(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(ROWS, 4)).astype(np.float32)
    teacher = (z @ rng.normal(size=(4, 6)) + rng.normal(size=(ROWS, 6))).astype(np.float32)
    teacher[5] = np.nan
    reader, scalings = _reader(tmp_path, teacher)
    train, held = EmbeddedRows(np.arange(ROWS - HELD), z[:-HELD]), z[-HELD:]
    settings = EstimatorSettings(epochs=1, lr=1e-5)
    mean, _ = fit_adaptors(reader, scalings, train, settings).predict(held, "toy")
    known = np.arange(ROWS - HELD) != 5
    linear = Ridge(alpha=1.0).fit(z[:-HELD][known], teacher[:-HELD][known])
    np.testing.assert_allclose(mean, linear.predict(held), atol=0.05)


def _reader(folder: Path, values: np.ndarray) -> tuple[TargetReader, dict[str, Scaling]]:
    teacher = TableTeacher("toy", dim=values.shape[1], table=values)
    items = [str(row) for row in range(len(values))]
    bank = build(folder / "bank", items, [teacher], dtype="fp32", progress=False)
    scalings = {"toy": fit_scaling(bank, "toy", np.arange(len(values)), form="standardized")}
    return TargetReader(bank, scalings), scalings
