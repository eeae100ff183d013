"""What shares nothing with the measured compounds is not called reliable, whatever is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molkd import prediction
from molkd.benchmarks.probes.forest import Forest
from molkd.prediction import learners, reliability
from molkd.students import Student

STRANGERS = ["[H][H]", "[Fe]", "C", "CCO", "OCC1OC(O)C(O)C(O)C1O", "FC(F)(F)C(F)(F)C(F)(F)F"]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["tanimoto", "forest"])
def test_strangers_to_a_series_are_far(
    student: Student, shared: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    monkeypatch.setattr(learners, "Forest", lambda: Forest(trees=20))
    series = pd.read_csv(shared / "data" / "moleculeace" / "CHEMBL1871_Ki.csv")[["smiles", "y"]]
    drawn = series.sample(450, random_state=0)
    settings = prediction.TrialSettings(model_of=model, repeats=1)
    measured = prediction.read_measured(drawn[:300], "y")
    predictor = prediction.run(measured, student, settings, progress=False).predictor
    found = predictor.predict(STRANGERS)
    assert (found.reliability < reliability.LOW).all()
    assert reliability.FAR in found.doubts.values()
    own = predictor.predict(drawn[300:].smiles.tolist())
    assert np.median(own.reliability) > 0.4
