"""Every embedder on every task: same rows for all, nothing lost, the same bytes after a kill."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from molkd.benchmarks import cells, evaluation, results
from molkd.benchmarks.embedders import Embedder, Source
from molkd.benchmarks.evaluation import PARTIAL, RESULTS, Place, QualitySettings, evaluate
from molkd.benchmarks.results import Results, Score
from molkd.benchmarks.task import Labels, Task
from molkd.errors import ConfigError, InputError, UnknownNameError
from molkd.types import Embedded

SMILES = tuple("C" * n + tail for n in range(1, 21) for tail in ("N", "O", "F", "Cl", "Br", "I"))


class Letters:
    """Embeds SMILES by counts of letters, with noise; cannot embed what begins with a prefix."""

    def __init__(self, noise: float = 0.0, refuses: str = "-") -> None:
        self.noise = noise
        self.refuses = refuses
        self.asked = 0

    def embed(self, items: Sequence[str], /) -> Embedded:
        self.asked += len(items)
        random = np.random.default_rng(len(items))
        counts = [[text.count(letter) for letter in "CNOFBI"] for text in items]
        values = np.array(counts, dtype=np.float32)
        values += (self.noise * random.normal(size=values.shape)).astype(np.float32)
        failed = {row: "refused" for row, text in enumerate(items) if text.startswith(self.refuses)}
        values[list(failed)] = np.nan
        return Embedded(values, failed)


def _embedder(label: str, model: Letters, components: int | None = None) -> Embedder:
    digest = f"{label:0<64}"
    return Embedder(label, label, "teacher", (Source(digest, model, 0),), components)


def _task(name: str = "polar", **changes: Any) -> Task:
    y = np.array([float("N" in text or "O" in text) for text in SMILES])[:, None]
    task = Task(
        name=name,
        group="own",
        kind="classification",
        metric="AUROC",
        items=SMILES,
        labels=y,
    )
    return replace(task, **changes)


def _tails(name: str = "tails", **changes: Any) -> Task:
    """Which letter a chain ends with: six classes."""
    y = np.array([float(row % 6) for row in range(len(SMILES))])[:, None]
    return _task(name, kind="multiclass", metric="Accuracy", labels=y, **changes)


def _direct() -> list[Task]:
    """Tasks in which nothing is trained."""
    pairs = _lengths("pairs")
    return [
        replace(_tails("clusters"), kind="clustering", metric="V-measure"),
        replace(_tails("neighbours"), kind="retrieval"),
        replace(pairs, kind="similarity", metric="Spearman", others=SMILES[6:] + SMILES[:6]),
    ]


def _lengths(name: str = "length") -> Task:
    y: Labels = np.array([float(len(text)) for text in SMILES])[:, None]
    return _task(name, kind="regression", metric="MAE", labels=y)


def _run(
    folder: Path,
    tasks: Sequence[Task] | None = None,
    embedders: Sequence[Embedder] | None = None,
    settings: QualitySettings | None = None,
    **more: Any,
) -> Results:
    place = Place(folder=folder, cache=folder / "cache", progress=False)
    made = embedders or [_embedder("exact", Letters()), _embedder("noisy", Letters(noise=3))]
    return evaluate(
        tasks or [_task(), _lengths()], made, settings or QualitySettings(seeds=2), place, **more
    )


def _scores(found: Results, **wanted: object) -> list[Score]:
    return [
        score
        for score in found.scores
        if all(getattr(score, name) == value for name, value in wanted.items())
    ]


def test_every_cell_has_a_score_and_the_better_embedding_wins(tmp_path: Path) -> None:
    found = _run(tmp_path)
    cells_found = {(s.task, s.embedder, s.probe, s.seed) for s in found.scores}
    assert cells_found == {
        (task, embedder, "linear", seed)
        for task in ("polar", "length")
        for embedder in ("exact", "noisy")
        for seed in (0, 1)
    }
    for seed in (0, 1):
        (exact,), (noisy,) = (
            _scores(found, task="polar", embedder=label, seed=seed) for label in ("exact", "noisy")
        )
        assert exact.test["AUROC"] == 1.0 > noisy.test["AUROC"]
        assert exact.rows == noisy.rows
        assert sum(exact.rows.values()) == len(SMILES)


def test_every_kind_of_tasks_is_scored_by_its_own_metrics(tmp_path: Path) -> None:
    settings = QualitySettings(seeds=2, probes=("linear", "knn"))
    found = _run(tmp_path, [_task(), _tails(), *_direct()], settings=settings)
    asked = {
        task.name: {score.probe for score in _scores(found, task=task.name)} for task in found.tasks
    }
    assert asked == {
        "polar": {"linear", "knn"},
        "tails": {"linear", "knn"},
        "clusters": {"kmeans"},
        "neighbours": {"nearest"},
        "pairs": {"cosine"},
    }
    for task in found.tasks:
        for score in _scores(found, task=task.name):
            assert {task.metric, task.comparable} <= set(score.test)
    (tails,) = _scores(found, task="tails", embedder="exact", seed=0, probe="linear")
    assert tails.test["Accuracy"] == 1.0
    assert all(task.notes == () for task in found.tasks)
    assert results.read(tmp_path / RESULTS).tasks == found.tasks


def test_both_sides_of_pairs_must_be_embedded_to_be_compared(tmp_path: Path) -> None:
    pairs = _direct()[2]
    made = [_embedder("partly", Letters(refuses="CCCCCCCCCC"))]
    found = _run(tmp_path, [pairs], made)
    refused = [text.startswith("CCCCCCCCCC") for text in SMILES]
    either = sum(a or b for a, b in zip(refused, refused[6:] + refused[:6], strict=True))
    assert either > sum(refused)
    assert found.tasks[0].compared == len(SMILES) - either


@pytest.mark.parametrize("place", range(3))
def test_what_trains_nothing_may_have_test_rows_alone(tmp_path: Path, place: int) -> None:
    every = np.ones(len(SMILES), dtype=np.bool_)
    task = replace(_direct()[place], split="given", test=every)
    if task.kind == "retrieval":  # neighbours are sought among other rows
        with pytest.raises(InputError, match="neighbours"):
            _run(tmp_path, [task])
        return
    found = _run(tmp_path, [task])
    assert {tuple(score.rows.items()) for score in found.scores} == {
        (("train", 0), ("valid", 0), ("test", len(SMILES)))
    }


def test_an_embedder_of_other_items_is_refused_before_any_work(tmp_path: Path) -> None:
    model = Letters()
    texts = _task("greetings", reads="texts")
    with pytest.raises(ConfigError, match="m reads molecules, but the task greetings holds texts"):
        _run(tmp_path, [texts], [_embedder("m", model)])
    assert model.asked == 0
    of_texts = replace(_embedder("t", model), sources=(Source("t" * 64, model, 0, "texts"),))
    found = _run(tmp_path, [texts], [of_texts])
    assert {score.embedder for score in found.scores} == {"t"}
    assert found.noun == "texts"
    assert _run(tmp_path / "molecules").noun == "molecules"


def test_results_from_before_there_were_other_items_can_be_read(tmp_path: Path) -> None:
    found = _run(tmp_path)
    path = tmp_path / RESULTS
    path.write_text(path.read_text().replace(', "reads": "molecules"', ""))
    assert results.read(path).tasks == found.tasks


def test_the_file_holds_what_was_returned(tmp_path: Path) -> None:
    found = _run(tmp_path)
    read = results.read(tmp_path / RESULTS)
    assert read.tasks == found.tasks
    assert read.embedders == found.embedders
    assert sorted(read.scores, key=lambda s: s.key) == sorted(found.scores, key=lambda s: s.key)
    assert read.run.settings["seeds"] == 2
    assert not (tmp_path / PARTIAL).exists()


@pytest.mark.parametrize("settings", [{"seeds": 2}, {"seeds": 1, "probes": ("linear", "knn")}])
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, settings: dict[str, Any]) -> None:
    files = []
    tasks = [_task(), _lengths(), _tails(), *_direct()]
    for name in ("first", "second"):
        _run(tmp_path / name, tasks, settings=QualitySettings(**settings))
        files.append((tmp_path / name / RESULTS).read_bytes())
    assert files[0] == files[1]


def test_after_a_kill_only_the_rest_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _run(tmp_path / "whole")
    computed: list[str] = []
    honest = cells.answered

    def until(limit: int) -> Any:
        def answered(order: cells.Order) -> list[Score]:
            if len(computed) >= limit:
                raise KeyboardInterrupt
            scores = honest(order)
            computed.extend(score.key for score in scores)
            return scores

        return answered

    monkeypatch.setattr(evaluation, "answered", until(3))
    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path / "killed")
    partial = tmp_path / "killed" / PARTIAL
    assert not (tmp_path / "killed" / RESULTS).exists()
    text = partial.read_text()
    partial.write_text(text[: len(text) - 40])  # the kill has cut the last line
    already = len(computed)
    monkeypatch.setattr(evaluation, "answered", until(1000))
    _run(tmp_path / "killed")
    assert 0 < len(computed) - already < len(whole.scores)
    files = [(tmp_path / name / RESULTS).read_bytes() for name in ("whole", "killed")]
    assert files[0] == files[1]


def test_another_embedder_costs_its_own_scores_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [Letters(), Letters(noise=3), Letters(noise=1)]
    made = [_embedder(f"m{place}", model) for place, model in enumerate(models)]
    _run(tmp_path, embedders=made[:2])
    orders: list[str] = []
    honest = cells.answered

    def counted(order: cells.Order) -> list[Score]:
        orders.append(order.cell.label)
        return honest(order)

    monkeypatch.setattr(evaluation, "answered", counted)
    found = _run(tmp_path, embedders=made)
    assert set(orders) == {"m2"}
    assert len(_scores(found, embedder="m0")) == 4
    assert [model.asked for model in models] == [len(SMILES)] * 3


def test_all_are_compared_on_the_rows_that_all_have(tmp_path: Path) -> None:
    whole = _embedder("whole", Letters())
    partly = _embedder("partly", Letters(refuses="CCCCCCCCCC"))
    found = _run(tmp_path, embedders=[whole, partly])
    refused = sum(text.startswith("CCCCCCCCCC") for text in SMILES)
    assert refused > 0
    assert {task.compared for task in found.tasks} == {len(SMILES) - refused}
    assert {task.items for task in found.tasks} == {len(SMILES)}
    assert {e.label: e.failed for e in found.embedders} == {"whole": 0, "partly": refused}
    assert {sum(score.rows.values()) for score in found.scores} == {len(SMILES) - refused}


def test_a_label_that_says_nothing_is_left_out_with_a_note(tmp_path: Path) -> None:
    one_class = np.zeros((len(SMILES), 1))
    one_class[:3] = 1
    given = np.arange(len(SMILES)) >= 100
    bad = _task("rare", labels=one_class, split="given", test=given)
    constant = _task("constant", kind="regression", metric="MAE", labels=np.ones((len(SMILES), 1)))
    found = _run(tmp_path, [_task(), bad, constant])
    assert {score.task for score in found.scores} == {"polar"}
    notes = {task.name: " ".join(task.notes) for task in found.tasks}
    assert "rare" in notes
    assert "left out" in notes["rare"]
    assert "left out" in notes["constant"]
    assert notes["polar"] == ""


def test_where_nothing_can_be_compared_the_error_names_tasks(tmp_path: Path) -> None:
    constant = _task("constant", kind="regression", metric="MAE", labels=np.ones((len(SMILES), 1)))
    with pytest.raises(InputError, match="constant"):
        _run(tmp_path, [constant])


def test_missing_labels_cost_their_rows_and_no_others(tmp_path: Path) -> None:
    polar = _task().labels
    labels = np.concatenate([polar, 1 - polar], axis=1)
    labels[:12, 1] = np.nan
    task = _task(labels=labels, label_names=("polar", "apolar"))
    found = _run(tmp_path, [task])
    rows = {score.label: sum(score.rows.values()) for score in found.scores}
    assert rows == {"polar": len(SMILES), "apolar": len(SMILES) - 12}


def test_excluded_rows_are_not_scored_but_may_train(tmp_path: Path) -> None:
    none = _run(tmp_path / "none", [_task()])
    excluded = np.zeros(len(SMILES), dtype=np.bool_)
    excluded[::2] = True
    half = _run(tmp_path / "half", [_task()], excluded={"polar": excluded})
    for before, after in zip(none.scores, half.scores, strict=True):
        assert after.rows["train"] == before.rows["train"]
        assert after.rows["test"] < before.rows["test"]


def test_components_change_width_and_scores(tmp_path: Path) -> None:
    model = Letters(noise=1)
    made = [_embedder("noisy", model), _embedder("less", model, components=1)]
    found = _run(tmp_path, [_task()], made)
    assert [record.dim for record in found.embedders] == [6, 1]
    plain, reduced = (_scores(found, embedder=label, seed=0)[0] for label in ("noisy", "less"))
    assert plain.test != reduced.test


def test_seeds_change_splits(tmp_path: Path) -> None:
    noisy = [_embedder("noisy", Letters(noise=3))]
    found = _run(tmp_path, [_task()], noisy, QualitySettings(seeds=2))
    assert found.scores[0].test != found.scores[1].test
    later = _run(tmp_path, [_task()], noisy, QualitySettings(seeds=1, first_seed=1))
    assert later.scores == (found.scores[1],)


def test_several_processes_give_the_same_file(tmp_path: Path) -> None:
    made = [_embedder("exact", Letters())]
    files = []
    for jobs in (1, 2):
        folder = tmp_path / str(jobs)
        place = Place(folder=folder, cache=folder, jobs=jobs, progress=False)
        evaluate([_task(), _lengths()], made, QualitySettings(seeds=1), place)
        files.append((folder / RESULTS).read_bytes())
    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("settings", "error"),
    [({"seeds": 0}, ConfigError), ({"probes": ()}, ConfigError)],
)
def test_settings_out_of_range_are_refused(
    settings: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        QualitySettings(**settings)


def test_an_unknown_probe_fails_before_anything_is_embedded(tmp_path: Path) -> None:
    model = Letters()
    with pytest.raises(UnknownNameError, match="linear"):
        _run(
            tmp_path,
            embedders=[_embedder("m", model)],
            settings=QualitySettings(probes=("lineal",)),
        )
    assert model.asked == 0


def test_a_file_that_was_cut_says_what_to_do(tmp_path: Path) -> None:
    _run(tmp_path)
    path = tmp_path / RESULTS
    path.write_text(path.read_text()[:-30])
    with pytest.raises(results.CorruptFileError, match="run the same command again"):
        results.read(path)


def test_no_score_is_nan_in_the_file(tmp_path: Path) -> None:
    _run(tmp_path)
    for line in (tmp_path / RESULTS).read_text().splitlines():
        record = json.loads(line)
        numbers = [*record.get("test", {}).values(), *record.get("valid", {}).values()]
        assert np.isfinite(numbers).all()
