"""The network over distinct neighbourhoods equals PyG's over all atoms: values and gradients."""

from __future__ import annotations

import gzip
import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor
from torch_geometric.nn import GINEConv

from molkd import students
from molkd.items.molecules.graph import Graphs, featurize
from molkd.students import GineSettings, GineStudent, gine_layers
from molkd.tensors import Features, Nodes
from tests.fakes.compounds import HARD
from tests.students import gine_reference

ODD = [
    "C",
    "[H][H]",
    "[Na+].[Cl-]",
    ".".join(["O"] * 50),
    "C" * 1000,
    "[CH3]",
    "C~C",
    "[13CH4]",
    "c1ccccc1",
    "C12C3C4C1C5C2C3C45",
    *HARD,
]

ROUNDING = 3e-5
"""Sums over the chain of 1,000 atoms are 1e-5 from those in float64, here and in the reference."""


@pytest.fixture(scope="module")
def graphs() -> Graphs:
    read = featurize(ODD)
    return read.select(np.setdiff1d(np.arange(len(read)), list(read.failures)))


def _student(size: str = "tiny", **options: Any) -> GineStudent:
    return cast("GineStudent", students.make(GineSettings(size=size, **options), seed=3).eval())


@pytest.mark.parametrize("readout", ["mean", "sum", "mean+sum", "attention"])
@pytest.mark.parametrize("size", ["tiny", "small", "base"])
@pytest.mark.parametrize("tile", [7, 1024])
def test_equals_the_reference(
    graphs: Graphs, size: str, readout: str, tile: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gine_layers, "_TILE", tile)
    student = _student(size, readout=readout)
    with torch.inference_mode():
        expected = gine_reference.features(student, graphs)
        found = student(student.collate(graphs), layers=True, nodes=True)
    torch.testing.assert_close(found.embedding, expected.embedding, atol=ROUNDING, rtol=0)
    without_chain = np.arange(len(graphs)) != graphs.sizes.argmax()
    torch.testing.assert_close(
        found.embedding[without_chain], expected.embedding[without_chain], atol=1e-5, rtol=0
    )
    for one, other in zip(found.layers, expected.layers, strict=True):
        torch.testing.assert_close(one, other, atol=ROUNDING, rtol=0)
    ours, theirs = (cast("Nodes", said.nodes) for said in (found, expected))
    for one, other in zip(ours.layers, theirs.layers, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    assert torch.equal(ours.owner, theirs.owner)


def test_a_truncated_student_equals_the_reference(graphs: Graphs) -> None:
    student = _student("small").truncate(17).eval()
    with torch.inference_mode():
        expected = gine_reference.features(student, graphs).embedding.numpy()
    np.testing.assert_allclose(student.encode(graphs).values, expected, atol=ROUNDING)


def test_real_molecules_equal_the_reference(shared: Path) -> None:
    path = shared / "data" / "unlabelled" / "chembl22.smi.gz"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    with gzip.open(path, "rt") as lines:
        smiles = [line.split()[0] for line in itertools.islice(lines, 0, 300_000, 700)]
    read = featurize([*smiles, "xx", "", *smiles[:5]])
    student, alive = _student("base"), np.setdiff1d(np.arange(len(read)), list(read.failures))
    found = student.encode(read, batch_size=150)
    assert list(found.failures) == list(read.failures) != []
    with torch.inference_mode():
        expected = gine_reference.features(student, read.select(alive)).embedding.numpy()
    np.testing.assert_allclose(found.values[alive], expected, atol=1e-5)


def test_bfloat16_stays_near(graphs: Graphs) -> None:
    student = _student("small")
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        found = student(student.collate(graphs)).embedding.float()
    expected = torch.from_numpy(student.encode(graphs).values)
    cosines = torch.nn.functional.cosine_similarity(found, expected)
    assert cosines.min() > 0.999


@pytest.mark.parametrize("readout", ["mean", "mean+sum", "attention"])
@pytest.mark.parametrize("asked", [False, True])
def test_gradients_equal_those_of_the_reference(graphs: Graphs, readout: str, asked: bool) -> None:
    student = _student("tiny", readout=readout)

    def gradients(said: Features) -> dict[str, Tensor]:
        student.zero_grad()
        loss = said.embedding.sin().mean()
        if asked:
            nodes = cast("Nodes", said.nodes).layers
            loss = loss + sum(one.square().mean() for one in (*said.layers, *nodes))
        loss.backward()
        return {name: cast("Tensor", one.grad).clone() for name, one in student.named_parameters()}

    expected = gradients(gine_reference.features(student, graphs))
    found = gradients(student(student.collate(graphs), layers=asked, nodes=asked))
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, atol=1e-5, rtol=1e-4, msg=name)


def test_the_convolutions_weights_have_the_names_of_pyg() -> None:
    conv = cast("Any", _student().blocks[0]).conv
    theirs = GINEConv(conv.nn, train_eps=True).state_dict()
    assert list(theirs) == list(conv.state_dict())


def test_with_dropout_equal_atoms_are_dropped_apart(graphs: Graphs) -> None:
    student = _student("tiny", dropout=0.5)
    batch = student.collate(featurize(["C1CCCCC1"]))
    states = cast("Nodes", student.train()(batch, nodes=True).nodes).layers[0]
    assert len(torch.unique(states.detach(), dim=0)) == 6
    with torch.inference_mode():
        expected = gine_reference.features(student.eval(), graphs).embedding.numpy()
    np.testing.assert_allclose(student.encode(graphs).values, expected, atol=ROUNDING)


def test_embedding_does_not_import_torch_geometric() -> None:
    code = """
import sys
from molkd import students
students.make().eval().embed(["CCO"])
print("torch_geometric" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
