"""Predictions line up with the library, whatever is in it."""

from __future__ import annotations

import html
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molkd.errors import ConfigError, InputError
from molkd.library import Library
from molkd.prediction import molecules, predictions, reliability
from molkd.prediction.trial import Trial
from molkd.students import Student
from tests.prediction.compounds import SMILES, VALUES

Trials = dict[tuple[str, str], Trial]
ASKED = ["CCCCCCO", "no molecule", "OCCCc1ccccc1", ""]


@pytest.fixture(scope="module")
def library(student: Student) -> Library:
    embedded = student.embed(ASKED)
    return Library(
        ids=["a", "b", "c", "d"],
        smiles=ASKED,
        values=embedded.values,
        reasons=embedded.failures,
        columns={},
        model="molkd-tiny-1",
        model_digest=student.digest,
    )


@pytest.mark.parametrize("model", ["embedding", "forest", "tanimoto"])
def test_every_row_has_an_interval_or_a_reason(
    trials: Trials, library: Library, model: str, tmp_path: Path
) -> None:
    found = trials["regression", model].predictor.predict(library, confidence=0.8)
    found.write(tmp_path / "p.csv")
    frame = pd.read_csv(tmp_path / "p.csv")
    assert frame["id"].tolist() == ["a", "b", "c", "d"]
    assert frame["valid"].tolist() == [True, False, True, False]
    assert frame["error"].notna().tolist() == [False, True, False, True]
    there = frame[frame["valid"]]
    assert (there["low"] < there["predicted"]).all()
    assert (there["predicted"] < there["high"]).all()


@pytest.mark.parametrize("model", ["embedding", "forest", "tanimoto"])
def test_classes_come_with_a_probability_and_what_cannot_be_ruled_out(
    trials: Trials, library: Library, model: str, tmp_path: Path
) -> None:
    found = trials["classification", model].predictor.predict(library)
    found.write(tmp_path / "p.parquet")
    frame = pd.read_parquet(tmp_path / "p.parquet")
    there = frame[frame["valid"]]
    assert there["probability of active"].between(0, 1).all()
    assert set(there["cannot rule out"]) <= {"active", "inactive", "inactive or active"}
    assert frame["predicted"].isna().tolist() == [False, True, False, True]


def test_wider_promises_make_wider_intervals(trials: Trials, library: Library) -> None:
    predictor = trials["regression", "embedding"].predictor
    narrow, wide = (predictor.predict(library, confidence=share).bounds for share in (0.5, 0.95))
    assert (np.diff(wide)[[0, 2]] > np.diff(narrow)[[0, 2]]).all()


def test_compounds_that_were_measured_are_recognised_in_any_spelling(
    trials: Trials, library: Library
) -> None:
    again = replace(library, smiles=["C1=CC=C(C)C=C1", *ASKED[1:]])
    found = trials["regression", "forest"].predictor.predict(again)
    assert found.measured[0] == VALUES[0]
    assert np.isnan(found.measured[1:]).all()
    assert "1 of them was measured" in found.describe()
    classes = trials["classification", "forest"].predictor.predict(again)
    assert classes.table["measured"].to_pylist() == ["inactive", None, None, None]


def test_another_students_library_is_refused_with_both_digests(
    trials: Trials, library: Library, student: Student
) -> None:
    predictor = trials["regression", "embedding"].predictor
    with pytest.raises(
        InputError, match=rf"digest 0123.*reads molkd-tiny-1.*{student.digest[:12]}"
    ):
        predictor.predict(replace(library, model_digest="0123" * 16))


def test_other_descriptors_are_refused(trials: Trials, library: Library) -> None:
    predictor = trials["regression", "forest"].predictor
    other = replace(predictor, facts=replace(predictor.facts, reads_digest="0123" * 16))
    with pytest.raises(InputError, match="with digest 0123"):
        other.predict(library)


@pytest.mark.parametrize("confidence", [0.4, 1.0, float("nan")])
def test_a_promise_that_makes_no_sense_is_refused(
    trials: Trials, library: Library, confidence: float
) -> None:
    with pytest.raises(ConfigError, match="confidence must be"):
        trials["regression", "forest"].predictor.predict(library, confidence=confidence)


