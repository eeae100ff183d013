"""Layers by name: each is a teacher of its own, the last one is the plain teacher."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from molkd import bank, teachers
from molkd.benchmarks.embedders import make as make_embedder
from molkd.errors import ConfigError
from molkd.teachers.base import layers, weights
from molkd.teachers.packages.chemnet import WEIGHTS, ChemnetTeacher
from molkd.teachers.packages.minimol import STATES, WIDTHS, MinimolTeacher
from molkd.types import TeacherCard
from tests.teachers.pretrained import DRUGS

LAST = {
    "minimol": 16,
    "chemnet": 4,
    "rxnmapper": 12,
    "rxnfp": 12,
    "hu-gcn-contextpred": 5,
    "hu-gat-contextpred": 5,
}
"""Teacher -> its last layer, where that is what the teacher pools."""


def made(spec: str, shared: Path) -> Any:
    teacher = teachers.make(spec, weights_dir=shared / "weights")
    for path in teacher.card.sha256:
        if not weights.is_present(path, shared / "weights"):
            pytest.skip(f"{path} is not there")
    return teacher


@pytest.mark.parametrize("name", LAST)
def test_the_last_layer_is_what_the_teacher_pools(name: str, shared: Path) -> None:
    plain, last = made(name, shared), made(f"{name}@layer:{LAST[name]}", shared)
    embedded = last.embed([*DRUGS, "xx"])
    expected = plain.embed([*DRUGS, "xx"])
    assert embedded.failures == expected.failures
    np.testing.assert_array_equal(embedded.values, expected.values)
    with pytest.raises(ConfigError, match=rf"has layers 0 to {LAST[name]}, not {LAST[name] + 1}"):
        assert made(f"{name}@layer:{LAST[name] + 1}", shared)


@pytest.mark.parametrize("name", [*LAST, "molclr-gcn"])
def test_layers_differ_in_name_digest_and_numbers(name: str, shared: Path) -> None:
    plain, first, second = (
        made(f"{name}{layer}", shared) for layer in ("", "@layer:0", "@layer:2")
    )
    assert plain.card.options.get("layer", "none") == "none"
    assert (first.card.name, first.card.options["layer"]) == (f"{name}@layer:0", 0)
    assert len({one.card.digest for one in (plain, first, second)}) == 3
    one, other = first.embed(DRUGS), second.embed(DRUGS)
    assert one.values.shape == (len(DRUGS), first.card.dim)
    assert one.failures == other.failures
    assert one.values.shape != other.values.shape or np.nanmax(abs(one.values - other.values)) > 0.1


@pytest.mark.parametrize("layer", [0, 3, 15])
def test_minimol_pools_the_states_within_its_graph(layer: int, shared: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="needs onnx")
    runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    teacher = made(f"minimol@layer:{layer}", shared)
    model = onnx.load(weights.locate(MinimolTeacher.weights))
    reads = [
        node.input[0] for node in model.graph.node if node.name.startswith("node_index_select")
    ]
    assert tuple(reads) == STATES[:-1], "what the messages of the next layer are made of"
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in STATES)
    session = runtime.InferenceSession(model.SerializeToString())
    for smiles, row in zip(DRUGS, teacher.embed(DRUGS).values, strict=True):
        mols, _, _ = teacher._read([smiles])
        states = session.run([STATES[layer]], teacher.collate([teacher.inputs(mols[0])]))[0]
        assert states.shape[1] == WIDTHS[layer]
        np.testing.assert_allclose(row, states.max(axis=0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_chemnets_layers_are_those_of_the_original(layer: int) -> None:
    fcd_torch = pytest.importorskip("fcd_torch", reason="needs fcd-torch")
    utils = pytest.importorskip("fcd_torch.utils", reason="needs fcd-torch")
    if not weights.is_present(WEIGHTS.path):
        pytest.skip(f"needs {WEIGHTS.package}")
    smiles = ["CCO", "CC(=O)Oc1ccccc1C(=O)O", "C"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        model = fcd_torch.FCD(device="cpu").model
    table = np.stack([utils.get_one_hot(one, 350) for one in smiles])
    states = torch.from_numpy(table.astype(np.float32)).transpose(1, 2) / 35
    original = _states_of(model, states)[layer]
    values = ChemnetTeacher(layer=layer).transform(smiles)
    np.testing.assert_allclose(values, original, atol=1e-5)


def test_atoms_of_a_layer_are_those_that_it_pools(shared: Path) -> None:
    teacher = made("hu-gcn-contextpred@layer:3", shared)
    nodes, values = teacher.embed_nodes(["CCO", "c1ccccc1"]), teacher.embed(["CCO"]).values
    np.testing.assert_allclose(nodes.values[:3].mean(axis=0), values[0], rtol=1e-4, atol=1e-4)
    network = teacher._ready()
    assert len(network.gnns) == LAST["hu-gcn-contextpred"]


def test_molclrs_layers_are_not_projected(shared: Path) -> None:
    last, plain = made("molclr-gcn@layer:5", shared), made("molclr-gcn", shared)
    network = plain._ready()
    projected = network.head(torch.from_numpy(last.transform(["CCO", "CN"])))
    np.testing.assert_allclose(projected, plain.transform(["CCO", "CN"]), atol=1e-5)


@pytest.mark.parametrize("spec", ["minimol@layer:-1", "minimol@layer:x", "minimol@layer:"])
def test_a_layer_is_a_number(spec: str) -> None:
    with pytest.raises(ConfigError, match="expected a number from 0 behind '@layer:'"):
        assert teachers.make(spec)


@pytest.mark.parametrize("spec", ["ecfp4", "molfeat:maccs", "rdkit2d", "jtvae", "depict:timm:x"])
def test_a_teacher_without_layers_says_who_has_some(spec: str) -> None:
    with pytest.raises(ConfigError, match=r"has no layers to choose from.*rxnmapper.*minimol"):
        assert teachers.make(f"{spec}@layer:2")


def test_cards_change_by_name_and_options_only_where_a_layer_is_chosen() -> None:
    card = TeacherCard(
        name="a", kind="b", dim=3, support="real", source="c", license="d", limits="e"
    )
    assert layers.card_of(card, None) is card
    inner = layers.card_of(card, 2, 5)
    assert (inner.name, inner.dim, inner.options) == ("a@layer:2", 5, {"layer": 2})
    assert layers.split("hf:a@b@layer:3") == ("hf:a@b", 3)


def test_a_layer_is_asked_no_queries(shared: Path) -> None:
    with pytest.raises(ConfigError, match="answers queries from its last layer only"):
        made("hu-gcn-contextpred@layer:3", shared).queryable()


def test_a_bank_keeps_layers_apart(tmp_path: Path, shared: Path) -> None:
    specs = ["hu-gcn-contextpred", "hu-gcn-contextpred@layer:1", "hu-gcn-contextpred@layer:2"]
    some = [made(spec, shared) for spec in specs]
    built = bank.build(tmp_path, ["CCO", "CCN", "c1ccccc1"], some, progress=False)
    for spec, teacher in zip(specs, some, strict=True):
        stored = built.raw(spec, np.arange(3))
        np.testing.assert_allclose(stored, teacher.transform(["CCO", "CCN", "c1ccccc1"]), atol=1e-5)


def test_molfeats_state_keeps_the_layer(shared: Path) -> None:
    teacher = made("rxnmapper@layer:6", shared)
    again = type(teacher).from_state_dict(teacher.to_state_dict())
    assert again.card == teacher.card
    np.testing.assert_array_equal(again.transform(["CCO"]), teacher.transform(["CCO"]))


def test_a_layer_is_an_embedder_of_a_benchmark() -> None:
    plain, layer = make_embedder("minimol"), make_embedder("six=minimol@layer:6")
    assert (layer.label, layer.spec) == ("six", "minimol@layer:6")
    assert layer.digest != plain.digest


def _states_of(model: torch.nn.Sequential, states: torch.Tensor) -> list[Any]:
    """Input and layers of fcd-torch's network, pooled; shape (b, width) each."""
    pooled = [states.mean(dim=2)]
    for module in model:
        states = module(states)
        if isinstance(module, torch.nn.SELU):
            pooled.append(states.mean(dim=2))
        elif type(module).__name__ == "IndexTuple":  # what an LSTM gives at each place
            pooled.append(states[:, -1])
    return [one.detach() for one in pooled]
