"""Built-in tasks by name: groups, single tasks, near names, what is here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from molkd.benchmarks import tasks
from molkd.benchmarks.tasks.metrics import METRICS, of_kind
from molkd.errors import InputError, UnknownNameError


def _ace(folder: Path, *targets: str) -> None:
    (folder / "moleculeace").mkdir(exist_ok=True)
    frame = pd.DataFrame({
        "smiles": ["C" * n for n in range(1, 21)],
        "y": range(20),
        "cliff_mol": [0, 1] * 10,
        "split": ["train"] * 16 + ["test"] * 4,
    })  # fmt: skip
    for target in targets:
        frame.to_csv(folder / "moleculeace" / f"{target}.csv", index=False)


def test_names_are_unique_and_complete() -> None:
    names = tasks.names()
    entries = [entry for group in tasks.GROUPS.values() for entry in group]
    assert len(names) == len(set(names)) == len({entry.name for entry in entries}) == 90
    molecular = ["tdc-admet", "tdc-single", "moleculenet", "moleculeace"]
    assert list(tasks.GROUPS) == [*molecular, "text", "vision"]
    for entry in entries:
        assert entry.key in names
        assert entry.name == entry.name.lower()
        assert METRICS[entry.metric] in of_kind(entry.kind)


def test_tasks_come_once_in_the_order_asked_for(tmp_path: Path) -> None:
    _ace(tmp_path, "CHEMBL204_Ki", "CHEMBL214_Ki")
    asked = ["chembl214_ki", "moleculeace:chembl204_ki", "CHEMBL214_Ki"]
    loaded = tasks.load(asked, data=tmp_path)
    assert [task.name for task in loaded] == ["chembl214_ki", "chembl204_ki"]


def test_a_group_needs_all_its_tables(tmp_path: Path) -> None:
    _ace(tmp_path, "CHEMBL1862_Ki")
    with pytest.raises(InputError, match=r"29 of 30 tasks .*CHEMBL1871_Ki.*--present"):
        tasks.load(["moleculeace"], data=tmp_path)


def test_of_a_group_those_present_may_be_taken_and_the_others_are_named(tmp_path: Path) -> None:
    _ace(tmp_path, "CHEMBL1862_Ki", "CHEMBL218_EC50")
    kept, absent = tasks.present(["MoleculeACE", "tox21"], data=tmp_path)
    assert kept == ["moleculeace:chembl1862_ki", "moleculeace:chembl218_ec50", "moleculenet:tox21"]
    assert len(absent) == 28
    assert "moleculeace:chembl1871_ki" in absent
    with pytest.raises(InputError, match="tox21"):  # what is named one by one must be there
        tasks.load(kept, data=tmp_path)
    named = ["moleculeace", "chembl1871_ki"]
    assert "moleculeace:chembl1871_ki" in tasks.present(named, data=tmp_path)[0]
    with pytest.raises(InputError, match="no table of tdc-admet is in"):
        tasks.present(["moleculeace", "tdc-admet"], data=tmp_path)


def test_a_name_in_two_groups_needs_its_group(tmp_path: Path) -> None:
    with pytest.raises(
        UnknownNameError, match=r"two tasks 'ames': tdc-admet:ames and tdc-single:ames"
    ):
        tasks.load(["ames"], data=tmp_path)


@pytest.mark.parametrize(
    ("name", "near"),
    [("tdc-admt", "tdc-admet"), ("tdc-single:amse", "tdc-single:ames"), ("toxx21", "tox21")],
)
def test_an_unknown_name_proposes_the_nearest(name: str, near: str) -> None:
    with pytest.raises(UnknownNameError, match=rf"unknown task '{name}'\. Did you mean .*'{near}'"):
        tasks.load([name])


def test_the_folder_may_be_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ace(tmp_path, "CHEMBL204_Ki")
    monkeypatch.setenv("MOLKD_DATA_DIR", str(tmp_path))
    assert len(tasks.load(["chembl204_ki"])) == 1


def test_descriptions_say_what_is_here_without_reading_it(tmp_path: Path) -> None:
    _ace(tmp_path, "CHEMBL204_Ki")
    with (tmp_path / "moleculeace" / "CHEMBL204_Ki.csv").open("a") as stream:
        stream.write("no molecule,x,y,z\n")
    found = {about.key: about for about in tasks.describe(tmp_path)}
    assert list(found) == tasks.names()
    assert found["moleculeace:chembl204_ki"].rows == 21
    assert found["tdc-admet:ames"].rows is None
    (tmp_path / "moleculeace" / "CHEMBL204_Ki.csv").write_bytes(b"")
    here = {about.key: about.rows for about in tasks.describe(tmp_path) if about.rows is not None}
    assert here == {"vision:digits": 1797}  # which come with scikit-learn
    assert (found["tdc-admet:ames"].kind, found["tdc-admet:ames"].metric) == (
        "classification", "AUROC",
    )  # fmt: skip


def test_listing_tasks_loads_no_heavy_library() -> None:
    code = (
        "import sys; from molkd.benchmarks import tasks; tasks.describe()\n"
        "print([name for name in ('torch', 'deepchem', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
