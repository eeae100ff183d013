"""Every embedder on every task: same rows for all, nothing lost, the same bytes after a kill."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from molkd.benchmarks import records
from molkd.benchmarks.quality import jobs
from molkd.benchmarks.quality.evaluation import (
    PARTIAL,
    RESULTS,
    QualitySettings,
    Workspace,
    evaluate,
)
from molkd.benchmarks.records import Score
from molkd.errors import ConfigError, InputError, UnknownNameError
from tests.fakes import letters


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the evaluation of `whole` left its files; tests only read them."""
    return tmp_path_factory.mktemp("whole")


@pytest.fixture(scope="module")
def whole(folder: Path) -> records.Results:
    return letters.run(folder)


def test_every_cell_has_a_score_and_the_better_embedding_wins(whole: records.Results) -> None:
    found = whole
    cells_found = {(s.task, s.embedder, s.probe, s.seed) for s in found.scores}
    assert cells_found == {
        (task, embedder, "linear", seed)
        for task in ("polar", "length")
        for embedder in ("exact", "noisy")
        for seed in (0, 1)
    }
    for seed in (0, 1):
        (exact,), (noisy,) = (
            letters.scores(found, task="polar", embedder=label, seed=seed)
            for label in ("exact", "noisy")
        )
        assert exact.test["AUROC"] == 1.0 > noisy.test["AUROC"]
        assert exact.rows == noisy.rows
        assert sum(exact.rows.values()) == len(letters.SMILES)


def test_the_file_holds_what_was_returned(folder: Path, whole: records.Results) -> None:
    read = records.read(folder / RESULTS)
    assert read.tasks == whole.tasks
    assert read.embedders == whole.embedders
    assert sorted(read.scores, key=lambda s: s.key) == sorted(whole.scores, key=lambda s: s.key)
    assert read.run.settings["seeds"] == 2
    assert all(np.isfinite([*s.test.values(), *s.valid.values()]).all() for s in read.scores)
    assert not (folder / PARTIAL).exists()


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    files = []
    tasks = [letters.task(), letters.lengths(), letters.tails(), *letters.direct()]
    for name in ("first", "second"):
        settings = QualitySettings(seeds=1, probes=("linear", "knn"))
        letters.run(tmp_path / name, tasks, settings=settings)
        files.append((tmp_path / name / RESULTS).read_bytes())
    assert files[0] == files[1]


