"""Published figures beside our own."""

from __future__ import annotations

from pathlib import Path

import pytest

from molkd.benchmarks.statistics import published
from molkd.benchmarks.tasks import GROUPS
from molkd.benchmarks.tasks.metrics import METRICS
from molkd.errors import InputError

ADMET = """task,metric,tdc_best_2024_06,mole,other
caco2_wang,MAE,0.276,0.310,
vdss_lombardo,Spearman,0.713,0.654,0.6
"""

PAPER = """model,task,kind,metric,mean,std,n
student250k,hERG,cls,auroc,0.828,0.053,5
student250k,Caco2_Wang,reg,r2,0.712,0.042,5
student250k,hERG_Karim,cls,auroc,0.912,0.006,5
L2,Caco2_Wang,reg,r2,0.642,,1
"""


def folder(path: Path, **files: str) -> Path:
    names = {"admet": "tdc-admet-published.csv", "paper": "paper-molecular-results.csv"}
    for name, text in files.items():
        (path / names[name]).write_text(text)
    return path


def test_leaderboards_become_one_figure_per_column(tmp_path: Path) -> None:
    found = published.read(folder(tmp_path, admet=ADMET))
    assert [(f.source, f.task, f.metric, f.value, f.sd) for f in found] == [
        ("TDC leaderboards, June 2024", "caco2_wang", "MAE", 0.276, None),
        ("MolE", "caco2_wang", "MAE", 0.310, None),
        ("TDC leaderboards, June 2024", "vdss_lombardo", "Spearman", 0.713, None),
        ("MolE", "vdss_lombardo", "Spearman", 0.654, None),
        ("other", "vdss_lombardo", "Spearman", 0.6, None),
    ]
    assert {f.group for f in found} == {"tdc-admet"}
    assert "another model for each" in found[0].note
    assert "another model for each" not in found[1].note


def test_the_papers_names_are_mapped_to_ours(tmp_path: Path) -> None:
    found = published.read(folder(tmp_path, paper=PAPER))
    assert [(f.source, f.task, f.metric, f.value, f.sd) for f in found] == [
        ("student250k (Formont et al. 2025)", "tdc-single:herg", "AUROC", 0.828, 0.053),
        ("student250k (Formont et al. 2025)", "tdc-single:caco2_wang", "R2", 0.712, 0.042),
        ("L2 (Formont et al. 2025)", "tdc-single:caco2_wang", "R2", 0.642, None),
    ]
    assert {f.group for f in found} == {"tdc-single"}
    assert "standardised over all rows, test rows included" in found[0].note
    assert "targets were not standardised" in found[2].note


def test_notes_are_the_same_for_all_figures_of_a_source(tmp_path: Path) -> None:
    found = published.read(folder(tmp_path, admet=ADMET, paper=PAPER))
    assert len({(f.source, f.note) for f in found}) == len({f.source for f in found}) == 5


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds none of tdc-admet-published.csv, paper-molecular-results.csv"),
        ({"paper": "model,task,metric,mean\n"}, "no column std"),
        ({"admet": "task,metric,x\nherg,AUROK,1\n"}, r"line 2: unknown metric 'AUROK'.*'AUROC'"),
        ({"admet": "task,metric,x\nherg,AUROC,.8\nherg,AUROC,good\n"}, "line 3: 'good' is no"),
        ({"admet": "task,metric,x\nherg,AUROC,nan\n"}, "line 2: 'nan' is no finite number"),
        ({"admet": "task,metric,x\nherg,AUROC\n"}, "line 2: not as many fields"),
        ({"admet": "task,metric,x\nherg,AUROC,1,2\n"}, "line 2: not as many fields"),
        ({"admet": 'task,metric,x\nherg,AUROC,"1\n'}, "cannot read"),
    ],
)
def test_bad_input_is_named(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        published.read(folder(tmp_path, **files))


def test_the_real_figures_are_read_and_are_of_our_tasks(shared: Path) -> None:
    found = published.read(shared / "reference")
    admet = [f for f in found if f.group == "tdc-admet"]
    single = [f for f in found if f.group == "tdc-single"]
    assert len(admet) == 22 * 3
    assert len(single) == 22 * 20  # 20 models; ClinTox and others are not among our tasks
    names = {(entry.group, entry.name) for group in GROUPS.values() for entry in group}
    assert {(f.group, f.task) for f in found} <= names
    assert {f.metric for f in found} <= set(METRICS)
    # So that each figure has one of ours beside it, in the same metric.
    official = {entry.name: entry.metric for group in GROUPS.values() for entry in group}
    assert all(f.metric == official[f.task] for f in found)
