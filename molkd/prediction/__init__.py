"""From a table of measured compounds to predictions for a library, with honest errors.

    from molkd import prediction

    measured = prediction.read_measured("measured.csv", "pIC50")
    trial = prediction.run(measured, "molkd-base")
    print(prediction.summary(trial))
    trial.predictor.predict("library.parquet").write("predictions.csv")

Nothing is imported before it is asked for, so that settings can be read in no time.
"""

from __future__ import annotations

import pkgutil
from typing import TYPE_CHECKING, Any

from molkd.prediction.settings import TrialSettings

if TYPE_CHECKING:  # they load scikit-learn and RDKit
    from molkd.prediction.measured import Measured
    from molkd.prediction.measured import read as read_measured
    from molkd.prediction.predictions import Predictions
    from molkd.prediction.predictor import Predictor
    from molkd.prediction.running import run
    from molkd.prediction.saved import load, save
    from molkd.prediction.trial import Trial, summary

__all__ = [
    "Measured",
    "Predictions",
    "Predictor",
    "Trial",
    "TrialSettings",
    "load",
    "read_measured",
    "run",
    "save",
    "summary",
]

_LATE = {
    "Measured": "molkd.prediction.measured:Measured",
    "Predictions": "molkd.prediction.predictions:Predictions",
    "Predictor": "molkd.prediction.predictor:Predictor",
    "Trial": "molkd.prediction.trial:Trial",
    "load": "molkd.prediction.saved:load",
    "read_measured": "molkd.prediction.measured:read",
    "run": "molkd.prediction.running:run",
    "save": "molkd.prediction.saved:save",
    "summary": "molkd.prediction.trial:summary",
}


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return pkgutil.resolve_name(_LATE[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
