"""MoleculeACE: given split, labels as published, cliffs as a subset of the test rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molkd.benchmarks import tasks
from molkd.benchmarks.tasks import moleculeace
from molkd.benchmarks.tasks.splitting import split
from molkd.errors import InputError

SMILES = [f"{'C' * n}{end}" for n in range(1, 11) for end in ("O", "N", "F")]
CLIFF = [int(n % 4 == 0) for n in range(30)]
SPLIT = ["test" if n % 5 == 4 else "train" for n in range(30)]


def _table(folder: Path, **changed: object) -> None:
    nanomolar = 10.0 ** (np.arange(30) % 7)
    columns = {
        "smiles": SMILES,
        "exp_mean [nM]": nanomolar,
        "y": -np.log10(nanomolar),
        "cliff_mol": CLIFF,
        "split": SPLIT,
        **changed,
    }
    (folder / "moleculeace").mkdir(exist_ok=True)
    pd.DataFrame(columns).to_csv(folder / "moleculeace" / "CHEMBL2047_EC50.csv", index=False)


def test_a_table_as_published_is_read(tmp_path: Path) -> None:
    _table(tmp_path)
    (task,) = tasks.load(["chembl2047_ec50"], data=tmp_path)
    assert (task.name, task.group) == ("chembl2047_ec50", "moleculeace")
    assert (task.kind, task.metric, task.split) == ("regression", "RMSE", "given")
    assert task.labels[8, 0] == -1.0
    parts = split(task, seed=0)
    assert parts.test.tolist() == list(range(4, 30, 5))
    cliffs = task.subsets["cliffs"]
    assert np.flatnonzero(cliffs[parts.test]).tolist() == [0, 4]  # rows 4 and 24


def test_subsets_follow_when_rows_are_left_out(tmp_path: Path) -> None:
    _table(tmp_path, smiles=["C(", *SMILES[1:]])
    (task,) = tasks.load(["chembl2047_ec50"], data=tmp_path)
    assert len(task.items) == len(task.subsets["cliffs"]) == 29
    assert task.subsets["cliffs"].tolist() == [flag == 1 for flag in CLIFF[1:]]


def test_another_split_is_refused(tmp_path: Path) -> None:
    _table(tmp_path, split=["train"] * 29 + ["valid"])
    with pytest.raises(InputError, match=r"row 29 .*the split is 'valid', must be train or test"):
        tasks.load(["chembl2047_ec50"], data=tmp_path)


def test_there_are_thirty_targets_and_a_missing_one_names_its_address(tmp_path: Path) -> None:
    assert len({entry.name for entry in moleculeace.TASKS}) == 30
    with pytest.raises(InputError, match=r"CHEMBL4792_Ki\.csv is not there.*molML/MoleculeACE"):
        tasks.load(["chembl4792_ki"], data=tmp_path)
