"""The 22 tasks of the TDC ADMET group: tables with the official split, metrics, rows.

Source: Huang et al. 2021, "Therapeutics Data Commons" (arXiv 2102.09548); the metric of each task
is that of its leaderboard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score, mean_absolute_error, roc_auc_score

from molkd.errors import InputError, UnknownNameError
from molkd.registry import near

Labels = npt.NDArray[np.float64]
"""Shape (n,): one value per molecule; 0 or 1 in classification."""

METRICS: Mapping[str, str] = {
    "caco2_wang": "MAE",
    "bioavailability_ma": "AUROC",
    "lipophilicity_astrazeneca": "MAE",
    "solubility_aqsoldb": "MAE",
    "hia_hou": "AUROC",
    "pgp_broccatelli": "AUROC",
    "bbb_martins": "AUROC",
    "ppbr_az": "MAE",
    "vdss_lombardo": "Spearman",
    "cyp2c9_veith": "AUPRC",
    "cyp2d6_veith": "AUPRC",
    "cyp3a4_veith": "AUPRC",
    "cyp2c9_substrate_carbonmangels": "AUPRC",
    "cyp2d6_substrate_carbonmangels": "AUPRC",
    "cyp3a4_substrate_carbonmangels": "AUROC",
    "half_life_obach": "Spearman",
    "clearance_hepatocyte_az": "Spearman",
    "clearance_microsome_az": "Spearman",
    "ld50_zhu": "MAE",
    "herg": "AUROC",
    "ames": "AUROC",
    "dili": "AUROC",
}
"""Task -> official metric; MAE is the only one where less is better."""

LOGARITHMIC = frozenset(
    {"clearance_hepatocyte_az", "clearance_microsome_az", "half_life_obach", "vdss_lombardo"}
)
"""Tasks whose labels span decades: models are fitted to their decadic logarithm."""


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one side of the split.

    Attributes:
        smiles: n molecules, as in the table.
        y: shape (n,), labels in the unit of the table.
    """

    smiles: list[str]
    y: Labels


@dataclass(frozen=True, slots=True)
class Task:
    """One task with its official split.

    Attributes:
        name: key of `METRICS`.
        train: `train_val.csv`, all that may be used for fitting and choosing.
        test: `test.csv`.
    """

    name: str
    train: Part
    test: Part

    @property
    def classification(self) -> bool:
        """Whether labels are classes 0 and 1."""
        return METRICS[self.name] in {"AUROC", "AUPRC"}


def load(folder: Path, names: Iterable[str] = METRICS) -> list[Task]:
    """Reads tasks from `folder`/NAME/train_val.csv and test.csv (columns Drug and Y).

    Raises:
        UnknownNameError: the group has no such task.
        InputError: a file or a column is missing, or a label is not a finite number.
    """
    names = list(names)
    for name in names:
        if name not in METRICS:
            raise UnknownNameError(f"unknown task {name!r}.{near(name, METRICS)}")
    return [
        Task(name, _part(folder / name / "train_val.csv"), _part(folder / name / "test.csv"))
        for name in names
    ]


def unique_smiles(tasks: Iterable[Task]) -> list[str]:
    """Returns all SMILES strings of all tasks, each once, sorted."""
    return sorted(
        {text for task in tasks for part in (task.train, task.test) for text in part.smiles}
    )


def official_score(task: Task, predicted: Labels) -> float:
    """Returns the task's leaderboard metric on its test rows, in the unit of the labels."""
    return _METRICS[METRICS[task.name]](task.test.y, predicted)


def common_score(task: Task, predicted: Labels) -> float:
    """Returns AUROC or Spearman's rho: scores that may be averaged over tasks."""
    return _METRICS["AUROC" if task.classification else "Spearman"](task.test.y, predicted)


def _part(path: Path) -> Part:
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(
            f"cannot read {path}: {error}; give the group's folder as --data"
        ) from error
    missing = {"Drug", "Y"} - set(table.columns)
    if missing:
        raise InputError(f"{path} has no column {' and '.join(sorted(missing))}")
    y = np.asarray(pd.to_numeric(table["Y"], errors="coerce"), dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(y))
    if len(bad):
        raise InputError(f"{path}, row {bad[0] + 1}: the label is not a finite number")
    return Part([str(text) for text in table["Drug"]], y)


def _spearman(y: Labels, predicted: Labels) -> float:
    if np.ptp(predicted) == 0:
        return 0.0  # a constant ranks nothing
    return float(cast("Any", spearmanr(y, predicted)).statistic)


_METRICS: Mapping[str, Callable[[Labels, Labels], float]] = {
    "MAE": lambda y, predicted: float(mean_absolute_error(y, predicted)),
    "Spearman": _spearman,
    "AUROC": lambda y, predicted: float(roc_auc_score(y, predicted)),
    "AUPRC": lambda y, predicted: float(average_precision_score(y, predicted)),
}
