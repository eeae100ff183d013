"""Built-in tasks of texts and of images: every row of the real data, by its split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from molkd.benchmarks import tasks
from molkd.benchmarks.tasks.splitting import split
from molkd.benchmarks.tasks.task import Task
from molkd.errors import InputError
from molkd.items.images import decoding


def _banking(folder: Path, train: pd.DataFrame, test: pd.DataFrame) -> None:
    (folder / "text").mkdir()
    train.to_csv(folder / "text" / "banking77_train.csv", index=False)
    test.to_csv(folder / "text" / "banking77_test.csv", index=False)


def _rows(count: int, start: int = 0) -> pd.DataFrame:
    places = range(start, start + count)
    return pd.DataFrame({
        "text": [f"Sentence {n}, in\ntwo lines?" for n in places],
        "category": [("pin", "card", "transfer")[n % 3] for n in places],
    })  # fmt: skip


def _load(name: str, folder: Path) -> Task:
    (task,) = tasks.load([name], data=folder)
    return task


@pytest.mark.parametrize(
    ("name", "kind", "metric"),
    [
        ("banking77", "multiclass", "Accuracy"),
        ("banking77-clustering", "clustering", "V-measure"),
        ("banking77-neighbours", "retrieval", "Accuracy"),
    ],
)
def test_texts_keep_their_rows_classes_and_split(
    tmp_path: Path, name: str, kind: str, metric: str
) -> None:
    test = _rows(15, start=30)
    test.loc[3, "text"] = "None"  # a word like any other
    test.loc[4, "text"] = " "
    _banking(tmp_path, _rows(30), test)
    task = _load(name, tmp_path)
    assert (task.kind, task.metric, task.modality, task.group) == (kind, metric, "texts", "text")
    assert len(task.items) == 44
    assert task.items[0] == "Sentence 0, in\ntwo lines?"
    assert task.items[33] == "None"
    assert task.labels[:3, 0].tolist() == [1.0, 0.0, 2.0]  # card, pin, transfer
    assert len(task.notes) == 1
    assert task.notes[0].startswith("1 texts that are empty or not UTF-8 were left out (rows 34,")
    parts = split(task, seed=0)
    assert parts.test.tolist() == list(range(30, 44))
    assert len(parts.valid) == (4 if kind == "multiclass" else 0)
    assert len(parts.train) + len(parts.valid) == 30
    found = {about.key: about for about in tasks.describe(tmp_path)}
    assert found[f"text:{name}"].rows == 45


def test_validation_rows_of_texts_are_drawn_with_the_seed(tmp_path: Path) -> None:
    _banking(tmp_path, _rows(30), _rows(15, start=30))
    task = _load("banking77", tmp_path)
    first, again, other = (split(task, seed=seed).valid.tolist() for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize("method", ["scaffold", "cluster"])
def test_texts_have_no_scaffolds(tmp_path: Path, method: str) -> None:
    _banking(tmp_path, _rows(30), _rows(15, start=30))
    task = _load("banking77", tmp_path)
    with pytest.raises(InputError, match="texts can be split by given, random, time"):
        split(task, method=method, seed=0)


def test_all_of_banking77_is_read(shared: Path) -> None:
    task = _load("banking77", shared / "data")
    assert task.test is not None
    assert (int((~task.test).sum()), int(task.test.sum())) == (10_003, 3_080)
    assert np.unique(task.labels).tolist() == list(range(77))
    counts = np.bincount(task.labels[task.test, 0].astype(int))
    assert counts.tolist() == [40] * 77  # as published


def test_cifar10_is_split_by_the_order_of_its_rows(shared: Path) -> None:
    task = _load("cifar10-2000", shared / "data")
    parts = split(task, seed=3)
    assert [len(rows) for rows in (parts.train, parts.valid, parts.test)] == [1000, 500, 500]
    assert np.concatenate([parts.train, parts.valid, parts.test]).tolist() == list(range(2000))
    assert (task.kind, task.modality, task.notes) == ("multiclass", "images", ())
    with np.load(shared / "data" / "vision" / "cifar10_test_2000.npz") as archive:
        for row in (0, 777, 1999):
            np.testing.assert_array_equal(decoding.decode(task.items[row]), archive["x"][row])
        np.testing.assert_array_equal(task.labels[:, 0], archive["y"])
    least = [np.bincount(task.labels[rows, 0].astype(int)).min() for rows in (parts.valid,)]
    assert least[0] > 30


def test_cifar10_says_where_it_must_be_put(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cifar10_test_2000.npz is not there, and cannot be down"):
        tasks.load(["cifar10-2000"], data=tmp_path, download=True)
    (tmp_path / "vision").mkdir()
    path = tmp_path / "vision" / "cifar10_test_2000.npz"
    path.write_bytes(b"PK")
    with pytest.raises(InputError, match="cannot read"):
        tasks.load(["cifar10-2000"], data=tmp_path)
    np.savez(path, x=np.zeros((3, 32, 32, 3), np.uint8), y=np.zeros(3, np.int64))
    with pytest.raises(InputError, match=r"\(2000, 32, 32, 3\) and as many labels"):
        tasks.load(["cifar10-2000"], data=tmp_path)


def test_digits_need_no_file_and_are_enlarged_without_smoothing(tmp_path: Path) -> None:
    task = _load("digits", tmp_path)
    parts = split(task, seed=0)
    assert [len(rows) for rows in (parts.train, parts.valid, parts.test)] == [1000, 397, 400]
    raw = load_digits()
    for row in (0, 1000, 1796):
        picture = decoding.decode(task.items[row])
        assert picture.shape == (32, 32, 3)
        expected = np.rint(raw.images[row] / 16 * 255)
        np.testing.assert_array_equal(picture[::4, ::4, 0], expected)
        np.testing.assert_array_equal(picture[3::4, 3::4, 2], expected)
    np.testing.assert_array_equal(task.labels[:, 0], raw.target)
