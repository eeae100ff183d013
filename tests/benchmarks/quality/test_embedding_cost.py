"""What embedders cost: measured once per model, kept, and added up for what stands side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from molkd import students
from molkd.benchmarks import embedders
from molkd.benchmarks.quality import cost_records, embedding_cost
from molkd.errors import CorruptFileError
from molkd.items.molecules import chem
from molkd.teachers.conformers import geometry
from molkd.types import Embeddings
from tests.fakes import letters


def measured(folder: Path, specs: list[str]) -> dict[str, cost_records.EmbeddingCost]:
    made = [embedders.make(spec) for spec in specs]
    return embedding_cost.measure(made, [TASK], folder, progress=False)


TASK = letters.task()


def test_side_by_side_costs_the_sum_and_components_nothing(tmp_path: Path) -> None:
    costs = measured(tmp_path, ["maccs", "ecfp4", "both=maccs+ecfp4", "pca:8:maccs"])
    seconds = {name: 1 / cost.per_second for name, cost in costs.items() if cost.per_second}
    assert seconds["both"] == pytest.approx(seconds["maccs"] + seconds["ecfp4"])
    assert seconds["pca:8:maccs"] == seconds["maccs"]
    assert costs["maccs"].items == min(embedding_cost.ITEMS, len(set(TASK.items)))
    assert {cost.megabytes for cost in costs.values()} == {0}


def test_a_model_is_measured_once_even_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, asked = embedding_cost._measured, []

    def counted(source: Any, *rest: Any) -> cost_records.EmbeddingCost:
        if len(asked) == 1:
            raise KeyboardInterrupt
        asked.append(source.digest)
        return honest(source, *rest)

    monkeypatch.setattr(embedding_cost, "_measured", counted)
    with pytest.raises(KeyboardInterrupt):
        measured(tmp_path, ["maccs", "ecfp4"])
    _, known = cost_records.read(tmp_path)
    assert list(known) == asked
    monkeypatch.setattr(embedding_cost, "_measured", honest)
    costs = measured(tmp_path, ["maccs", "ecfp4"])
    assert costs["maccs"].per_second == known[asked[0]].per_second
    assert cost_records.read(tmp_path)[0] == costs


class Spatial:
    """Reads conformers, and nothing of them."""

    def embed(self, items: Any, /) -> Embeddings:
        for item in items:
            geometry.with_conformers(chem.parse_canonical(item), [0])
        return Embeddings(np.zeros((len(items), 1), dtype=np.float32), {})


def test_no_model_is_given_the_conformers_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, paid = geometry._embedded, []

    def counted(*asked: Any) -> Any:
        paid.append(asked)
        return honest(*asked)

    monkeypatch.setattr(geometry, "_embedded", counted)
    first, second = (
        embedders.Embedder(name, name, "teacher", (embedders.Source(name, Spatial(), 0),))
        for name in ("first", "second")
    )
    embedding_cost.measure([first], [TASK], tmp_path, progress=False)
    alone = len(paid)
    assert alone >= embedding_cost.ITEMS / 2
    embedding_cost.measure([first, second], [TASK], tmp_path, progress=False)
    assert len(paid) >= alone + len(set(TASK.items))


def test_a_slow_model_gets_fewer_items(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding_cost, "SECONDS", 1e-9)
    monkeypatch.setattr(embedding_cost, "_CHUNK", 5)
    assert measured(tmp_path, ["maccs"])["maccs"].items == 5


def test_weights_count_four_bytes_each_where_only_their_number_is_known(tmp_path: Path) -> None:
    (cost,) = measured(tmp_path, ["untrained:small"]).values()
    student = embedders.make("untrained:small")
    assert student.parameters
    assert cost.megabytes == student.parameters * 4 / 1e6
    assert cost.per_second
    assert cost.per_second > 0


def test_a_student_has_the_size_of_its_file(tmp_path: Path) -> None:
    student = students.make(students.GineSettings(size="tiny"), seed=3)
    student.save_pretrained(tmp_path / "whole")
    student.save_pretrained(tmp_path / "half", half=True)
    costs = measured(tmp_path, [f"{n}=molkd:{tmp_path / n}" for n in ("whole", "half")])
    sizes = {n: (tmp_path / n / "model.safetensors").stat().st_size / 1e6 for n in costs}
    assert {name: cost.megabytes for name, cost in costs.items()} == sizes
    assert sizes["half"] < 0.6 * sizes["whole"]


def test_embeddings_of_other_programs_are_not_timed(tmp_path: Path) -> None:
    items = list(TASK.items)
    table = pd.DataFrame({"smiles": items, "x": np.arange(len(items), dtype=float)})
    table.to_csv(tmp_path / "theirs.csv", index=False)
    (cost,) = measured(tmp_path, [f"theirs=file:{tmp_path}/theirs.csv"]).values()
    assert (cost.per_second, cost.items, cost.megabytes) == (None, 0, None)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    assert cost_records.read(tmp_path) == ({}, {})
    (tmp_path / cost_records.FILE).write_text(json.dumps({"embedders": {"a": {"speed": 3}}}))
    with pytest.raises(CorruptFileError, match=r"holds no costs of embeddings.*delete it"):
        cost_records.read(tmp_path)
