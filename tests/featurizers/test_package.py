"""Importing molkd.featurizers costs nothing until something of it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import molkd.featurizers


def _loaded_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_package_imports_nothing_heavy() -> None:
    loaded = _loaded_after("import molkd.featurizers")
    assert loaded.isdisjoint({"torch", "molfeat", "sklearn", "deepchem", "rdkit"})


def test_every_public_name_exists() -> None:
    for name in molkd.featurizers.__all__:
        assert getattr(molkd.featurizers, name).__name__ == name


def test_other_names_do_not_exist() -> None:
    with pytest.raises(AttributeError, match=r"molkd\.featurizers.*'MolKDTransfomer'"):
        _ = molkd.featurizers.MolKDTransfomer
