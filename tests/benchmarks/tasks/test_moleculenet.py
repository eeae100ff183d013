"""MoleculeNet through DeepChem's loaders: tables that are here, missing labels, addresses."""

from __future__ import annotations

import importlib
import logging
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molkd.benchmarks import tasks
from molkd.benchmarks.tasks import molecule_keys
from molkd.benchmarks.tasks.moleculenet import LOADERS
from molkd.benchmarks.tasks.splitting import split
from molkd.errors import InputError

SMILES = [f"{'C' * n}{end}" for n in range(1, 16) for end in ("O", "N")]
NUCLEAR = ("AR", "AR-LBD", "AhR", "Aromatase", "ER", "ER-LBD", "PPAR-gamma")
STRESS = ("ARE", "ATAD5", "HSE", "MMP", "p53")
TOX21 = [*(f"NR-{name}" for name in NUCLEAR), *(f"SR-{name}" for name in STRESS)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "moleculenet").mkdir()
    return tmp_path


@pytest.fixture(scope="module")
def theirs() -> Callable[[str], object]:
    """Modules of DeepChem, imported without its noise."""
    logging.getLogger("deepchem").setLevel(logging.ERROR)

    def module(name: str) -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(f"deepchem.{name}")

    return module


def test_missing_labels_are_nan(data: Path) -> None:
    rows = np.arange(30)
    labels = np.stack([(rows % 2).astype(np.float64) for _ in TOX21], axis=1)
    labels[np.add.outer(rows, np.arange(12)) % 5 == 0] = np.nan
    labels[:, 11] = rows % 2
    frame = pd.DataFrame(labels, columns=TOX21).assign(mol_id=rows, smiles=SMILES)
    frame.to_csv(data / "moleculenet" / "tox21.csv.gz", index=False)
    (task,) = tasks.load(["tox21"], data=data)
    assert task.items == tuple(SMILES)
    assert task.label_names == tuple(TOX21)
    np.testing.assert_array_equal(task.labels, labels)
    assert (task.kind, task.metric, task.split) == ("classification", "AUROC", "scaffold")


def test_a_table_with_another_name_of_its_column_is_read(data: Path) -> None:
    frame = pd.DataFrame({"smiles": SMILES, "Class": [row % 2 for row in range(30)]})
    frame.to_csv(data / "moleculenet" / "bace_small.csv", index=False)
    (task,) = tasks.load(["bace"], data=data)
    assert task.items == tuple(SMILES)
    assert task.labels[:, 0].tolist() == frame["Class"].tolist()


def test_no_files_are_left_behind(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"smiles": SMILES, "p_np": [row % 2 for row in range(30)]})
    frame.to_csv(data / "moleculenet" / "BBBP.csv", index=False)
    (data / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(data / "temporary"))
    tasks.load(["bbbp"], data=data)
    assert not list((data / "temporary").iterdir())
    assert [path.name for path in (data / "moleculenet").iterdir()] == ["BBBP.csv"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_table_in_another_form_is_refused(data: Path) -> None:
    frame = pd.DataFrame({"smiles": SMILES, "wrong": range(30)})
    frame.to_csv(data / "moleculenet" / "BBBP.csv", index=False)
    # DeepChem leaves the file open when it fails, hence the filter above.
    with pytest.raises(InputError, match=r"load_bbbp cannot read .*BBBP\.csv.*p_np.*as published"):
        tasks.load(["bbbp"], data=data)


@pytest.mark.parametrize("name", LOADERS)
def test_loaders_exist_and_look_for_the_named_file(
    data: Path, name: str, theirs: Callable[[str], object]
) -> None:
    loader = LOADERS[name]
    function = getattr(theirs("molnet"), loader.function)
    source = Path(importlib.import_module(function.__module__).__file__ or "").read_text()
    assert f"/{loader.table}" in source
    assert f'feature_field="{loader.smiles}"' in source.replace("'", '"')
    with pytest.raises(InputError, match=rf"{loader.table} is not there.*deepchemdata") as caught:
        tasks.load([name], data=data)
    assert "datasets/" + loader.table in str(caught.value)


def test_our_scaffolds_keep_theirs_together(shared: Path, theirs: Callable[[str], object]) -> None:
    (task,) = tasks.load(["bbbp"], data=shared / "data")
    generate = theirs("splits.splitters")._generate_scaffold  # type: ignore[attr-defined]
    rows = [row for row in range(0, len(task.items), 10) if generate(task.items[row])]
    ours = [molecule_keys.scaffold(task.items[row]) for row in rows]
    same = [generate(task.items[row]) for row in rows]
    assert len(set(zip(ours, same, strict=True))) == len(set(ours)) == len(set(same)) > 50
    parts = split(task, seed=0)
    inside = set(parts.test.tolist())
    sides = [
        {s for row, s in zip(rows, same, strict=True) if (row in inside) is side}
        for side in (True, False)
    ]
    assert all(sides)
    assert not sides[0] & sides[1]


@pytest.mark.parametrize(
    ("name", "rows", "noted"), [("bace", 1513, 0), ("bbbp", 2039, 2), ("esol", 1128, 1)]
)
def test_real_tables(shared: Path, name: str, rows: int, noted: int) -> None:
    (task,) = tasks.load([name], data=shared / "data")
    assert len(task.items) == rows
    assert len(task.notes) >= noted
    assert np.isfinite(task.labels).all()
    if name == "esol":
        assert task.labels.mean() == pytest.approx(-3.05, abs=0.01)  # log10 of mol/l
