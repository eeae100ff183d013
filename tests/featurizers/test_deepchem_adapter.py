"""MolKDFeaturizer in DeepChem's datasets and loaders."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule
from sklearn.linear_model import Ridge

from molkd.errors import ItemError
from molkd.featurizers import MolKDFeaturizer

import deepchem  # isort: skip - after the featurizer, which confines the noise of this import


@pytest.fixture
def featurizer(student_folder: Path) -> Any:
    return MolKDFeaturizer(str(student_folder))


def test_gives_what_the_transformer_gives(
    featurizer: Any, transformer: Any, smiles: list[str]
) -> None:
    values = featurizer.featurize(smiles)
    assert_array_equal(values, transformer.transform(smiles))
    assert_array_equal(featurizer(smiles), values)
    assert values.dtype == np.float32


def test_takes_molecules_arrays_columns_and_single_ones(featurizer: Any, smiles: list[str]) -> None:
    expected = featurizer.featurize(smiles)
    mols = [Chem.MolFromSmiles(one) for one in smiles]
    for form in (mols, np.array(smiles), pd.Series(smiles, index=range(3, 13)), iter(smiles)):
        assert_array_equal(featurizer.featurize(form), expected)
    assert featurizer.featurize(smiles[0]).shape == (1, 32)
    assert_allclose(featurizer._featurize(mols[0]), expected[0], atol=1e-5)


def test_failed_rows_are_nan_and_their_reasons_logged(
    featurizer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="molkd"):
        values = featurizer.featurize(["CCO", "C1CC", None])
    assert values.shape == (3, 32)
    assert np.isnan(values).all(axis=1).tolist() == [False, True, True]
    assert [record.message for record in caplog.records] == [
        "datapoint 1 cannot be embedded, its row is NaN: SMILES syntax error",
        "datapoint 2 cannot be embedded, its row is NaN: no SMILES but a missing value",
    ]


def test_failures_can_be_errors(student_folder: Path) -> None:
    strict = MolKDFeaturizer(student_folder, on_invalid="error")
    with pytest.raises(ItemError, match="row 1: empty SMILES"):
        strict.featurize(["C", ""])


def test_fills_a_numpy_dataset(featurizer: Any, smiles: list[str]) -> None:
    dataset = deepchem.data.NumpyDataset(X=featurizer.featurize(smiles), y=np.arange(10.0))
    assert dataset.X.shape == (10, 32)
    assert deepchem.models.SklearnModel(Ridge()).fit(dataset) is None


def test_serves_a_csv_loader(featurizer: Any, smiles: list[str], tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    frame = pd.DataFrame({"smiles": [*smiles, "not a molecule"], "task": range(11)})
    frame.to_csv(table, index=False)
    loader = deepchem.data.CSVLoader(["task"], feature_field="smiles", featurizer=featurizer)
    dataset = loader.create_dataset(str(table), data_dir=str(tmp_path / "disk"))
    assert dataset.X.shape == (11, 32)
    keep = np.isfinite(dataset.X).all(axis=1)
    assert keep.tolist() == [True] * 10 + [False]
    assert_allclose(dataset.X[keep], featurizer.featurize(smiles), atol=1e-5)


def test_serves_an_in_memory_loader(featurizer: Any, smiles: list[str]) -> None:
    loader = deepchem.data.InMemoryLoader(tasks=["task"], featurizer=featurizer)
    dataset = loader.create_dataset(list(zip(smiles, range(10), strict=True)))
    assert_allclose(dataset.X, featurizer.featurize(smiles), atol=1e-5)


def test_prints_and_pickles_its_parameters(featurizer: Any, student_folder: Path) -> None:
    featurizer.featurize(["C"])
    data = pickle.dumps(featurizer)
    assert len(data) < 1000
    copied = pickle.loads(data)  # noqa: S301 - our own bytes
    assert repr(copied) == repr(featurizer)
    assert f"model='{student_folder}', batch_size=None" in repr(copied)


def test_sd_files_give_what_their_smiles_give(featurizer: Any, tmp_path: Path) -> None:
    """DeepChem's loader neither sanitises the molecules nor takes their hydrogens away."""
    smiles = ["CC(=O)Oc1ccccc1C(=O)O", "C[C@H](N)C(=O)O", r"F/C=C\Cl", "O=c1cc[nH]cc1"]
    path = tmp_path / "drawn.sdf"
    with Chem.SDWriter(str(path)) as writer:
        for text in smiles:
            mol = Chem.AddHs(Chem.MolFromSmiles(text))
            EmbedMolecule(mol, randomSeed=0)
            mol.SetDoubleProp("y", 1.0)
            writer.write(mol)
    for sanitize in (False, True):
        loader = deepchem.data.SDFLoader(["y"], featurizer=featurizer, sanitize=sanitize)
        loaded = loader.create_dataset(str(path)).X
        assert_allclose(loaded, featurizer.featurize(smiles), atol=1e-5)
