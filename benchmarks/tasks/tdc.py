"""Therapeutics Data Commons: the ADMET group, and its tables as the paper's protocol splits them.

Source: Huang et al. 2021 (https://arxiv.org/abs/2102.09548); metrics are those of the group's
leaderboards. Neither the group's split nor its labels are changed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from rdkit.Chem import Descriptors

from molkd.benchmarks.tasks import reading
from molkd.benchmarks.tasks.checks import checked
from molkd.benchmarks.tasks.downloads import DataFile
from molkd.benchmarks.tasks.entry import Entry
from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import Task
from molkd.items.molecules import chem

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
"""Task of the ADMET group -> official metric."""

_HUMAN = "Homo sapiens"
_PAPER_LOGARITHMIC = {"half_life_obach", "clearance_hepatocyte_az", "clearance_microsome_az"}
_LOGARITHMIC = _PAPER_LOGARITHMIC | {"vdss_lombardo"}

MOST_WEIGHT = 1000.0
"""Molecular weight, in g/mol, above which the paper left a molecule out."""
_NOT_IN_PAPER = f"salts and mixtures, or heavier than {MOST_WEIGHT:g} g/mol"

_SOURCE = "Therapeutics Data Commons (Huang et al. 2021, arXiv 2102.09548), CC BY 4.0"
_HOST = "https://dataverse.harvard.edu/api/access/datafile"
_GROUP = 4426004  # number of the group's archive at the host, as in PyTDC's metadata
_NUMBERS: Mapping[str, int] = {
    "caco2_wang": 4259569,
    "bioavailability_ma": 4259567,
    "lipophilicity_astrazeneca": 4259595,
    "solubility_aqsoldb": 4259610,
    "hia_hou": 4259591,
    "pgp_broccatelli": 4259597,
    "bbb_martins": 4259566,
    "ppbr_az": 6413140,
    "vdss_lombardo": 4267387,
    "cyp2c9_veith": 4259577,
    "cyp2d6_veith": 4259580,
    "cyp3a4_veith": 4259582,
    "cyp2c9_substrate_carbonmangels": 4259584,
    "cyp2d6_substrate_carbonmangels": 4259578,
    "cyp3a4_substrate_carbonmangels": 4259581,
    "half_life_obach": 4266799,
    "clearance_hepatocyte_az": 4266187,
    "clearance_microsome_az": 4266186,
    "ld50_zhu": 4267146,
    "herg": 4259588,
    "ames": 4259564,
    "dili": 4259585,
}
"""Task -> number of its single table at the host, as in PyTDC's metadata."""


def read_admet(entry: Entry, paths: Sequence[Path]) -> Task:
    """Reads a task of the ADMET group from its two tables (columns Drug and Y)."""
    frames = [reading.load(path) for path in paths]
    test = np.repeat([False, True], [len(frame) for frame in frames])
    sides = [
        (reading.smiles(frame, "Drug", path), reading.numbers(frame, "Y", path))
        for frame, path in zip(frames, paths, strict=True)
    ]
    task = replace(
        entry.task(
            tuple(text for side, _ in sides for text in side),
            np.concatenate([labels for _, labels in sides]),
        ),
        split="given",
        test=test,
    )
    return checked(task, file=" + ".join(map(str, paths)))


def read_single(entry: Entry, paths: Sequence[Path]) -> Task:
    """Reads a single-prediction task (columns Drug or X, and Y) as the paper prepared it.

    Of the paper's preparation, what decides which molecules are asked for is kept: no "." in the
    SMILES, at most `MOST_WEIGHT`, and measurements of human plasma alone for `ppbr_az`. Not kept
    are what its 3D teachers needed (a conformer that can be built) and what it lost: SMILES keep
    their stereochemistry here, and copies of a molecule stay on one side of the split, so that the
    scores are, if anything, lower.
    """
    (path,) = paths
    frame = reading.load(path)
    items = reading.smiles(frame, "X" if "X" in frame.columns else None, path)
    reasons = _NOT_IN_PAPER
    in_paper = np.array([_in_paper(text) for text in items], dtype=np.bool_)
    if "Species" in frame.columns:
        in_paper &= np.array(reading.texts(frame, "Species", path)) == _HUMAN
        reasons = f"{_NOT_IN_PAPER}, or plasma of other species"
    left_out = len(items) - int(in_paper.sum())
    note = f"{left_out} of {len(items)} rows were left out as in the paper: {reasons}"
    task = replace(
        entry.task(items, reading.numbers(frame, "Y", path)),
        split="random",
        notes=(note,) if left_out else (),
    )
    return checked(task, file=str(path), wanted=in_paper)


def _in_paper(smiles: str) -> bool:
    if "." in smiles:
        return False
    try:
        mol = chem.parse(smiles)
        return Descriptors.MolWt(mol) <= MOST_WEIGHT  # pyright: ignore[reportAttributeAccessIssue]
    except chem.InvalidMoleculeError:
        return True  # left out later, with its row


def _kind(task: str) -> Kind:
    return "classification" if METRICS[task].startswith("AU") else "regression"


ADMET = tuple(
    Entry(
        name=task,
        group="tdc-admet",
        kind=_kind(task),
        metric=metric,
        scale="log10" if task in _LOGARITHMIC else "linear",
        files=tuple(
            DataFile(
                f"tdc_admet_group/{task}/{part}.csv",
                f"{_HOST}/{_GROUP}",
                archive="tdc_admet_group.zip",
                member=f"admet_group/{task}/{part}.csv",
            )
            for part in ("train_val", "test")
        ),
        source=_SOURCE,
        read=read_admet,
    )
    for task, metric in METRICS.items()
)
"""The ADMET group: official split and metric."""

SINGLE = tuple(
    Entry(
        name=f"tdc-single:{task}",
        group="tdc-single",
        kind=_kind(task),
        metric="AUROC" if _kind(task) == "classification" else "R2",
        scale="log10" if task in _PAPER_LOGARITHMIC else "linear",
        files=(DataFile(f"tdc_single/{task}.tab", f"{_HOST}/{number}"),),
        source=_SOURCE,
        read=read_single,
    )
    for task, number in _NUMBERS.items()
)
"""The same tables as whole, split at random: the paper's protocol (arXiv 2510.18680)."""
