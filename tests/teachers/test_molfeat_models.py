"""CheMeleon and Mol-JEPA by name: random weights in the published form, no network."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from molfeat.trans.pretrained import CheMeleonTransformer, MolJEPATransformer
from molfeat.trans.pretrained.foundation import _CheMeleonDMPNN
from safetensors.torch import save_file
from sklearn.base import clone

from molkd import teachers
from molkd.errors import ConfigError, WeightsError
from molkd.teachers.adapters.molfeat import MolfeatTeacher

FORM = {"d_v": 72, "d_e": 14, "d_h": 2048, "depth": 6, "activation": "relu", "undirected": False}
MOLECULES = ["CCO", "C", "xx", "CC(=O)Nc1ccc(O)cc1"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("chemeleon") / "random.pt"
    weights = _CheMeleonDMPNN().state_dict()
    torch.save({"hyper_parameters": FORM, "state_dict": weights}, path)
    return path


def test_chemeleon_by_name_gives_molfeats_numbers(checkpoint: Path) -> None:
    teacher: Any = teachers.make(f"molfeat:chemeleon:{checkpoint}")
    embedded = teacher.embed(MOLECULES)
    assert list(embedded.failures) == [2]
    original = CheMeleonTransformer(checkpoint, checksum=None)
    expected = np.array(original([MOLECULES[row] for row in (0, 1, 3)]))
    np.testing.assert_allclose(embedded.values[embedded.valid], expected, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 0.01
    card = teacher.card
    assert (card.name, card.dim, card.support) == ("molfeat:chemeleon", 2048, "real")
    assert str(checkpoint) not in str(card)
    assert len(card.sha256["chemeleon_mp.pt"]) == 64
    for copied in (clone(teacher), pickle.loads(pickle.dumps(teacher))):  # noqa: S301
        assert copied.card.digest == card.digest


def test_a_copy_of_an_object_keeps_its_checkpoint(checkpoint: Path) -> None:
    teacher = MolfeatTeacher(CheMeleonTransformer(checkpoint, checksum=None))
    copied = clone(teacher)
    assert copied.featurizer.checkpoint_path == str(checkpoint)
    assert copied.card.digest == teacher.card.digest


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "chemeleon.pt"
    with pytest.raises(WeightsError, match=r"cannot be had .*zenodo.*molfeat:chemeleon:PATH"):
        assert teachers.make(f"molfeat:chemeleon:{path}").card
    torch.save({"hyper_parameters": {**FORM, "depth": 3}, "state_dict": {}}, path)
    with pytest.raises(WeightsError, match="not the supported CheMeleon"):
        assert teachers.make(f"molfeat:CheMeleon:{path}").card


def test_chemeleon_without_a_network_says_what_to_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(_: object) -> Path:
        raise OSError("no route to host")

    monkeypatch.setattr(CheMeleonTransformer, "_ensure_checkpoint", absent)
    with pytest.raises(WeightsError, match=r"chemeleon_mp.pt cannot be had \(no route to host\)"):
        assert teachers.make("molfeat:chemeleon").card


@pytest.mark.parametrize("name", ["moljepa", "MolJEPA", "Mol-JEPA"])
def test_moljepa_by_name_is_refused_since_it_runs_code(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name} is code from the repository.*non-commercial"):
        assert teachers.make(f"molfeat:{name}").card


MODEL = """
import torch
from transformers import PretrainedConfig, PreTrainedModel

class Settings(PretrainedConfig):
    model_type = "tiny-jepa"

class Letters(PreTrainedModel):
    config_class = Settings

    def __init__(self, config):
        super().__init__(config)
        self.letters = torch.nn.Embedding(128, 512)
        self.post_init()

    def forward(self, smiles):
        assert all(isinstance(one, str) for one in smiles)
        numbers = [torch.tensor([ord(letter) for letter in one]) for one in smiles]
        return {"cls": torch.stack([self.letters(one).mean(0) for one in numbers])}
"""
"""Reads and gives what Mol-JEPA does, by code in its own repository."""


def test_moljepa_as_an_object_whose_code_the_user_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path))
    monkeypatch.setattr("sys.path", [str(tmp_path), *sys.path])
    letters = torch.randn(128, 512, generator=torch.Generator().manual_seed(0))
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "code.py").write_text(MODEL)
    auto = {"AutoConfig": "code.Settings", "AutoModel": "code.Letters"}
    config = {"model_type": "tiny-jepa", "architectures": ["Letters"], "auto_map": auto}
    (folder / "config.json").write_text(json.dumps(config))
    save_file({"letters.weight": letters}, folder / "model.safetensors", metadata={"format": "pt"})
    allowed = {"trust_remote_code": True, "accept_noncommercial_license": True}
    teacher = MolfeatTeacher(MolJEPATransformer(str(folder), **allowed))
    embedded = clone(teacher).embed(["CCO", "xx", "CN"])
    assert list(embedded.failures) == [1]
    for row, smiles in ((0, "CCO"), (2, "CN")):
        expected = letters[[ord(letter) for letter in smiles]].mean(0)
        np.testing.assert_allclose(embedded.values[row], expected, atol=1e-6)
    refusing = MolfeatTeacher(MolJEPATransformer(str(folder)))
    with pytest.raises(ConfigError, match="requires custom Hugging Face code"):
        assert refusing.card