def test_after_a_kill_only_the_rest_is_computed(
    folder: Path, whole: records.Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[str] = []
    honest = jobs.run

    def until(limit: int) -> Any:
        def answered(job: jobs.ScoringJob) -> list[Score]:
            if len(computed) >= limit:
                raise KeyboardInterrupt
            scores = honest(job)
            computed.extend(score.key for score in scores)
            return scores

        return answered

    monkeypatch.setattr(jobs, "run", until(3))
    with pytest.raises(KeyboardInterrupt):
        letters.run(tmp_path / "killed")
    partial = tmp_path / "killed" / PARTIAL
    assert not (tmp_path / "killed" / RESULTS).exists()
    text = partial.read_text()
    partial.write_text(text[: len(text) - 40])  # the kill has cut the last line
    already = len(computed)
    monkeypatch.setattr(jobs, "run", until(1000))
    letters.run(tmp_path / "killed")
    assert 0 < len(computed) - already < len(whole.scores)
    assert (tmp_path / "killed" / RESULTS).read_bytes() == (folder / RESULTS).read_bytes()


def test_another_embedder_costs_its_own_scores_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [letters.Letters(), letters.Letters(noise=3), letters.Letters(noise=1)]
    made = [letters.embedder(f"m{place}", model) for place, model in enumerate(models)]
    letters.run(tmp_path, embedders=made[:2])
    orders: list[str] = []
    honest = jobs.run

    def counted(job: jobs.ScoringJob) -> list[Score]:
        orders.append(job.label)
        return honest(job)

    monkeypatch.setattr(jobs, "run", counted)
    found = letters.run(tmp_path, embedders=made)
    assert set(orders) == {"m2"}
    assert len(letters.scores(found, embedder="m0")) == 4
    assert [model.asked for model in models] == [len(letters.SMILES)] * 3


def test_all_are_compared_on_the_rows_that_all_have(tmp_path: Path) -> None:
    whole = letters.embedder("whole", letters.Letters())
    partly = letters.embedder("partly", letters.Letters(refuses="CCCCCCCCCC"))
    found = letters.run(tmp_path, embedders=[whole, partly])
    refused = sum(text.startswith("CCCCCCCCCC") for text in letters.SMILES)
    assert refused > 0
    assert {task.compared for task in found.tasks} == {len(letters.SMILES) - refused}
    assert {task.items for task in found.tasks} == {len(letters.SMILES)}
    assert {e.label: e.failed for e in found.embedders} == {"whole": 0, "partly": refused}
    assert {sum(score.rows.values()) for score in found.scores} == {len(letters.SMILES) - refused}


def test_a_label_that_says_nothing_is_left_out_with_a_note(tmp_path: Path) -> None:
    one_class = np.zeros((len(letters.SMILES), 1))
    one_class[:3] = 1
    given = np.arange(len(letters.SMILES)) >= 100
    bad = letters.task("rare", labels=one_class, split="given", test=given)
    constant = letters.task(
        "constant", kind="regression", metric="MAE", labels=np.ones((len(letters.SMILES), 1))
    )
    found = letters.run(tmp_path, [letters.task(), bad, constant])
    assert {score.task for score in found.scores} == {"polar"}
    notes = {task.name: " ".join(task.notes) for task in found.tasks}
    assert "rare" in notes
    assert "left out" in notes["rare"]
    assert "left out" in notes["constant"]
    assert notes["polar"] == ""


def test_where_nothing_can_be_compared_the_error_names_tasks(tmp_path: Path) -> None:
    constant = letters.task(
        "constant", kind="regression", metric="MAE", labels=np.ones((len(letters.SMILES), 1))
    )
    with pytest.raises(InputError, match="constant"):
        letters.run(tmp_path, [constant])


def test_missing_labels_cost_their_rows_and_no_others(tmp_path: Path) -> None:
    polar = letters.task().labels
    labels = np.concatenate([polar, 1 - polar], axis=1)
    labels[:12, 1] = np.nan
    task = letters.task(labels=labels, label_names=("polar", "apolar"))
    found = letters.run(tmp_path, [task])
    rows = {score.label: sum(score.rows.values()) for score in found.scores}
    assert rows == {"polar": len(letters.SMILES), "apolar": len(letters.SMILES) - 12}


def test_excluded_rows_are_not_scored_but_may_train(tmp_path: Path) -> None:
    none = letters.run(tmp_path / "none", [letters.task()])
    excluded = np.zeros(len(letters.SMILES), dtype=np.bool_)
    excluded[::2] = True
    half = letters.run(tmp_path / "half", [letters.task()], excluded={"polar": excluded})
    for before, after in zip(none.scores, half.scores, strict=True):
        assert after.rows["train"] == before.rows["train"]
        assert after.rows["test"] < before.rows["test"]


def test_components_change_width_and_scores(tmp_path: Path) -> None:
    model = letters.Letters(noise=1)
    made = [letters.embedder("noisy", model), letters.embedder("less", model, components=1)]
    found = letters.run(tmp_path, [letters.task()], made)
    assert [record.dim for record in found.embedders] == [6, 1]
    plain, reduced = (
        letters.scores(found, embedder=label, seed=0)[0] for label in ("noisy", "less")
    )
    assert plain.test != reduced.test


def test_seeds_change_splits(tmp_path: Path) -> None:
    noisy = [letters.embedder("noisy", letters.Letters(noise=3))]
    found = letters.run(tmp_path, [letters.task()], noisy, QualitySettings(seeds=2))
    assert found.scores[0].test != found.scores[1].test
    later = letters.run(tmp_path, [letters.task()], noisy, QualitySettings(seeds=1, first_seed=1))
    assert later.scores == (found.scores[1],)


def test_several_splits_stand_side_by_side(tmp_path: Path) -> None:
    plain = letters.run(tmp_path / "plain")
    settings = QualitySettings(seeds=2, splits=("random", "scaffold", "given", "random"))
    found = letters.run(tmp_path / "both", settings=settings)
    assert [(task.name, task.split) for task in found.tasks] == [
        (name, split) for name in ("polar", "length") for split in ("random", "scaffold", "given")
    ]
    assert {score.split for score in found.scores} == {"random", "scaffold"}
    notes = {(task.name, task.split): task.notes for task in found.tasks}
    assert notes["polar", "random"] == ()
    assert "given split: left out: polar, given split" in notes["polar", "given"][0]
    own = letters.scores(found, split="random")  # the letters' own way
    assert own == list(plain.scores)
    read = records.read(tmp_path / "both" / RESULTS)
    assert sorted(read.scores, key=lambda s: s.key) == sorted(found.scores, key=lambda s: s.key)


def test_scores_of_files_that_know_no_splits_are_taken_over(
    folder: Path, whole: records.Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older: list[str] = []
    for text in (folder / RESULTS).read_text().splitlines():
        fields = json.loads(text)
        for name in ("labelled", "absent", *(["split"] if fields["record"] == "score" else [])):
            fields.pop(name, None)
        older.append(json.dumps(fields))
    (tmp_path / RESULTS).write_text("\n".join([*older, ""]))
    assert {score.split for score in records.read(tmp_path / RESULTS).scores} == {""}
    monkeypatch.setattr(jobs, "run", lambda _: pytest.fail("nothing has changed"))
    assert letters.run(tmp_path).scores == whole.scores
    assert (tmp_path / RESULTS).read_bytes() == (folder / RESULTS).read_bytes()


def test_rows_of_a_subset_are_counted(tmp_path: Path) -> None:
    ends = np.arange(len(letters.SMILES)) >= 60
    found = letters.run(tmp_path, [letters.task(subsets={"long": ends})])
    for score in found.scores:
        assert 0 < score.rows["test[long]"] < score.rows["test"]
        assert "AUROC[long]" in score.test


def test_several_processes_give_the_same_file(tmp_path: Path) -> None:
    made = [letters.embedder("exact", letters.Letters())]
    files = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        place = Workspace(folder=folder, cache=folder, jobs=processes, progress=False)
        evaluate([letters.task(), letters.lengths()], made, QualitySettings(seeds=1), place)
        files.append((folder / RESULTS).read_bytes())
    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"seeds": 0}, ConfigError),
        ({"probes": ()}, ConfigError),
        ({"splits": ("scafold",)}, ConfigError),
        ({"only": {"forest": ("a",)}}, ConfigError),
    ],
)
def test_settings_out_of_range_are_refused(
    settings: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        QualitySettings(**settings)


def test_a_slow_probe_may_ask_some_embedders_alone(tmp_path: Path) -> None:
    made = [letters.embedder(label, letters.Letters()) for label in ("a", "b")]
    settings = QualitySettings(seeds=1, probes=("linear", "knn"), only={"knn": ("b",)})
    found = letters.run(tmp_path, embedders=made, settings=settings)
    asked = {(score.probe, score.embedder) for score in found.scores}
    assert asked == {("linear", "a"), ("linear", "b"), ("knn", "b")}
    wrong = replace(settings, only={"knn": ("bb",)})
    with pytest.raises(ConfigError, match="no embedder 'bb' is compared"):
        letters.run(tmp_path, embedders=made, settings=wrong)


def test_an_unknown_probe_fails_before_anything_is_embedded(tmp_path: Path) -> None:
    model = letters.Letters()
    with pytest.raises(UnknownNameError, match="linear"):
        letters.run(
            tmp_path,
            embedders=[letters.embedder("m", model)],
            settings=QualitySettings(probes=("lineal",)),
        )
    assert model.asked == 0


def test_a_file_that_was_cut_says_what_to_do(
    folder: Path, whole: records.Results, tmp_path: Path
) -> None:
    path = tmp_path / RESULTS
    path.write_text((folder / RESULTS).read_text()[:-30])
    with pytest.raises(records.CorruptFileError, match="run the same command again"):
        records.read(path)
