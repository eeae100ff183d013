"""Make a model in an ONNX file a teacher: say what it reads of a molecule, molkd does the rest."""

import tempfile
from pathlib import Path

import numpy as np
import onnx
from rdkit.Chem import Mol

from molkd.runtime.files import sha256_of
from molkd.teachers.packages.onnx import Arrays, OnnxTeacher, WeightFile
from molkd.types import TeacherCard

GRAPH = """<ir_version: 8, opset_import: ["": 17]>
logarithms (float[b, 2] sizes) => (float[b, 2] row) {row = Log(sizes)}"""
MODEL = Path(tempfile.mkdtemp(), "logarithms.onnx")  # in place of a model that was published
onnx.save(onnx.parser.parse_model(GRAPH), MODEL)


class Logarithms(OnnxTeacher):
    """The logarithms of how many atoms and bonds a molecule has."""

    weights = WeightFile("logarithms.onnx", sha256_of(MODEL))  # package="..." if pip brings it
    card = TeacherCard(
        name="logarithms",
        kind="network",
        dim=2,
        support="real",
        source="this file",
        license="any",
        limits="molecules without a bond",
        sha256={weights.path: weights.sha256},
    )

    def inputs(self, mol: Mol) -> Arrays:
        """Returns the numbers of atoms and bonds, shape (2,)."""
        return {"sizes": np.array([mol.GetNumAtoms(), mol.GetNumBonds()], np.float32)}


print(Logarithms(weights_dir=MODEL.parent).embed(["CCO", "C", "c1ccccc1"]))
