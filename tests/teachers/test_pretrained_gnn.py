"""The networks of Hu et al. give the numbers of the original code."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem
from sklearn.utils._param_validation import InvalidParameterError

from molkd.teachers.graphs import atom_bond_graph as abg
from molkd.teachers.graphs.pretrained_gnn import Architecture, PretrainedGnnTeacher, Pretraining

from . import pretrained

ARCHITECTURES: list[Architecture] = ["gat", "gcn", "graphsage"]
PRETRAININGS: list[Pretraining] = ["contextpred", "supervised", "supervised_contextpred"]
ALL = list(product(ARCHITECTURES, PRETRAININGS))


@pytest.fixture(scope="module", params=ARCHITECTURES)
def teacher(request: pytest.FixtureRequest, shared: Path) -> PretrainedGnnTeacher:
    return PretrainedGnnTeacher(request.param, weights_dir=shared / "weights")


@pytest.mark.parametrize(("architecture", "pretraining"), ALL)
def test_equals_the_original(
    architecture: Architecture, pretraining: Pretraining, shared: Path
) -> None:
    teacher = PretrainedGnnTeacher(architecture, pretraining, weights_dir=shared / "weights")
    pretrained.check_equals_original(teacher, shared, f"{architecture}_{pretraining}")


def test_batches_do_not_matter(teacher: PretrainedGnnTeacher) -> None:
    pretrained.check_batches_do_not_matter(teacher)


def test_travels(teacher: PretrainedGnnTeacher) -> None:
    pretrained.check_travels(teacher)


@pytest.mark.parametrize(("architecture", "pretraining"), ALL)
def test_card_needs_no_weights(
    architecture: Architecture, pretraining: Pretraining, tmp_path: Path
) -> None:
    teacher = PretrainedGnnTeacher(architecture, pretraining)
    assert teacher.card.name == f"hu-{architecture}-{pretraining.replace('_', '-')}"
    pretrained.check_card_needs_no_weights(teacher, tmp_path)


def test_cards_differ() -> None:
    assert len({PretrainedGnnTeacher(*which).card.digest for which in ALL}) == 9


def test_refuses_other_weights(tmp_path: Path) -> None:
    pretrained.check_refuses_other_weights(PretrainedGnnTeacher("gat"), tmp_path)


def test_changed_parameters_load_another_network(shared: Path) -> None:
    teacher = PretrainedGnnTeacher("gcn", weights_dir=shared / "weights")
    teacher.embed(["CCO"])
    changed = teacher.set_params(architecture="gat").embed(["CCO"]).values
    fresh = PretrainedGnnTeacher("gat", weights_dir=shared / "weights").embed(["CCO"]).values
    np.testing.assert_array_equal(changed, fresh)


@pytest.mark.parametrize(
    "wrong",
    [
        {"architecture": "gin"},
        {"pretraining": "masking"},
        {"batch_size": 0},
        {"device": 0},
        {"weights_dir": 3},
        {"on_invalid": "drop"},
    ],
)
def test_wrong_parameters_are_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidParameterError, match=f"'{next(iter(wrong))}' parameter"):
        PretrainedGnnTeacher(**wrong).fit(["C"])  # type: ignore[arg-type]


def test_a_wrong_name_is_refused_without_fit() -> None:
    with pytest.raises(InvalidParameterError, match=r"'pretraining' parameter.*contextpred"):
        PretrainedGnnTeacher("gcn", "masking").embed(["C"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("*CC", r"atom 0 \(\*\) is no chemical element"),
        ("N->[Pt]", r"bond between atom 0 \(N\) and atom 1 \(Pt\) is DATIVE"),
        ("C~C", "is UNSPECIFIED"),
    ],
)
def test_what_has_no_embedding_is_refused_with_a_reason(
    item: str | Chem.Mol, reason: str, teacher: PretrainedGnnTeacher
) -> None:
    embedded = teacher.embed(["CCO", item])
    assert embedded.valid.tolist() == [True, False]
    with pytest.raises(ValueError, match=reason):
        teacher.transform(["CCO", item])


def _wavy() -> Chem.Mol:
    mol = Chem.MolFromSmiles("CC")
    mol.GetBondWithIdx(0).SetBondDir(Chem.BondDir.UNKNOWN)
    return mol


@pytest.mark.parametrize(
    ("drawn", "smiles"), [("Cl[Pt@SP1](F)(Br)I", "Cl[Pt](F)(Br)I"), (_wavy(), "CC")]
)
def test_what_smiles_do_not_say_is_not_seen(
    drawn: str | Chem.Mol, smiles: str, teacher: PretrainedGnnTeacher
) -> None:
    drawn_row, plain_row = teacher.transform([drawn, smiles])
    np.testing.assert_allclose(drawn_row, plain_row, rtol=1e-4, atol=1e-5)


def test_every_element_and_every_direction_can_be_embedded(teacher: PretrainedGnnTeacher) -> None:
    elements = [Chem.MolFromSmiles(f"[#{number}]") for number in range(1, 119)]
    embedded = teacher.embed([*elements, "C/C=C/C", "C/C=C\\C", "C[C@H](N)O", "C[C@@H](N)O"])
    assert embedded.valid.all()
    assert len(np.unique(embedded.values.round(3), axis=0)) > 118


@given(st.lists(st.sampled_from(pretrained.DRUGS), min_size=1, max_size=5))
def test_graphs_are_sorted_and_symmetric(smiles: list[str]) -> None:
    mols = [Chem.MolFromSmiles(text) for text in smiles]
    graph = abg.graph_of(mols)
    target, source = graph.edges.tolist()
    edges = list(zip(target, source, strict=True))
    assert edges == sorted(set(edges))
    codes = dict(zip(edges, graph.bonds.tolist(), strict=True))
    assert all(codes[source, target] == code for (target, source), code in codes.items())
    assert sum(code == abg.SELF_LOOP for code in codes.values()) == len(graph.atoms)
    assert all(graph.molecule[target] == graph.molecule[source] for target, source in edges)
    assert graph.molecule.bincount().tolist() == [mol.GetNumAtoms() for mol in mols]


@pytest.mark.gpu
def test_a_gpu_gives_the_same_numbers(teacher: PretrainedGnnTeacher) -> None:
    cpu = teacher.embed(pretrained.DRUGS).values
    cuda = teacher.set_params(device="cuda").embed(pretrained.DRUGS).values
    teacher.set_params(device="cpu")
    assert pretrained.distance(cuda, cpu) < 1e-4
