"""MoleculeNet, read by DeepChem's loaders from files that are here already.

Source: Wu et al. 2018 (https://doi.org/10.1039/C7SC02664A). The loaders would download for
themselves, without a checksum; here the table is found or fetched first (`downloads.obtain`), and
the loader is given a folder in which it finds it. Featurising, splitting and transforming are left
out: DeepChem would standardise labels with statistics of all rows if it were not asked to split.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from molkd.benchmarks.tasks import reading
from molkd.benchmarks.tasks.checks import checked
from molkd.benchmarks.tasks.downloads import DataFile
from molkd.benchmarks.tasks.entry import Entry
from molkd.benchmarks.tasks.task import Labels, Task
from molkd.errors import InputError


@dataclass(frozen=True, slots=True)
class Loader:
    """A loader of DeepChem.

    Attributes:
        function: its name in `deepchem.molnet`.
        table: the file that it looks for in its folder.
        metric: the official metric.
        alias: another name of the table in collections.
        smiles: column of the SMILES in the file that it looks for.
    """

    function: str
    table: str
    metric: str
    alias: str = ""
    smiles: str = "smiles"


LOADERS = {
    "bace": Loader("load_bace_classification", "bace.csv", "AUROC", "bace_small.csv", "mol"),
    "bbbp": Loader("load_bbbp", "BBBP.csv", "AUROC", "bbbp.csv"),
    "hiv": Loader("load_hiv", "HIV.csv", "AUROC"),
    "clintox": Loader("load_clintox", "clintox.csv.gz", "AUROC"),
    "sider": Loader("load_sider", "sider.csv.gz", "AUROC"),
    "tox21": Loader("load_tox21", "tox21.csv.gz", "AUROC"),
    "toxcast": Loader("load_toxcast", "toxcast_data.csv.gz", "AUROC"),
    "muv": Loader("load_muv", "muv.csv.gz", "AUPRC"),
    "esol": Loader("load_delaney", "delaney-processed.csv", "RMSE", "esol.csv"),
    # The loader of this name gives standardised labels; SAMPL's are those of FreeSolv in kcal/mol.
    "freesolv": Loader("load_sampl", "SAMPL.csv", "RMSE"),
    "lipo": Loader("load_lipo", "Lipophilicity.csv", "RMSE"),
}
"""Task -> how DeepChem calls it; all are split by scaffold."""

_HOST = "https://deepchemdata.s3-us-west-1.amazonaws.com/datasets"


def read(entry: Entry, paths: Sequence[Path]) -> Task:
    """Reads a task through DeepChem's loader; labels of weight 0 are missing.

    Raises:
        InputError: the loader cannot read the table.
    """
    (path,) = paths
    loader = LOADERS[entry.name]
    with tempfile.TemporaryDirectory() as folder:
        _place(path, Path(folder) / loader.table, loader.smiles)
        names, items, labels = _loaded(loader, Path(folder), path)
    task = replace(entry.task(items, labels), label_names=names, split="scaffold")
    return checked(task, file=str(path))


def _place(path: Path, target: Path, column: str) -> None:
    """Puts a table where a loader looks for it, with the column of SMILES that it expects."""
    frame = reading.load(path)
    if column in frame.columns:
        shutil.copyfile(path, target)
    else:
        frame.rename(columns={"smiles": column}).to_csv(target, index=False)


def _loaded(
    loader: Loader, folder: Path, path: Path
) -> tuple[tuple[str, ...], tuple[str, ...], Labels]:
    """Names of labels, SMILES, and labels of shape (n, l) with NaN where one is missing."""
    molnet, featurizer = _deepchem()
    try:
        names, (data,), _ = getattr(molnet, loader.function)(
            featurizer=featurizer,
            splitter=None,
            transformers=[],
            reload=False,
            data_dir=str(folder),
            save_dir=str(folder),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"DeepChem's {loader.function} cannot read {path}: {type(error).__name__} {error}; it "
            f"expects {loader.table} as published"
        ) from error
    items = tuple(str(text).strip() for text in data.ids)
    labels = np.where(data.w > 0, np.asarray(data.y, dtype=np.float64), np.nan)
    shutil.rmtree(data.data_dir, ignore_errors=True)  # DeepChem leaves it in the temporary folder
    return tuple(map(str, names)), items, labels


def _deepchem() -> tuple[Any, Any]:
    """Its loaders, and a featurizer that does nothing; DeepChem lists what it does not find."""
    logger = logging.getLogger("deepchem")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from deepchem import molnet
            from deepchem.feat import DummyFeaturizer
    finally:
        logger.setLevel(level)
    return molnet, DummyFeaturizer()


TASKS = tuple(
    Entry(
        name=name,
        group="moleculenet",
        kind="classification" if loader.metric.startswith("AU") else "regression",
        metric=loader.metric,
        files=(
            DataFile(
                f"moleculenet/{loader.table}",
                f"{_HOST}/{loader.table}",
                aliases=(f"moleculenet/{loader.alias}",) if loader.alias else (),
            ),
        ),
        source="MoleculeNet (Wu et al. 2018, doi 10.1039/C7SC02664A) through DeepChem's loader",
        read=read,
    )
    for name, loader in LOADERS.items()
)
"""All tasks."""
