"""From a table of measured compounds to predictions for a library, with honest errors.

from molkd import library, prediction, students

student = students.load("molkd-base")
trial = prediction.run(prediction.read_measured("measured.csv", "pIC50"), student)
print(prediction.summary(trial))
trial.predictor.predict(library.read("library.parquet")).write("predictions.csv")
"""

from __future__ import annotations

from molkd.prediction.measured import Measured
from molkd.prediction.measured import read as read_measured
from molkd.prediction.predictions import Predictions
from molkd.prediction.predictor import Predictor
from molkd.prediction.running import run
from molkd.prediction.saved import load, save
from molkd.prediction.trial import Trial, TrialSettings, summary

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
