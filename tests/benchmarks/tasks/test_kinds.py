"""Every kind of tasks in whole runs: its own metrics, rows and refusals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from molkd.benchmarks import records
from molkd.benchmarks.embedders import Source
from molkd.benchmarks.quality.evaluation import RESULTS, QualitySettings
from molkd.errors import ConfigError, InputError
from tests.fakes import letters


def test_every_kind_of_tasks_is_scored_by_its_own_metrics(tmp_path: Path) -> None:
    settings = QualitySettings(seeds=2, probes=("linear", "knn"))
    found = letters.run(
        tmp_path, [letters.task(), letters.tails(), *letters.direct()], settings=settings
    )
    asked = {
        task.name: {score.probe for score in letters.scores(found, task=task.name)}
        for task in found.tasks
    }
    assert asked == {
        "polar": {"linear", "knn"},
        "tails": {"linear", "knn"},
        "clusters": {"kmeans"},
        "neighbours": {"nearest"},
        "pairs": {"cosine"},
    }
    for task in found.tasks:
        for score in letters.scores(found, task=task.name):
            assert {task.metric, task.comparable} <= set(score.test)
    (tails,) = letters.scores(found, task="tails", embedder="exact", seed=0, probe="linear")
    assert tails.test["Accuracy"] == 1.0
    assert all(task.notes == () for task in found.tasks)
    assert records.read(tmp_path / RESULTS).tasks == found.tasks


def test_both_sides_of_pairs_must_be_embedded_to_be_compared(tmp_path: Path) -> None:
    pairs = letters.direct()[2]
    made = [letters.embedder("partly", letters.Letters(refuses="CCCCCCCCCC"))]
    found = letters.run(tmp_path, [pairs], made)
    refused = [text.startswith("CCCCCCCCCC") for text in letters.SMILES]
    either = sum(a or b for a, b in zip(refused, refused[6:] + refused[:6], strict=True))
    assert either > sum(refused)
    assert found.tasks[0].compared == len(letters.SMILES) - either


@pytest.mark.parametrize("place", range(3))
def test_what_trains_nothing_may_have_test_rows_alone(tmp_path: Path, place: int) -> None:
    every = np.ones(len(letters.SMILES), dtype=np.bool_)
    task = replace(letters.direct()[place], split="given", test=every)
    if task.kind == "retrieval":  # neighbours are sought among other rows
        with pytest.raises(InputError, match="neighbours"):
            letters.run(tmp_path, [task])
        return
    found = letters.run(tmp_path, [task])
    assert {tuple(score.rows.items()) for score in found.scores} == {
        (("train", 0), ("valid", 0), ("test", len(letters.SMILES)))
    }


def test_an_embedder_of_other_items_is_refused_before_any_work(tmp_path: Path) -> None:
    model = letters.Letters()
    texts = letters.task("greetings", modality="texts")
    with pytest.raises(ConfigError, match="m reads molecules, but the task greetings holds texts"):
        letters.run(tmp_path, [texts], [letters.embedder("m", model)])
    assert model.asked == 0
    of_texts = replace(letters.embedder("t", model), sources=(Source("t" * 64, model, 0, "texts"),))
    found = letters.run(tmp_path, [texts], [of_texts])
    assert {score.embedder for score in found.scores} == {"t"}
    assert found.noun == "texts"
    assert letters.run(tmp_path / "molecules").noun == "molecules"


def test_results_from_before_there_were_other_items_can_be_read(tmp_path: Path) -> None:
    found = letters.run(tmp_path)
    path = tmp_path / RESULTS
    path.write_text(path.read_text().replace(', "reads": "molecules"', ""))
    assert records.read(path).tasks == found.tasks
