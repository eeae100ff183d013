"""Adaptors: a student predicts its teachers in their units, with an honest uncertainty."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.linear_model import Ridge

from molkd import students
from molkd.bank.builder import build
from molkd.distillation.run import DistillSettings, distill
from molkd.distillation.schedule import TrainSettings
from molkd.errors import ConfigError, CorruptFileError, UnknownNameError
from molkd.information import adaptors
from molkd.information.densities import EmbeddedRows, fit_adaptors
from molkd.information.settings import AdaptorSettings, EstimatorSettings
from molkd.objectives import configured, densities
from molkd.objectives.ladder import Ladder
from molkd.objectives.settings import HeadSettings
from molkd.runtime import files
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
        estimate=EstimatorSettings(epochs=1, hidden=8),
        keep_adaptors=("maccs", "ecfp4-count"),
        adaptors=AdaptorSettings(epochs=2, hidden=32),
        weights_dtype="fp16",
    )
    teachers = [make(name) for name in ("atom-pair", "maccs", "ecfp4-count")]
    distill(smiles, teachers, folder, settings, progress=False)
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
    with pytest.raises(UnknownNameError, match="no adaptor for 'atom-pair'"):  # it was not named
        loaded.predict_teacher(["CCO"], "atom-pair")
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
        {"skipped": 10**7},
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
    settings = AdaptorSettings(epochs=25, batch_size=128)
    held = z[-HELD:]
    mean, sd = fit_adaptors(reader, scalings, train, settings).predict(held, "toy")
    assert np.abs(mean[:, 0] - (30 + 5 * held[:, 0])).mean() < 0.4
    assert np.median(sd[held[:, 1] > 0.3, 0]) == pytest.approx(2.0, rel=0.15)
    assert np.median(sd[held[:, 1] < -0.3, 0]) == pytest.approx(0.5, rel=0.25)
    np.testing.assert_array_equal(mean[:, 1], 7)
    np.testing.assert_array_equal(sd[:, 1], 0)


@pytest.mark.parametrize("half", [False, True])
def test_what_is_stored_predicts_the_same(tmp_path: Path, *, half: bool) -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(200, 3)).astype(np.float32)
    teacher = (z @ rng.normal(size=(3, 5))).astype(np.float32)
    reader, scalings = _reader(tmp_path, teacher)
    settings = AdaptorSettings(epochs=1, hidden=16)
    fitted = fit_adaptors(reader, scalings, EmbeddedRows(np.arange(200), z), settings)
    if half:
        exact = fitted.predict(z, "toy")[0]
        fitted.round()
        assert 0 < np.abs(fitted.predict(z, "toy")[0] - exact).max() < 0.01
    adaptors.save(tmp_path / "saved", fitted, "digest", half=half)
    loaded = adaptors.load(tmp_path / "saved", "digest").predict(z, "toy")
    for one, other in zip(loaded, fitted.predict(z, "toy"), strict=True):
        np.testing.assert_array_equal(one, other)
    weights = load_file(tmp_path / "saved" / adaptors.HEADS)
    assert weights["mean"].dtype == weights["sd"].dtype == torch.float32
    assert weights["0.skip.weight"].dtype == (torch.float16 if half else torch.float32)
    assert weights["0.skip.weight"].shape == (5, 3)  # a skip leads to the means alone
    assert weights["0.last.3.weight"].shape == (10, 16)


def test_adaptors_without_bounds_whose_skips_lead_to_all_outputs_are_read(tmp_path: Path) -> None:
    _, scalings = _reader(
        tmp_path, np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    )
    shape = HeadSettings(head_hidden=4, head_layers=1, head_skip=True)
    head = Ladder(3, (), (), 4, shape).eval()
    wide = np.full(2, 1e9, np.float32)
    toy = adaptors.Adaptor(head, densities.make("gaussian"), scalings["toy"], -wide, wide)
    old = adaptors.Adaptors(np.zeros(3, np.float32), np.ones(3, np.float32), {"toy": toy})
    adaptors.save(tmp_path, old, "digest")
    heads, path = tmp_path / adaptors.HEADS, tmp_path / adaptors.INDEX
    weights = {k: v for k, v in load_file(heads).items() if k not in {"0.low", "0.high"}}
    save_file(weights, heads)
    index = json.loads(path.read_text()) | {"sha256": files.sha256_of(heads)}
    assert index["teachers"][0].pop("skipped") == 4
    path.write_text(json.dumps(index))
    z = np.ones((1, 3), np.float32)
    for one, other in zip(
        adaptors.load(tmp_path, "digest").predict(z, "toy"), old.predict(z, "toy"), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_no_mean_lies_beyond_what_the_teacher_said(tmp_path: Path) -> None:
    z = np.linspace(-1, 1, 400, dtype=np.float32)[:, None]
    reader, scalings = _reader(tmp_path, np.hstack([5 + 3 * z, -z]))
    settings = AdaptorSettings(epochs=1, hidden=4)
    fitted = fit_adaptors(reader, scalings, EmbeddedRows(np.arange(300), z[:300]), settings)
    adaptors.save(tmp_path / "saved", fitted, "digest")
    far = np.array([[-50], [50]], dtype=np.float32)
    mean, _ = adaptors.load(tmp_path / "saved", "digest").predict(far, "toy")
    least, most = z[0, 0], z[299, 0]  # of the rows that it was fitted on
    np.testing.assert_allclose(mean, [[5 + 3 * least, -least], [5 + 3 * most, -most]], rtol=1e-5)


def test_means_begin_at_a_regression(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("molkd.information.densities._CHUNK", 700)
    rng = np.random.default_rng(0)
    z = rng.normal(size=(ROWS, 4)).astype(np.float32)
    teacher = (z @ rng.normal(size=(4, 6)) + rng.normal(size=(ROWS, 6))).astype(np.float32)
    teacher[5] = np.nan
    reader, scalings = _reader(tmp_path, teacher)
    train, held = EmbeddedRows(np.arange(ROWS - HELD), z[:-HELD]), z[-HELD:]
    settings = AdaptorSettings(epochs=1, lr=1e-5)
    mean, _ = fit_adaptors(reader, scalings, train, settings).predict(held, "toy")
    known = np.arange(ROWS - HELD) != 5
    linear = Ridge(alpha=1.0).fit(z[:-HELD][known], teacher[:-HELD][known])
    said = teacher[:-HELD][known]
    expected = linear.predict(held).clip(said.min(axis=0), said.max(axis=0))
    np.testing.assert_allclose(mean, expected, atol=0.05)


def _reader(folder: Path, values: np.ndarray) -> tuple[TargetReader, dict[str, Scaling]]:
    teacher = TableTeacher("toy", dim=values.shape[1], table=values)
    items = [str(row) for row in range(len(values))]
    bank = build(folder / "bank", items, [teacher], dtype="fp32", progress=False)
    scalings = {"toy": fit_scaling(bank, "toy", np.arange(len(values)), form="standardized")}
    return TargetReader(bank, scalings), scalings
