"""One standard form of a compound, whatever form it came in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from molkd.errors import ConfigError
from molkd.items.molecules.chem import InvalidMoleculeError
from molkd.items.molecules.standardization import standardize, standardize_all

PHTHALOCYANINE = "c1ccc2c(c1)C1=NC2=Nc2[nH]c(c3ccccc23)Nc2[nH]c(c3ccccc23)N=c2[nH]c(c3ccccc23)=N1"
CYCLOPENTADIENE = "C1=CCC=C1"
FULL = {
    "[cH-]1cccc1": CYCLOPENTADIENE,
    "[CH-]1C=CC=C1.[CH-]1C=CC=C1.[Fe+2]": CYCLOPENTADIENE,
    "[Na+].[cH-]1cccc1": CYCLOPENTADIENE,
    "CC(=O)C1=C([O-])C=C(C)OC1=O.[Na+]": "CC(=O)c1c(O)cc(C)oc1=O",
    "F[P-](F)(F)(F)(F)F.[K+]": "F[P-](F)(F)(F)(F)F",
    "[O-][Si]([O-])([O-])[O-].[Na+].[Na+].[Na+].[Na+]": "O[Si](O)(O)O",
    "CC(=O)O[Na]": "CC(=O)O",
    "CC(=O)[O-].[Na+]": "CC(=O)O",
    "CC(=O)O[Zn]OC(C)=O": "CC(=O)O",
    "CC(=O)O[Al](OC(C)=O)OC(C)=O": "CC(=O)O",
    "c1ccc2c(c1)C1=NC3=C4C=CC=CC4=C(N3[Cu]n3c4c5ccccc5c3N=C3N=C(N=C2N1)c1ccccc13)N4": (
        PHTHALOCYANINE
    ),
    "[Na+].[Cl-]": "Cl",
    "C[N+](C)(C)CC(=O)[O-]": "C[N+](C)(C)CC(=O)[O-]",
    "C[N+](C)(C)C.[Cl-]": "C[N+](C)(C)C",
    "CCO.CCO": "CCO",
}


@pytest.mark.parametrize("smiles", FULL)
def test_full(smiles: str):
    assert standardize(smiles, "full").smiles == FULL[smiles]


@pytest.mark.parametrize(
    ("metal", "ionic"),
    [
        ("CC(=O)O[Na]", "CC(=O)[O-].[Na+]"),
        ("CCCC[Sn](CCCC)(CCCC)OC(C)=O", "CCCC[Sn+](CCCC)CCCC.CC(=O)[O-]"),
        ("CC(=O)O[Zn]OC(C)=O", "CC(=O)[O-].CC(=O)[O-].[Zn+2]"),
        ("CC(=O)O[Hg]c1ccccc1", "CC(=O)[O-].[Hg+]c1ccccc1"),
    ],
)
@pytest.mark.parametrize("level", ["light", "full"])
def test_bonds_to_metals_and_ions_are_one_compound(metal: str, ionic: str, level: Any):
    assert standardize(metal, level).smiles == standardize(ionic, level).smiles


def test_a_second_time_changes_nothing(shared: Path):
    table = pd.read_csv(shared / "data" / "tdc_single" / "solubility_aqsoldb.tab", sep="\t")
    sample = table["Drug"].drop_duplicates().sample(400, random_state=0).tolist()
    for level in ("light", "full"):
        once, failures = standardize_all(sample, level)
        twice, more = standardize_all(once, level)
        assert twice == once
        assert failures == more


def test_rules_that_undo_each_other_end(monkeypatch: pytest.MonkeyPatch):
    from rdkit import Chem

    from molkd.items.molecules import standardization

    swapped = {"CCO": "OCCO", "OCCO": "CCO"}

    def swap(mol: Any, _level: str) -> Chem.Mol:
        return Chem.MolFromSmiles(swapped[mol.smiles])

    monkeypatch.setattr(standardization, "_standardized", swap)
    assert standardize("CCO", "full").smiles == standardize("OCCO", "full").smiles == "CCO"


def test_a_level_that_is_none():
    with pytest.raises(ConfigError, match="standardize is one of"):
        standardize("CCO", "half")  # pyright: ignore[reportArgumentType]


def test_bad_rows_keep_their_own_text():
    texts, failures = standardize_all(["OCC", "xx", None], "full")
    assert texts == ["CCO", "xx", ""]
    assert list(failures) == [1, 2]


def test_what_no_rule_can_mend_has_a_reason():
    with pytest.raises(InvalidMoleculeError):
        standardize("xx", "light")
