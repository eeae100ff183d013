"""Teachers in ONNX files: where the file is found, rows and reasons, batches, threads."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import parser
from rdkit import Chem
from sklearn.base import clone

from molkd.errors import MissingExtraError, WeightsError
from molkd.runtime import files
from molkd.teachers import as_teacher
from molkd.teachers.base import weights
from molkd.teachers.packages.onnx import Arrays, OnnxTeacher, WeightFile
from molkd.types import TeacherCard
from tests.teachers.pretrained import DRUGS

ATOMS = """<ir_version: 8, opset_import: ["": 17]>
atoms (float[n, 3] atoms, int64[n] owner, float[b] sizes) => (float[n, 2] states, float[b, 2] row)
<float[3, 2] table = {0.1, 1, 0.02, -1, 0.003, 2}> {
    states = MatMul(atoms, table)
    shape = Shape(sizes)
    two = Constant<value = int64[1] {2}>()
    whole = Concat<axis = 0>(shape, two)
    zeros = ConstantOfShape(whole)
    axis = Constant<value = int64[1] {1}>()
    column = Unsqueeze(owner, axis)
    sums = ScatterND<reduction = "add">(zeros, column, states)
    divisor = Unsqueeze(sizes, axis)
    row = Div(sums, divisor)
}"""
"""A graph network in miniature: the mean over a molecule's atoms, which are joined end to end."""


