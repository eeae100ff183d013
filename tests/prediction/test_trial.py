"""A trial says which model is better, whether one can tell, and what its numbers are worth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from molkd import prediction
from molkd.benchmarks.probes.forest import Forest
from molkd.errors import InputError
from molkd.prediction import learners, trial, validation
from molkd.prediction.scores import Score
from molkd.prediction.trial import Trial
from molkd.prediction.validation import HeldOut
from molkd.students import Student
from tests.prediction.compounds import SMILES, VALUES, table

Trials = dict[tuple[str, str], Trial]


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_models_are_scored_by_scaffold_and_at_random(trials: Trials, kind: str) -> None:
    found = trials[kind, "embedding"]
    rows = trial.rows(found)
    assert [row[:2] for row in rows] == [
        ["new scaffolds", "embedding"],
        ["new scaffolds", "forest on ECFP4 and descriptors"],
        ["new scaffolds", "Tanimoto kernel of ECFP4"],
        ["random compounds", "embedding"],
        ["random compounds", "forest on ECFP4 and descriptors"],
        ["random compounds", "Tanimoto kernel of ECFP4"],
    ]
    assert {len(row) for row in rows} == {len(trial.columns(found.measured.kind))}
    for comparison in found.compared.values():
        for scores in comparison.scores.values():
            assert all(score.low <= score.value <= score.high for score in scores.values())


@pytest.mark.parametrize("model", ["embedding", "forest", "tanimoto"])
def test_the_summary_says_what_was_fitted_and_what_intervals_held(
    trials: Trials, model: str
) -> None:
    found = trials["regression", model]
    said = prediction.summary(found)
    assert "60 compounds of 12 scaffolds" in said
    assert "On new scaffolds" in said
    assert "On random compounds" in said
    assert "as you asked" in said
    assert f"90 % intervals held {100 * found.held:.1f} %" in said
    reads = {"embedding": "molkd-tiny-1", "forest": "ecfp4-count and rdkit2d", "tanimoto": "ecfp4-"}
    assert reads[model] in said


def test_the_summary_says_what_reliability_is_worth(trials: Trials) -> None:
    found = trials["classification", "forest"]
    excess = found.predictor.excess
    assert excess is not None
    assert (
        f"Compounds with a reliability below 0.2 were off by {excess:.2f} times as much as the "
        "others (squared errors) while held out."
    ) in prediction.summary(found)
    same = HeldOut(np.full((1, 60), 0.5), found.predictor.held_out.folds[:1])
    alike = replace(found, predictor=replace(found.predictor, held_out=same))
    assert "cannot tell which of its compounds are less reliable" in prediction.summary(alike)


GAINS = {
    "better": (0.1, 0.2),
    "worse": (-0.2, -0.1),
    "alike": (-0.1, 0.1),
}


@pytest.mark.parametrize(
    ("forest", "tanimoto", "expected"),
    [
        ("better", "better", "the embedding is better than the forest and the Tanimoto kernel ("),
        ("better", "alike", "is better than the forest, and cannot be told from the Tanimoto k"),
        ("alike", "alike", "one cannot tell whether the embedding helps"),
        ("alike", "worse", "the embedding does not help: the Tanimoto kernel is better"),
        ("worse", "better", "the embedding does not help: the forest is better"),
        ("worse", "worse", "the embedding does not help: the forest and the Tanimoto kernel are b"),
    ],
)
def test_the_verdict_is_on_each_rival(
    trials: Trials, forest: str, tanimoto: str, expected: str
) -> None:
    found = trials["regression", "embedding"]
    gains = {
        rival: Score(sum(GAINS[kind]) / 2, *GAINS[kind])
        for rival, kind in (("forest", forest), ("tanimoto", tanimoto))
    }
    compared = {"scaffold": replace(found.compared["scaffold"], gains=gains)}
    said = prediction.summary(replace(found, compared={**found.compared, **compared}))
    assert expected in said.split("On new scaffolds ")[1].split("On random")[0]


def test_the_best_model_is_the_one_that_is_fitted(trials: Trials) -> None:
    compared = trials["regression", "embedding"].compared["scaffold"]
    errors = {model: scores["MAE"].value for model, scores in compared.scores.items()}
    assert compared.best == min(errors, key=lambda model: errors[model])
    even = dict.fromkeys(compared.gains, Score(0.0, -1.0, 1.0))
    assert replace(compared, gains=even).best == "embedding"
    assert replace(compared, gains={**even, "tanimoto": Score(-1, -2, 0)}).best == "tanimoto"


@pytest.mark.parametrize(("share", "warned"), [(0.5, True), (1.5, False)])
def test_random_folds_are_warned_of_where_they_promise_more(
    trials: Trials, share: float, warned: bool
) -> None:
    found = trials["regression", "forest"]
    hard, easy = (found.compared[split].scores["forest"]["MAE"] for split in trial.SPLITS)
    other = replace(easy, value=share * (hard.low if share < 1 else hard.high))
    random = found.compared["random"]
    scores = {**random.scores, "forest": {**random.scores["forest"], "MAE": other}}
    random = replace(random, scores=scores)
    said = prediction.summary(replace(found, compared={**found.compared, "random": random}))
    assert ("Random folds would have promised" in said) == warned


def test_a_notebook_shows_the_table_and_the_words(trials: Trials) -> None:
    found = trials["classification", "forest"]
    page = found._repr_html_()
    assert page.count("<tr>") == 7
    assert "36 active, 24 inactive" in page
    assert page.count("<img") == 10
    assert repr(found) == "<Trial: y of 60 compounds, by the forest on ECFP4 and descriptors>"


def test_the_compounds_that_were_predicted_worst_are_drawn(trials: Trials) -> None:
    found = trials["regression", "embedding"]
    _, worst = found.sections(40)
    errors = np.abs(found.predictor.held_out.values.mean(axis=0) - found.measured.y)
    assert worst.cards[0].smiles == found.measured.smiles[errors.argmax()]


def test_the_student_is_taken_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learners, "Forest", lambda: Forest(trees=5))
    settings = prediction.TrialSettings(repeats=1, model_of="embedding")
    measured = prediction.read_measured(table(tmp_path / "t.csv", "y", VALUES), "y")
    found = prediction.run(measured, "molkd-tiny", settings, progress=False)
    assert found.predictor.facts.reads == "molkd-tiny-1"


def test_folds_and_processes_change_no_number(student: Student) -> None:
    x = {"embedding": student.embed(SMILES).values}
    scaffolds = np.repeat(np.arange(12), 5)
    asked = validation.Compounds(x, np.array(VALUES), scaffolds, "regression", 0)
    one, two = (
        validation.cross_validate(asked, repeats=1, jobs=jobs, progress=False) for jobs in (1, 2)
    )
    assert one.keys() == {("scaffold", "embedding"), ("random", "embedding")}
    for key, found in one.items():
        assert np.array_equal(found.values, two[key].values)
    by_scaffold = one["scaffold", "embedding"].folds[0]
    assert all(len(set(by_scaffold[scaffolds == each])) == 1 for each in range(12))


def test_one_scaffold_cannot_be_held_out(student: Student, tmp_path: Path) -> None:
    smiles = ["C" * length + "c1ccccc1" for length in range(1, 31)]
    path = table(tmp_path / "t.csv", "y", [float(len(text)) for text in smiles], smiles)
    with pytest.raises(InputError, match="1 different scaffolds, fewer than the 5 folds"):
        prediction.run(prediction.read_measured(path, "y"), student, progress=False)


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_the_fewest_compounds_and_scaffolds_that_are_taken(
    student: Student, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(learners, "Forest", lambda: Forest(trees=5))
    smiles = SMILES[:25]  # five scaffolds
    active = [row < 8 for row in range(25)]  # in two of them
    labels: list[object] = [*VALUES[:25]] if kind == "regression" else [*active]
    path = table(tmp_path / "t.csv", "y", labels, smiles)
    measured = prediction.read_measured(path, "y")
    settings = prediction.TrialSettings(repeats=1)
    found = prediction.run(measured, student, settings, progress=False)
    assert 0 <= found.held <= 1
    assert "Fewer than 50 compounds" in prediction.summary(found)


@pytest.mark.parametrize(("compounds", "repeats"), [(50, 5), (300, 5), (500, 3), (5000, 1)])
def test_the_fewer_compounds_the_more_repeats(compounds: int, repeats: int) -> None:
    assert prediction.TrialSettings().repeats_of(compounds) == repeats
    assert prediction.TrialSettings(repeats=2).repeats_of(compounds) == 2


def test_the_summary_says_where_reliability_does_not_help(trials: Trials) -> None:
    found = trials["classification", "forest"]
    predictor = found.predictor
    even = np.where(np.arange(60) % 4, np.where(predictor.y > 0, 0.1, 0.9), 0.5)
    wrong = HeldOut(even[np.newaxis], predictor.held_out.folds[:1])  # sure ones are wrong
    said = prediction.summary(replace(found, predictor=replace(predictor, held_out=wrong)))
    assert "others (squared errors) while held out: it does not help here." in said