def test_a_forest_reads_molecules_that_nobody_embedded(trials: Trials, tmp_path: Path) -> None:
    path = tmp_path / "library.smi"
    path.write_text("CCO one\nno_molecule two\nc1ccccc1C three\n")
    opened = molecules.opened(path)
    found = trials["regression", "forest"].predictor.predict(opened)
    assert list(found.ids) == ["one", "two", "three"]
    assert np.isfinite(found.values).tolist() == [True, False, True]
    assert list(found.reasons) == [1]


def test_a_notebook_draws_the_highest_and_the_lowest(
    trials: Trials, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = trials["regression", "embedding"].predictor.predict(library)
    page = found._repr_html_()
    assert page.count("<li>") == page.count("<img") == np.isfinite(found.values).sum() == 2
    assert "All, the highest prediction first" in page
    assert f"row 1: {found.reasons[1]}" in html.unescape(page)
    monkeypatch.setattr(predictions, "_SHOWN", 1)
    more = trials["regression", "forest"].predictor.predict(SMILES[:30])
    high, low = more.sections(40)
    values = more.table["predicted"].to_numpy()
    assert high.cards[0].smiles == more.smiles[values.argmax()]
    assert low.cards[0].smiles == more.smiles[values.argmin()]
    assert "2 of 30 molecules are drawn here" in more._repr_html_()


@pytest.mark.parametrize("model", ["embedding", "forest", "tanimoto"])
def test_molecules_at_hand_are_predicted_as_their_library_is(
    trials: Trials, library: Library, model: str
) -> None:
    predictor = trials["regression", model].predictor
    given = predictor.predict(pd.DataFrame({"id": library.ids, "smiles": ASKED}))
    np.testing.assert_allclose(given.values, predictor.predict(library).values, rtol=1e-4)
    assert list(given.ids) == library.ids


def test_signs_and_prefixes_of_embeddings_are_not_predicted_from(
    trials: Trials, library: Library
) -> None:
    predictor = trials["regression", "embedding"].predictor
    with pytest.raises(InputError, match="one bit of each value"):
        predictor.predict(replace(library, encoding="binary"))
    with pytest.raises(InputError, match="16 of 128 dimensions"):
        predictor.predict(replace(library, values=np.zeros((len(library), 16), np.float32)))
    assert len(predictor.predict(replace(library, encoding="int8")).values) == len(library)


@pytest.mark.parametrize("model", ["embedding", "forest", "tanimoto"])
@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_every_prediction_has_a_reliability(
    trials: Trials, library: Library, kind: str, model: str, tmp_path: Path
) -> None:
    found = trials[kind, model].predictor.predict(library)
    found.write(tmp_path / "p.csv")
    frame = pd.read_csv(tmp_path / "p.csv")
    assert frame["reliability"].notna().tolist() == [True, False, True, False]
    assert frame["reliability"].dropna().between(0, 1).all()
    low = frame["reliability"] < reliability.LOW
    assert (frame["reliability_reason"].notna() == low).all()
    assert f"{low.sum()} have a reliability below 0.2" in found.describe()


def test_the_width_of_an_interval_follows_what_is_expected(trials: Trials) -> None:
    predictor = trials["regression", "embedding"].predictor
    found = predictor.predict(SMILES)
    widths = np.diff(found.bounds)[:, 0]
    order = np.argsort(widths)
    assert np.ptp(widths) > 0
    assert (np.diff(found.reliability[order]) <= 0).all()
    equal = replace(predictor, expected=None).predict(SMILES)
    assert np.ptp(np.diff(equal.bounds)) < 1e-9


def test_a_model_of_before_has_no_reliability_and_says_so(trials: Trials, library: Library) -> None:
    predictor = replace(trials["regression", "embedding"].predictor, expected=None)
    found = predictor.predict(library)
    assert found.table["reliability"].null_count == 4
    assert "no reliability, and intervals that are equally wide" in found.describe()
    assert predictor.excess is None
    assert np.isfinite(found.bounds[[0, 2]]).all()


def test_a_page_shows_the_reliability_of_what_it_draws(trials: Trials, library: Library) -> None:
    page = trials["classification", "embedding"].predictor.predict(library)._repr_html_()
    assert page.count("<dt>reliability</dt>") == 2


def test_a_probability_near_one_half_is_the_least_reliable(trials: Trials) -> None:
    found = trials["classification", "forest"].predictor.predict(SMILES)
    even = np.abs(found.table["probability of active"].to_numpy() - 0.5).argmin()
    assert found.reliability[even] == found.reliability.min()
    assert set(found.doubts.values()) <= {reliability.EVEN}
