"""Make a model in an ONNX file a teacher: say what it reads of a molecule, molkd does the rest."""

import tempfile
from pathlib import Path

import numpy as np
import onnx
from rdkit.Chem import Descriptors, Mol

from molkd.runtime.files import sha256_of
from molkd.teachers.packages.onnx import Arrays, OnnxTeacher, WeightFile
from molkd.types import TeacherCard

GRAPH = """<ir_version: 8, opset_import: ["": 17]>
logarithms (float[b, 2] sizes) => (float[b, 2] row) {row = Log(sizes)}"""
MODEL = Path(tempfile.mkdtemp(), "logarithms.onnx")  # in place of a model that was published
onnx.save(onnx.parser.parse_model(GRAPH), MODEL)


class Logarithms(OnnxTeacher):
    """The logarithms of a molecule's weight and polar surface."""

    weights = WeightFile("logarithms.onnx", sha256_of(MODEL))  # package="..." if pip brings it
    card = TeacherCard(
        name="logarithms",
        kind="network",
        dim=2,
        support="real",
        source="this file",
        license="any",
        limits="molecules without a polar surface",
        sha256={weights.path: weights.sha256},
    )

    def inputs(self, mol: Mol) -> Arrays:
        """Returns weight and polar surface, shape (2,)."""
        return {"sizes": np.float32([Descriptors.MolWt(mol), Descriptors.TPSA(mol)])}


print(Logarithms(weights_dir=MODEL.parent).embed(["CCO", "c1ccccc1", "NCC(=O)O"]))
