"""Whole distillations that read teachers' nodes: what the option changes, and what is kept."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from molkd import teachers
from molkd.bank import Bank
from molkd.distillation.run import Distilled, DistillSettings, distill
from molkd.distillation.schedule import TrainSettings
from molkd.information.settings import EstimatorSettings
from molkd.items.molecules import chem
from molkd.objectives import configured
from molkd.students import GineSettings
from molkd.types import Embeddings, NodeEmbeddings, TeacherCard

SMILES = ["C" * n + tail for n in range(1, 13) for tail in ("O", "N", "Cl", "c1ccccc1")]
SETTINGS = DistillSettings(
    student=GineSettings(size="tiny", hidden=16, layers=2, embedding_dim=8),
    objective=configured("unic", {"head_hidden": 16}),
    train=TrainSettings(epochs=3, batch_size=16),
    estimate=EstimatorSettings(epochs=1, hidden=8),
    valid_fraction=0.2,
)


class Degrees:
    """Says how many neighbours an node has and what it is; of a molecule, the sums."""

    card = TeacherCard(
        name="degrees", kind="test", dim=2, support="real", source="", license="none", limits=""
    )
    node_dim = 2

    def embed(self, items, /) -> Embeddings:
        states = [self._nodes(item) for item in items]
        return Embeddings(np.stack([state.sum(axis=0) for state in states]), {})

    def embed_nodes(self, items, /) -> NodeEmbeddings:
        states = [self._nodes(item) for item in items]
        starts = np.cumsum([0, *(len(state) for state in states)])
        return NodeEmbeddings(np.concatenate(states), starts, {})

    def _nodes(self, item) -> np.ndarray:
        molecule = Chem.MolFromSmiles(chem.canonical_smiles(item))
        return np.array(
            [[node.GetDegree(), node.GetAtomicNum()] for node in molecule.GetAtoms()], np.float32
        )


def _run(folder: Path, name: str, made: list[object], **options: object) -> Distilled:
    objective = configured(name, {"head_hidden": 16, **options})
    settings = dataclasses.replace(SETTINGS, objective=objective)
    return distill(SMILES, made, folder, settings, device="cpu", progress=False)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("name", ["mi", "unic"])
def test_nodes_change_the_student_and_lie_in_the_bank(tmp_path: Path, name: str):
    made: list[object] = [Degrees(), teachers.make("maccs")]
    with_nodes, again = (_run(tmp_path / folder, name, made, nodes=True) for folder in "ab")
    without = _run(tmp_path / "rows", name, made)
    assert with_nodes.student.digest != without.student.digest
    assert with_nodes.student.digest == again.student.digest
    bank = Bank.open(tmp_path / "a" / "bank", nodes=["degrees"])
    values, counts = bank.nodes("degrees", np.array([0]))
    assert counts.tolist() == [2]  # CO
    np.testing.assert_array_equal(values, [[1, 6], [1, 8]])
    assert not Bank.open(tmp_path / "rows" / "bank").node_folders
    losses = [record["train/degrees"] for record in with_nodes.history]
    assert losses[-1] < losses[0]


def test_the_nodes_of_a_real_graph_network(tmp_path: Path, shared: Path):
    network = teachers.make("hu-gcn-contextpred", weights_dir=shared / "weights")
    result = _run(tmp_path, "unic", [network, teachers.make("maccs")], nodes=True, ladder=1)
    assert np.isfinite(result.student.embed(["CCO"]).values).all()
    assert list(Bank.open(tmp_path / "bank", nodes=[network.card.name]).node_folders)
