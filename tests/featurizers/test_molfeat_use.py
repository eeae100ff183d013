"""The same class as users of molfeat know their featurizers."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from molfeat.trans.base import MoleculeTransformer, PrecomputedMolTransformer
from molfeat.trans.concat import FeatConcat
from molfeat.trans.pretrained import PretrainedMolTransformer
from numpy.testing import assert_allclose, assert_array_equal
from rdkit import Chem

from molkd.errors import ItemError
from molkd.featurizers.molfeat import MolKDTransformer  # as molfeat's plugin


def test_is_a_pretrained_transformer_of_molfeat(estimator: Any) -> None:
    assert isinstance(estimator, PretrainedMolTransformer)


IMPORTS = """
from molfeat.trans.base import MoleculeTransformer
from molfeat.trans.pretrained import PretrainedMolTransformer
from molkd.featurizers import MolKDTransformer

state = MolKDTransformer("somewhere").to_state_yaml()
print(issubclass(MolKDTransformer, PretrainedMolTransformer))
print(MoleculeTransformer.from_state_yaml(state).get_params()["model"])
"""


def test_molfeat_that_is_loaded_before_knows_it_without_the_plugin() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IMPORTS], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["True", "somewhere"]


def test_call_gives_what_transform_gives(estimator: Any, smiles: list[str]) -> None:
    assert_array_equal(estimator(smiles), estimator.transform(smiles))
    assert_array_equal(estimator(smiles, enforce_dtype=False), estimator.transform(smiles))


def test_call_raises_for_bad_molecules(estimator: Any) -> None:
    with pytest.raises(ItemError, match="row 1: empty SMILES"):
        estimator(["CCO", "", "C"])


def test_call_can_ignore_bad_molecules(estimator: Any) -> None:
    values, ids = estimator(["CCO", "", "C", None], ignore_errors=True)
    assert ids == [0, 2]
    assert_allclose(values, estimator.transform(["CCO", "C"]), atol=1e-5)
    values, ids = estimator(["", None], ignore_errors=True)
    assert (values.shape, ids) == ((0, len(estimator)), [])


def test_length_is_the_width(estimator: Any) -> None:
    assert len(estimator) == estimator.card.dim == estimator.transform(["C"]).shape[1]


@pytest.mark.parametrize("form", ["dict", "yaml", "json"])
def test_states_round_trip(form: str, estimator: Any, smiles: list[str]) -> None:
    state = getattr(estimator, f"to_state_{form}")()
    made = getattr(MoleculeTransformer, f"from_state_{form}")(state)
    assert type(made) is type(estimator)
    assert getattr(made, f"to_state_{form}")() == state
    assert_array_equal(made.transform(smiles), estimator.transform(smiles))


def test_states_hold_every_parameter(student_folder: Any, tmp_path: Any) -> None:
    made = MolKDTransformer(
        student_folder, batch_size=5, n_jobs=2, on_invalid="null", dtype="float16"
    )
    path = str(tmp_path / "state.yml")
    made.to_state_yaml_file(path)
    again = MoleculeTransformer.from_state_yaml_file(path)
    expected = {**made.get_params(), "model": str(student_folder), "dtype": np.float16}
    assert again.get_params() == expected
    changed = MoleculeTransformer.from_state_yaml_file(path, override_args={"batch_size": 9})
    assert changed.get_params() == {**expected, "batch_size": 9}


def test_batch_transform(estimator: Any, smiles: list[str]) -> None:
    values = MoleculeTransformer.batch_transform(estimator, smiles, batch_size=4, progress=False)
    assert_allclose(values, estimator.transform(smiles), atol=1e-5)


def test_copy(estimator: Any, smiles: list[str]) -> None:
    assert_array_equal(estimator.copy().transform(smiles), estimator.transform(smiles))


def test_fills_a_precomputed_cache(estimator: Any) -> None:
    cached = PrecomputedMolTransformer(cache={}, featurizer=estimator)
    mols = [Chem.MolFromSmiles("CCO"), Chem.MolFromSmiles("C")]
    rows = [cached._transform(mol) for mol in mols]
    assert_allclose(np.stack(rows), estimator.transform(["CCO", "C"]), atol=1e-5)
    assert len(cached.cache) == 2


def test_one_bad_molecule_is_none(estimator: Any) -> None:
    assert estimator._transform("") is None
    assert estimator._transform("CCO").shape == (len(estimator),)


def test_molfeats_own_union_refuses_it_as_documented(transformer: Any) -> None:
    with pytest.raises(ValueError, match="FPVecTransformer allowed only"):
        FeatConcat([transformer, "maccs"])
