"""The frozen descriptors equal RDKit's, stay within their bounds and are always finite."""

from __future__ import annotations

import gzip
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem, rdBase
from rdkit.Chem import Descriptors

from molkd.errors import ConfigError
from molkd.teachers.rdkit import descriptors
from molkd.teachers.rdkit.descriptors import Rdkit2dTeacher

DRUGS = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O",
    "Clc1ccccc1C2=NCC(=O)Nc3c2cc(cc3)[N+](=O)[O-]",
    "CN1CC[C@]23c4c5ccc(O)c4O[C@H]2[C@@H](O)C=C[C@H]3[C@H]1C5",
    "CCO.CC(=O)O",
    "C1CC1[Si](C)(C)C#N",
]
METALS = ["CC[Pt]", "[Na+].[Cl-]", "*CC", "[Fe]", "[He]"]


def _rdkit(name: str, mol: Chem.Mol) -> float:
    return getattr(Descriptors, name)(mol)


def _check_values(smiles: list[str]) -> None:
    names = descriptors.read_table().names
    compute = descriptors.calculator(names)
    with rdBase.BlockLogs():
        for text in smiles:
            mol = Chem.MolFromSmiles(text)
            expected = [_rdkit(name, Chem.Mol(mol)) for name in names]
            np.testing.assert_allclose(compute(mol), expected, rtol=1e-9, atol=1e-9, err_msg=text)


def test_values_are_rdkits() -> None:
    _check_values(DRUGS)


def test_values_are_rdkits_on_real_molecules(shared: Path) -> None:
    with gzip.open(shared / "data/unlabelled/zinc250k.smi.gz", "rt") as file:
        _check_values([line.split()[0] for line in islice(file, 0, 3000, 60)])


def test_the_table_is_in_order() -> None:
    table = descriptors.read_table()
    assert len(set(table.names)) == len(table.names) == 205
    assert (table.low < table.high).all()
    assert (table.low <= table.median).all()
    assert (table.median <= table.high).all()
    assert {"Ipc", "AvgIpc", "SPS", "qed"}.isdisjoint(table.names)


def test_columns_are_named_as_in_rdkit() -> None:
    names = Rdkit2dTeacher().get_feature_names_out().tolist()
    values = Rdkit2dTeacher().transform([DRUGS[0]])[0]
    assert values[names.index("MolWt")] == pytest.approx(180.159)
    assert values[names.index("TPSA")] == pytest.approx(63.6)


def test_values_beyond_the_bounds_are_clipped() -> None:
    table = descriptors.read_table()
    weight = table.names.index("MolWt")
    tiny, huge = Rdkit2dTeacher().transform(["C", "C" * 300])[:, weight]
    assert tiny == pytest.approx(table.low[weight])
    assert huge == pytest.approx(table.high[weight])


def test_undefined_values_become_medians() -> None:
    values = Rdkit2dTeacher().transform([*METALS, *DRUGS])
    assert np.isfinite(values).all()
    table = descriptors.read_table()
    bcut = [table.names.index(name) for name in table.names if name.startswith("BCUT2D")]
    for row in range(len(METALS)):
        np.testing.assert_allclose(values[row, bcut], table.median[bcut], rtol=1e-6)
    charge = table.names.index("MaxPartialCharge")
    assert values[0, charge] == pytest.approx(table.median[charge])


def test_undefined_charges_do_not_depend_on_the_order_of_atoms() -> None:
    spellings = ["CC[Pt].OCC", "OCC.[Pt]CC"]
    first, second = Rdkit2dTeacher().transform(spellings)
    np.testing.assert_allclose(first, second, rtol=1e-5)


def test_another_rdkit_is_told_apart() -> None:
    with pytest.raises(ConfigError, match=r"lacks the descriptors NumUnobtainium; .*2026\.9"):
        descriptors.calculator(("MolWt", "NumUnobtainium"))


def test_the_digest_follows_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Rdkit2dTeacher().card.digest
    table = descriptors.read_table()
    other = descriptors.Table(table.names, table.low, table.high * 2, table.median)
    monkeypatch.setattr(descriptors, "read_table", lambda: other)
    assert Rdkit2dTeacher().card.digest != before
