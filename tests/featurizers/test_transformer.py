"""What is particular to MolKDTransformer: its student, its card, chunks, processes, devices."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from rdkit import Chem

from molkd.errors import ConfigError, CorruptFileError, ItemError, WeightsError
from molkd.featurizers import MolKDTransformer
from molkd.featurizers import transformer as module
from molkd.runtime.files import read_json, sha256_of
from molkd.students import GineSettings, load, make
from molkd.teachers import as_teacher
from molkd.teachers import make as make_teacher


@pytest.fixture
def copied_folder(student_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(student_folder, tmp_path / "copy"))


def test_gives_the_students_embedding(
    transformer: Any, student_folder: Path, smiles: list[str]
) -> None:
    expected = load(student_folder).embed(smiles)
    assert_array_equal(transformer.transform(smiles), expected.values)
    assert transformer.transform(smiles).dtype == np.float32


def test_stereoisomers_differ(transformer: Any) -> None:
    left, right, e, z = transformer.transform(
        ["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "C/C=C/C", "C/C=C\\C"]
    )
    assert not np.allclose(left, right, atol=1e-3)
    assert not np.allclose(e, z, atol=1e-3)


def test_is_a_teacher_by_name(student_folder: Path, smiles: list[str]) -> None:
    teacher = as_teacher(make_teacher(f"molkd:{student_folder}"))
    assert isinstance(teacher, MolKDTransformer)
    assert teacher.card.kind == "molkd student"
    assert teacher.embed(smiles).values.shape == (len(smiles), teacher.card.dim)


def test_card_holds_the_checksum_of_the_weights(transformer: Any, student_folder: Path) -> None:
    weights = student_folder / "model.safetensors"
    assert transformer.card.sha256 == {weights.name: sha256_of(weights)}
    assert transformer.card.dim == 32


def test_card_depends_on_the_student_not_on_place_or_speed(
    transformer: Any, copied_folder: Path, other_folder: Path
) -> None:
    elsewhere = MolKDTransformer(copied_folder, batch_size=1, n_jobs=2, on_invalid="null")
    assert elsewhere.card.digest == transformer.card.digest
    assert MolKDTransformer(other_folder).card.digest != transformer.card.digest


@pytest.mark.parametrize("dtype", ["float16", np.float16])
def test_half_precision_output(dtype: Any, transformer: Any, smiles: list[str]) -> None:
    full = transformer.transform(smiles)
    half = transformer.set_params(dtype=dtype).transform(smiles)
    assert half.dtype == np.float16
    assert_array_equal(half, full.astype(np.float16))
    assert transformer(smiles, ignore_errors=True)[0].dtype == np.float16
    assert transformer.embed(smiles).values.dtype == np.float32


def test_a_student_trained_anew_is_read_again(copied_folder: Path, smiles: list[str]) -> None:
    estimator = MolKDTransformer(copied_folder)
    before = estimator.transform(smiles)
    make(GineSettings(size="tiny", embedding_dim=16), seed=3).save_pretrained(copied_folder)
    after = estimator.transform(smiles)
    assert before.shape[1] == 32
    assert after.shape[1] == len(estimator) == 16


def test_relative_folders_follow_the_working_directory(
    student_folder: Path, other_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests: list[str] = []
    for name, folder in (("a", student_folder), ("b", other_folder)):
        shutil.copytree(folder, tmp_path / name / "student")
        monkeypatch.chdir(tmp_path / name)
        digests.append(MolKDTransformer("student").card.digest)
    assert digests[0] != digests[1]


def test_a_missing_student_is_explained(tmp_path: Path) -> None:
    absent = MolKDTransformer(tmp_path / "absent")
    with pytest.raises(WeightsError, match=r"absent.*give the folder that 'molkd distill -o'"):
        absent.fit_transform(["C"])


def test_a_cut_student_is_refused(copied_folder: Path) -> None:
    weights = copied_folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    module._cached.cache_clear()  # an intact student of the same configuration may be loaded
    with pytest.raises(CorruptFileError, match=r"model\.safetensors is missing, cut or"):
        MolKDTransformer(copied_folder).transform(["C"])


def test_a_wrong_device_is_explained(transformer: Any) -> None:
    with pytest.raises(ConfigError, match=r"device 'gpu'.*auto"):
        transformer.set_params(device="gpu").transform(["C"])


def test_auto_takes_what_is_there(transformer: Any, smiles: list[str]) -> None:
    expected = transformer.transform(smiles)
    found = transformer.set_params(device="auto").transform(smiles)
    assert_allclose(found, expected, atol=1e-4)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_agrees_with_the_cpu(transformer: Any, smiles: list[str]) -> None:
    expected = transformer.transform(smiles)
    found = transformer.set_params(device="cuda").transform(smiles)
    assert_allclose(found, expected, atol=1e-4)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 4)
    monkeypatch.setattr(module, "WORTH_PROCESSES", 8)


@pytest.fixture
def jobs_used(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    used: list[int] = []
    featurized = module._featurized

    def recorded(student: Any, chunks: Any, processes: int) -> Any:
        used.append(processes)
        return featurized(student, chunks, min(processes, 2))

    monkeypatch.setattr(module, "_featurized", recorded)
    return used


@pytest.mark.usefixtures("small_chunks")
def test_chunks_keep_rows_and_reasons(transformer: Any, smiles: list[str]) -> None:
    items = [*smiles, None, *smiles, "", "CC"]
    embedded = transformer.embed(items)
    assert list(embedded.failures) == [10, 21]
    assert "missing value" in embedded.failures[10]
    assert embedded.failures[21] == "empty SMILES"
    whole = transformer.transform(smiles)
    assert_allclose(embedded.values[:10], whole, atol=1e-5)
    assert_allclose(embedded.values[11:21], whole, atol=1e-5)
    assert_allclose(embedded.values[22:], transformer.transform(["CC"]), atol=1e-5)


@pytest.mark.usefixtures("small_chunks")
def test_processes_change_nothing(
    transformer: Any, smiles: list[str], jobs_used: list[int]
) -> None:
    items = [*smiles, None, "x", *smiles]
    alone = transformer.embed(items)
    together = transformer.set_params(n_jobs=2).embed(items)
    assert jobs_used == [1, 2]
    assert_array_equal(together.values, alone.values)
    assert together.failures == alone.failures
    with pytest.raises(ItemError, match=r"row 11: SMILES syntax error"):
        transformer.transform(items)


@pytest.mark.usefixtures("small_chunks")
def test_processes_are_not_started_where_they_cost_more(
    transformer: Any, smiles: list[str], jobs_used: list[int]
) -> None:
    transformer.set_params(n_jobs=2).transform(smiles[:7])
    transformer.transform([*smiles, Chem.MolFromSmiles("C")])
    assert jobs_used == [1, 1]


@pytest.mark.usefixtures("small_chunks")
def test_a_joblib_job_starts_no_processes_of_its_own(
    transformer: Any, smiles: list[str], jobs_used: list[int]
) -> None:
    transformer.set_params(n_jobs=2)
    run = joblib.Parallel(n_jobs=2, backend="threading")
    results = list(run(joblib.delayed(transformer.transform)(smiles) for _ in range(2)))
    assert jobs_used == [1, 1]
    assert_array_equal(results[0], results[1])


@pytest.mark.usefixtures("small_chunks")
def test_jobs_are_counted_as_by_joblib(
    transformer: Any, smiles: list[str], jobs_used: list[int]
) -> None:
    with joblib.parallel_config(n_jobs=3):
        transformer.transform(smiles)
    transformer.set_params(n_jobs=-1).transform(smiles)
    assert jobs_used == [3, joblib.cpu_count()]


def test_workers_need_no_torch(student_folder: Path) -> None:
    featurize = load(student_folder).featurize
    assert featurize.__module__ == "molkd.items.molecules.graph"  # by this name it is pickled


def test_configuration_on_disk_is_that_of_the_card(transformer: Any, student_folder: Path) -> None:
    stored = read_json(student_folder / "config.json")
    assert transformer.card.options == {"architecture": stored["kind"], **stored["config"]}
