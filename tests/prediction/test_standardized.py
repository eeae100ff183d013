"""Compounds and library are read alike, and a row that nobody reads keeps its first reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from molkd import prediction
from molkd.benchmarks.probes.forest import Forest
from molkd.embedding import EmbedSettings, embed_file
from molkd.errors import InputError
from molkd.library import read
from molkd.prediction import Predictor, learners, saved
from molkd.prediction.validation import MODELS
from molkd.students import Student
from tests.prediction import compounds

SALTS = ["CCCCCC(=O)O", "CCCCCC(=O)[O-].[Na+]", "CCCCC", "no molecule"]


@pytest.fixture(scope="module")
def fitted(student: Student, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Predictor]:
    """Model -> one of compounds that were standardised."""
    table = compounds.table(tmp_path_factory.mktemp("measured") / "m.csv", "y", compounds.VALUES)
    measured = prediction.read_measured(table, "y", standardize="full")
    found: dict[str, Predictor] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learners, "Forest", lambda: Forest(trees=10))
        for model in MODELS:
            settings = prediction.TrialSettings(model_of=model, repeats=1)
            trial = prediction.run(measured, student, settings, name="tiny", progress=False)
            found[model] = trial.predictor
    return found


def _embedded(student: Student, folder: Path, standardize: str) -> Path:
    source, out = folder / "in.smi", folder / f"{standardize}.parquet"
    source.write_text("".join(f"{text}\n" for text in SALTS))
    settings = EmbedSettings(standardize=standardize)
    embed_file(student, source, out, settings, name="tiny", progress=False)
    return out


@pytest.mark.parametrize("model", ["embedding", "forest", "tanimoto"])
def test_a_salt_is_predicted_as_its_acid(
    student: Student, fitted: dict[str, Predictor], tmp_path: Path, model: str
) -> None:
    predictor = prediction.load(saved.save(fitted[model], tmp_path / "model"))
    found = predictor.predict(read(_embedded(student, tmp_path, "full")))
    assert found.values[0] == found.values[1] != found.values[2]
    assert np.isnan(found.values[3])
    assert found.reasons.keys() == {3}


def test_a_library_that_was_read_otherwise_is_refused_by_the_embedding_alone(
    student: Student, fitted: dict[str, Predictor], tmp_path: Path
) -> None:
    library = read(_embedded(student, tmp_path, "none"))
    with pytest.raises(InputError, match="standardize 'none', and the model was fitted with 'full"):
        fitted["embedding"].predict(library)
    values = fitted["forest"].predict(library).values  # it reads SMILES, in its own way
    assert values[0] == values[1]


def test_what_the_file_says_of_a_row_is_the_reason(
    fitted: dict[str, Predictor], tmp_path: Path
) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes(b"smiles\nCCO\nC\xff\nno molecule\n")
    found = fitted["forest"].predict(source)
    assert np.isfinite(found.values).tolist() == [True, False, False]
    assert "not UTF-8" in found.reasons[1]
    assert "SMILES" in found.reasons[2]
