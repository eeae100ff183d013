"""MoleculeACE: 30 targets on which similar molecules differ much in activity.

Source: van Tilborg, Alenicheva and Grisoni 2022 (https://doi.org/10.1021/acs.jcim.2c01073). The
label is -log10 of Ki or EC50 in nM; each table brings its split and says which molecules are part
of an activity cliff: their RMSE is also reported alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from molkd.benchmarks.tasks import reading
from molkd.benchmarks.tasks.checks import checked
from molkd.benchmarks.tasks.downloads import DataFile
from molkd.benchmarks.tasks.entry import Entry
from molkd.benchmarks.tasks.task import Task
from molkd.errors import InputError

KI = (
    "1862 1871 2034 204 2147 214 219 228 231 233 234 236 237 238 244 262 264 2835 287 2971 4005 "
    "4203 4792"
)
EC50 = "2047 218 235 237 239 3979 4616"
"""Numbers of the targets in ChEMBL, by what was measured."""

_HOST = "https://raw.githubusercontent.com/molML/MoleculeACE/main/MoleculeACE/Data/benchmark_data"


def read(entry: Entry, paths: Sequence[Path]) -> Task:
    """Reads a target's table: columns smiles, y, cliff_mol (0 or 1) and split (train or test).

    Raises:
        InputError: a column is missing, or `split` says something else (names the row).
    """
    (path,) = paths
    frame = reading.load(path)
    parts = reading.texts(frame, "split", path)
    wrong = next((row for row, part in enumerate(parts) if part not in {"train", "test"}), None)
    if wrong is not None:
        raise InputError(
            f"{path}, row {wrong} (counted from 0): the split is {parts[wrong]!r}, must be train "
            "or test"
        )
    task = replace(
        entry.task(reading.smiles(frame, "smiles", path), reading.numbers(frame, "y", path)),
        split="given",
        test=np.array(parts) == "test",
        subsets={"cliffs": reading.numbers(frame, "cliff_mol", path) == 1},
    )
    return checked(task, file=str(path))


def _entry(target: str) -> Entry:
    return Entry(
        name=target.lower(),
        group="moleculeace",
        kind="regression",
        metric="RMSE",
        files=(DataFile(f"moleculeace/{target}.csv", f"{_HOST}/{target}.csv"),),
        source="MoleculeACE (van Tilborg et al. 2022, doi 10.1021/acs.jcim.2c01073), from ChEMBL",
        read=read,
    )


TASKS = tuple(
    _entry(f"CHEMBL{number}_{measured}")
    for measured, numbers in (("Ki", KI), ("EC50", EC50))
    for number in numbers.split()
)
"""All targets."""
