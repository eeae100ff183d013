"""Importing molkd.featurizers costs nothing until something of it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import molkd.featurizers

PROGRAM = """
import sys
import molkd.featurizers
print({"torch", "molfeat", "sklearn", "deepchem", "rdkit"} & set(sys.modules))

import molfeat.trans.pretrained
from molfeat.plugins import load_registered_plugins
assert not hasattr(molfeat.trans.pretrained, "MolKDTransformer")
load_registered_plugins()
import molfeat.trans.pretrained.molkd
print(molfeat.trans.pretrained.MolKDTransformer.__module__)
print({"deepchem", "torch_geometric", "molkd.students.base"} & set(sys.modules))

from molkd.featurizers import MolKDFeaturizer
print("deepchem" in sys.modules)
"""


def test_imports_are_late_and_silent_and_molfeat_finds_the_plugin() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning:molfeat", "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["set()", "molkd.featurizers.transformer", "set()", "True"]


def test_every_public_name_exists() -> None:
    for name in molkd.featurizers.__all__:
        assert getattr(molkd.featurizers, name).__name__ == name


def test_other_names_do_not_exist() -> None:
    with pytest.raises(AttributeError, match=r"molkd\.featurizers.*'MolKDTransfomer'"):
        _ = molkd.featurizers.MolKDTransfomer