class AtomMeans(OnnxTeacher):
    """Fails for iodine in `inputs`, for neon in the run, and gives infinity for helium."""

    weights = WeightFile("molkd_tiny/atoms.onnx", "", package="molkd-tiny==1.0")
    output = "row"
    dim = 2

    @property
    def card(self) -> TeacherCard:
        return TeacherCard(
            name="atom-means",
            kind="graph network",
            dim=self.dim,
            support="real",
            source="this test",
            license="none",
            limits="no iodine",
            sha256={self.weights.path: self.weights.sha256},
        )

    def inputs(self, mol: Chem.Mol) -> Arrays:
        numbers = [atom.GetAtomicNum() for atom in mol.GetAtoms()]
        if 53 in numbers:
            raise ValueError("iodine is unknown")
        width = 2 if 10 in numbers else 3
        atoms = np.array([[n, n**2, n**3] for n in numbers], dtype=np.float32)[:, :width]
        return {"atoms": np.where(atoms == 2, np.inf, atoms), "owner": np.zeros(len(numbers), int)}

    def collate(self, molecules: Sequence[Arrays]) -> Arrays:
        owners = [one["owner"] + place for place, one in enumerate(molecules)]
        return {
            "atoms": np.concatenate([one["atoms"] for one in molecules]),
            "owner": np.concatenate(owners),
            "sizes": np.array([len(one["owner"]) for one in molecules], dtype=np.float32),
        }


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package, which fails when it is imported, with the graph inside it."""
    folder = tmp_path / "site" / "molkd_tiny"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    onnx.save(parser.parse_model(ATOMS), folder / "atoms.onnx")
    monkeypatch.syspath_prepend(str(folder.parent))
    monkeypatch.delenv("MOLKD_WEIGHTS_DIR", raising=False)
    monkeypatch.setenv("MOLKD_HOME", str(tmp_path / "home"))
    sha256 = files.sha256_of(folder / "atoms.onnx")
    monkeypatch.setattr(AtomMeans, "weights", _file(sha256))
    return folder


def _file(sha256: str) -> WeightFile:
    return WeightFile("molkd_tiny/atoms.onnx", sha256, package="molkd-tiny==1.0")


def test_embeds_what_the_graph_computes() -> None:
    teacher = AtomMeans()
    assert as_teacher(teacher) is teacher
    values = teacher.transform(["CCO"])
    powers = np.array([6, 6, 8]) ** np.array([[1], [2], [3]])
    expected = powers.mean(axis=1) @ [[0.1, 1], [0.02, -1], [0.003, 2]]
    np.testing.assert_allclose(values, [expected], rtol=1e-6)


def test_the_package_is_not_imported(package: Path) -> None:
    AtomMeans().transform(["C"])
    assert "molkd_tiny" not in sys.modules
    assert weights.is_present("molkd_tiny/atoms.onnx")
    (package / "atoms.onnx").unlink()
    assert not weights.is_present("molkd_tiny/atoms.onnx")


def test_batches_do_not_matter() -> None:
    together = AtomMeans().embed(DRUGS)
    assert not together.failures
    for size in (1, 3):
        values = AtomMeans(batch_size=size).embed(DRUGS).values
        np.testing.assert_allclose(values, together.values, rtol=1e-6)


def test_rows_fail_one_by_one() -> None:
    items = ["CCO", "CI", "no molecule", "[Ne]", "O", "[He]"]
    embedded = AtomMeans().embed(items)
    assert list(embedded.failures) == [1, 2, 3, 5]
    assert embedded.failures[1] == "ValueError: iodine is unknown"
    assert "index: 1 Got: 2 Expected: 3" in embedded.failures[3]
    assert embedded.failures[5] == "the teacher returned NaN or infinity"
    np.testing.assert_array_equal(
        embedded.values[[0, 4]], AtomMeans().embed([items[0], items[4]]).values
    )


def test_a_missing_package_is_named_with_its_command(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [one for one in sys.path if one != str(package.parent)])
    assert AtomMeans().card.dim == 2
    with pytest.raises(WeightsError, match=r"atoms\.onnx .*: pip install molkd-tiny==1\.0\. "):
        AtomMeans().embed(["C"])
    values = AtomMeans(weights_dir=package.parent).transform(["C"])
    assert np.isfinite(values).all()


def test_another_version_of_the_file_is_refused_with_both_sums(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = "ab" * 32
    monkeypatch.setattr(AtomMeans, "weights", _file(published))
    actual = files.sha256_of(package / "atoms.onnx")
    with pytest.raises(
        WeightsError, match=f"expected sha256 {published}, got {actual}; .* molkd-tiny==1.0"
    ):
        AtomMeans().embed(["C"])


def test_a_graph_of_another_form_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AtomMeans, "dim", 3)
    with pytest.raises(WeightsError, match=r"shape \(1, 2\) for 1 molecules, but .* takes 3"):
        AtomMeans().embed(["C"])
    monkeypatch.setattr(AtomMeans, "output", "rows")
    with pytest.raises(WeightsError, match="reads atoms, owner, sizes and gives states, row, but"):
        AtomMeans().embed(["C"])


def test_what_is_no_graph_is_refused(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (package / "atoms.onnx").write_bytes(b"no graph")
    monkeypatch.setattr(AtomMeans, "weights", _file(files.sha256_of(package / "atoms.onnx")))
    with pytest.raises(WeightsError, match=r"atoms\.onnx cannot be run by onnxruntime"):
        AtomMeans().embed(["C"])


def test_without_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'molkd\[onnx\]'"):
        AtomMeans().embed(["C"])


def test_threads_are_those_of_torch() -> None:
    session: Any = AtomMeans()._ready()
    options = session.get_session_options()
    assert options.intra_op_num_threads == torch.get_num_threads()
    assert options.inter_op_num_threads == 1


def test_the_session_is_loaded_once_and_does_not_travel() -> None:
    teacher = AtomMeans()
    expected = teacher.transform(DRUGS)
    session = teacher._ready()
    assert teacher.set_params(batch_size=2)._ready() is session
    for other in (clone(teacher), pickle.loads(pickle.dumps(teacher))):  # noqa: S301
        assert other._loaded is None
        np.testing.assert_allclose(other.transform(DRUGS), expected, rtol=1e-6)


def test_arrays_are_stacked_unless_a_family_joins_them() -> None:
    one, two = np.ones(3), np.zeros(3)
    joined = OnnxTeacher.collate(AtomMeans(), [{"x": one}, {"x": two}])
    np.testing.assert_array_equal(joined["x"], [one, two])


def test_a_list_of_teachers_needs_no_onnxruntime() -> None:
    code = "import sys, molkd.teachers.packages.onnx; print('onnxruntime' in sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], check=True, capture_output=True, text=True
    )
    assert printed.stdout.strip() == "False"
