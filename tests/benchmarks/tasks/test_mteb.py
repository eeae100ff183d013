"""Folders as MTEB keeps them: every format, every kind, and what is wrong named."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from molkd.benchmarks.tasks import mteb
from molkd.benchmarks.tasks.splitting import split
from molkd.errors import ConfigError, InputError

TOPICS = ("sport", "food", "weather")


def _classified(count: int, start: int = 0, *, words: bool = True) -> list[dict[str, Any]]:
    return [
        {"text": f"text {n}", "label": TOPICS[n % 3] if words else n % 3, "id": n}
        for n in range(start, start + count)
    ]


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """In the format that the suffix names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    match path.suffix:
        case ".gz":
            path.write_bytes(gzip.compress(lines))
        case ".parquet":
            pd.DataFrame(list(rows)).to_parquet(path)
        case _:
            path.write_bytes(lines)
    return path


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train.jsonl", "test.jsonl"),
        ("train.jsonl.gz", "test.jsonl.gz"),
        ("data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"),
    ],
)
@pytest.mark.parametrize("words", [True, False])
def test_classification(tmp_path: Path, train: str, test: str, words: bool) -> None:
    folder = tmp_path / "TopicClassification"
    _write(folder / train, _classified(30, words=words))
    _write(folder / test, _classified(15, 30, words=words))
    (task,) = mteb.read_all(folder)
    assert (task.name, task.group, task.modality) == ("topicclassification", "mteb", "texts")
    assert (task.kind, task.metric) == ("multiclass", "Accuracy")
    by_text = dict(zip(task.items, task.labels[:, 0], strict=True))
    order = sorted(TOPICS) if words else TOPICS
    assert by_text == {f"text {n}": order.index(TOPICS[n % 3]) for n in range(45)}
    parts = split(task, seed=0)
    assert {task.items[row] for row in parts.test} == {f"text {n}" for n in range(30, 45)}
    assert len(parts.valid) == 4


def test_validation_rows_are_those_of_the_folder(tmp_path: Path) -> None:
    sizes = {"train": 20, "validation": 9, "test": 12}
    for place, (name, size) in enumerate(sizes.items()):
        _write(tmp_path / f"{name}.jsonl", _classified(size, 100 * place))
    parts = split(mteb.read(tmp_path), seed=5)
    assert [len(rows) for rows in (parts.train, parts.valid, parts.test)] == [20, 9, 12]


def test_without_a_test_file_validation_rows_are_for_testing(tmp_path: Path) -> None:
    _write(tmp_path / "train.jsonl", _classified(30))
    _write(tmp_path / "dev.jsonl", _classified(12, 30))
    task = mteb.read(tmp_path)
    assert {task.items[row] for row in split(task, seed=0).test} == {
        f"text {n}" for n in range(30, 42)
    }


def test_one_file_alone_is_split_at_random(tmp_path: Path) -> None:
    _write(tmp_path / "train.jsonl", _classified(60))
    task = mteb.read(tmp_path)
    assert task.split == "random"
    assert len(split(task, seed=0).test) == 12


def test_shards_are_read_in_order(tmp_path: Path) -> None:
    for shard in (1, 0):
        rows = _classified(20, 20 * shard)
        _write(tmp_path / "data" / f"train-0000{shard}-of-00002.parquet", rows)
    assert mteb.read(tmp_path).items == tuple(f"text {n}" for n in range(40))


def test_clustering_in_sets_asks_every_set_alone(tmp_path: Path) -> None:
    sets = [
        {
            "sentences": [f"text {n}" for n in range(size)],
            "labels": [TOPICS[n % k] for n in range(size)],
        }
        for size, k in ((15, 3), (20, 2))
    ]
    for name in ("test.jsonl.gz", "test.parquet"):
        folder = tmp_path / name.partition(".")[2]
        _write(folder / name, sets)
        task = mteb.read(folder)
        assert (task.kind, task.metric) == ("clustering", "V-measure")
        assert task.label_names == ("set 1", "set 2")
        assert task.items == tuple(f"text {n}" for size in (15, 20) for n in range(size))
        assert np.isfinite(task.labels).sum(axis=0).tolist() == [15, 20]
        assert len(np.unique(task.labels[15:, 1])) == 2
        assert len(split(task, seed=0).test) == 35


def test_texts_with_labels_are_clustered_where_the_metadata_say_so(tmp_path: Path) -> None:
    _write(tmp_path / "train.jsonl", _classified(30))
    _write(tmp_path / "test.jsonl", _classified(15, 30))
    (tmp_path / "metadata.json").write_text('{"name": "x", "type": "Clustering"}')
    task = mteb.read(tmp_path)
    assert (task.kind, task.label_names) == ("clustering", ("y",))
    assert task.items == tuple(f"text {n}" for n in range(30, 45))


def test_similarity(tmp_path: Path) -> None:
    rows = [
        {"sentence1": f"a {n}", "sentence2": f"b {n}", "score": n % 6 / 2, "split": "test"}
        for n in range(30)
    ]
    rows[7]["sentence2"] = ""
    _write(tmp_path / "test.jsonl.gz", rows)
    _write(tmp_path / "train.jsonl.gz", rows)
    task = mteb.read(tmp_path)
    assert (task.kind, task.metric, len(task.items)) == ("similarity", "Spearman", 29)
    assert (task.items[7], task.others[7], task.labels[7, 0]) == ("a 8", "b 8", 1.0)
    assert "1 texts that are empty" in task.notes[0]


def test_a_folder_of_folders_holds_several_tasks(tmp_path: Path) -> None:
    for name in ("b", "a"):
        _write(tmp_path / name / "train.jsonl", _classified(30))
    (tmp_path / "notes").mkdir()
    assert [task.name for task in mteb.read_all(tmp_path)] == ["a", "b"]


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        ([{"query": "a", "label": 1}] * 20, InputError, "no column among text, sentences"),
        ([{"text": "a"}] * 20, InputError, "no column among label, labels.*Columns: 'text'"),
        ([{"text": "a", "sentence": "b", "label": 1}] * 20, InputError, "several columns"),
        ([{"text": f"{n}", "label": 1} for n in range(20)], InputError, "one class only"),
        (_classified(5), InputError, "has 5 rows with a label"),
        ([{"sentences": ["a", "b"], "labels": [1]}] * 20, InputError, "other numbers"),
        ([{"text": "a", "label": [1, 2]}] * 20, InputError, "row 0 .*a text needs one label"),
    ],
)
def test_what_is_no_task_is_refused(
    tmp_path: Path, rows: list[dict[str, Any]], error: type[Exception], message: str
) -> None:
    _write(tmp_path / "test.jsonl", rows)
    with pytest.raises(error, match=message):
        mteb.read(tmp_path)


def test_unknown_types_and_empty_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file named train, validation or test"):
        mteb.read_all(tmp_path)
    with pytest.raises(InputError, match="no folder"):
        mteb.read_all(tmp_path / "none")
    _write(tmp_path / "test.jsonl", _classified(20))
    (tmp_path / "metadata.json").write_text('{"type": "Reranking"}')
    with pytest.raises(ConfigError, match=r"type .Reranking. are not known\..*Types are Classif"):
        mteb.read_all(tmp_path)
    (tmp_path / "metadata.json").unlink()
    (tmp_path / "test.jsonl").write_text('{"text": "cut')
    with pytest.raises(InputError, match="cannot read"):
        mteb.read_all(tmp_path)
