"""TDC's tasks: official rows and metrics, and the paper's preparation of the single tables."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molkd.benchmarks import tasks
from molkd.benchmarks.tasks import tdc
from molkd.benchmarks.tasks.metrics import METRICS
from molkd.benchmarks.tasks.splitting import split
from molkd.errors import InputError

CHAINS = ["C" * n + "O" for n in range(1, 21)]
OTHERS = ["C" * n + "N" for n in range(1, 6)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with two made-up tables of the group and three single ones."""
    for name in ("half_life_obach", "herg"):
        folder = tmp_path / "tdc_admet_group" / name
        folder.mkdir(parents=True)
        for part, items in (("train_val", CHAINS), ("test", OTHERS)):
            y = [n % 2 if name == "herg" else n + 0.5 for n in range(len(items))]
            pd.DataFrame({"Drug_ID": range(len(items)), "Drug": items, "Y": y}).to_csv(
                folder / f"{part}.csv", index=False
            )
    (tmp_path / "tdc_single").mkdir()
    return tmp_path


def _single(folder: Path, name: str, **columns: object) -> None:
    path = folder / "tdc_single" / f"{name}.tab"
    pd.DataFrame(columns).to_csv(path, sep="\t", index=False)


def test_the_official_split_and_metric_are_taken(data: Path) -> None:
    half_life, herg = tasks.load(["tdc-admet:half_life_obach", "tdc-admet:herg"], data=data)
    assert half_life.items == herg.items == (*CHAINS, *OTHERS)
    assert (half_life.name, half_life.kind, half_life.metric) == (
        "half_life_obach", "regression", "Spearman",
    )  # fmt: skip
    assert (half_life.scale, herg.scale) == ("log10", "linear")
    assert (herg.kind, herg.metric, herg.split) == ("classification", "AUROC", "given")
    parts = split(herg, seed=0)
    assert [herg.items[row] for row in parts.test] == OTHERS
    assert half_life.labels[:, 0].tolist() == [n + 0.5 for n in (*range(20), *range(5))]


def test_metrics_and_scales_are_those_of_the_leaderboards_and_of_the_paper() -> None:
    assert len(tdc.ADMET) == len(tdc.SINGLE) == 22
    assert {entry.short for entry in tdc.SINGLE} == {entry.name for entry in tdc.ADMET}
    for entry in (*tdc.ADMET, *tdc.SINGLE):
        assert METRICS[entry.metric].kind == entry.kind
    for entry in tdc.SINGLE:
        assert entry.metric == ("AUROC" if entry.kind == "classification" else "R2")
    logarithmic = {"half_life_obach", "clearance_hepatocyte_az", "clearance_microsome_az"}
    assert {e.short for e in tdc.SINGLE if e.scale == "log10"} == logarithmic
    assert {e.name for e in tdc.ADMET if e.scale == "log10"} == {*logarithmic, "vdss_lombardo"}


def test_single_tables_may_call_their_column_x(data: Path) -> None:
    _single(data, "ld50_zhu", ID=range(20), X=CHAINS, Y=[float(n) for n in range(20)])
    (task,) = tasks.load(["tdc-single:ld50_zhu"], data=data)
    assert (task.name, task.group) == ("tdc-single:ld50_zhu", "tdc-single")
    assert (task.metric, task.split) == ("R2", "random")
    assert task.items == tuple(CHAINS)
    assert task.test is None


def test_what_the_paper_left_out_is_left_out(data: Path) -> None:
    salt, heavy = "CCO.Cl", "C" * 72 + "O"  # 1027 g/mol
    light = "C" * 69 + "O"  # 985 g/mol
    items = [*CHAINS, salt, heavy, light]
    _single(data, "herg", Drug_ID=range(23), Drug=items, Y=[n % 2 for n in range(23)])
    (task,) = tasks.load(["tdc-single:herg"], data=data)
    assert task.items == (*CHAINS, light)
    (note,) = task.notes
    assert note.startswith("2 of 23 rows were left out as in the paper: salts and mixtures, or hea")


def test_plasma_of_other_species_is_left_out(data: Path) -> None:
    species = ["Homo sapiens"] * 18 + ["Rattus norvegicus"] * 2
    y = [float(n) for n in range(20)]
    _single(data, "ppbr_az", Drug_ID=range(20), Drug=CHAINS, Y=y, Species=species)
    (task,) = tasks.load(["tdc-single:ppbr_az"], data=data)
    assert task.items == tuple(CHAINS[:18])
    assert "plasma of other species" in task.notes[0]


def test_a_wrong_label_names_the_row_of_the_table(data: Path) -> None:
    y = [n % 2 for n in range(20)]
    _single(data, "herg", Drug=["C.C", *CHAINS[1:]], Y=[*y[:19], 3])
    with pytest.raises(InputError, match=r"herg\.tab, row 19 \(counted from 0\): y is 3"):
        tasks.load(["tdc-single:herg"], data=data)


def test_a_missing_table_names_its_address(data: Path) -> None:
    with pytest.raises(InputError, match=r"ames.train_val\.csv is not there.*dataverse.*4426004"):
        tasks.load(["tdc-admet:ames"], data=data)


# == The real tables


@pytest.fixture(scope="module")
def real(shared: Path) -> Path:
    folder = shared / "data"
    if not (folder / "tdc_single").is_dir():
        pytest.skip(f"no tables in {folder}")
    return folder


@pytest.mark.parametrize("name", ["caco2_wang", "hia_hou", "ppbr_az", "clearance_microsome_az"])
def test_real_tables_of_both_protocols_agree(real: Path, name: str) -> None:
    group, single = tasks.load([f"tdc-admet:{name}", f"tdc-single:{name}"], data=real)
    assert group.test is not None
    assert group.test.mean() == pytest.approx(0.2, abs=0.01)
    assert {*single.items} <= {*group.items}
    ours = pd.Series(group.labels[:, 0], index=pd.Index(group.items))
    for text, y in zip(single.items, single.labels[:, 0], strict=True):
        measured = np.atleast_1d(ours.loc[text])  # several where a molecule has several rows
        assert np.abs(measured - y).min() < 1e-6


def test_real_duplicates_are_counted(real: Path) -> None:
    (task,) = tasks.load(["tdc-admet:herg"], data=real)
    assert len(task.items) == 655
    found = re.match(r"(\d+) molecules occur more than once \((\d+) rows\)", task.notes[0])
    assert found
    assert [int(n) for n in found.groups()] == [7, 14]


def test_real_splits_have_both_classes(real: Path) -> None:
    for task in tasks.load(["tdc-admet:hia_hou", "tdc-single:dili"], data=real):
        for method in (None, "random", "scaffold"):
            parts = split(task, method=method, seed=1)
            for rows in (parts.train, parts.valid, parts.test):
                assert set(task.labels[rows, 0]) == {0, 1}
