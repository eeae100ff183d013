"""What the files of a model say and molkd does not understand is refused, not guessed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from molkd.errors import WeightsError
from molkd.teachers.hub.texts import SentenceEncoder
from tests.teachers.text.tiny_encoders import HIDDEN, composed, dense


def _spoil(folder: Path, change: Any) -> None:
    path = folder / "modules.json"
    parts = json.loads(path.read_text())
    change(parts)
    path.write_text(json.dumps(parts))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda parts: parts[1].update(type="modeling_own.Pooling"), "needs code from its own"),
        (lambda parts: parts[1].update(type="sentence_transformers.models.LSTM"), "'LSTM' is unk"),
        (lambda parts: parts[1].update(path="../elsewhere"), "leads out of the model"),
        (lambda parts: parts.pop(1), "must be followed by one Pooling"),
        (lambda parts: parts.pop(0), "the first module must be"),
        (lambda parts: parts[0].pop("type"), "no list of modules"),
    ],
)
def test_modules_that_are_not_understood(tmp_path: Path, change: Any, message: str) -> None:
    folder = composed(tmp_path / "m")
    _spoil(folder, change)

    with pytest.raises(WeightsError, match=message):
        SentenceEncoder(str(folder)).embed(["a"])


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("1_Pooling", {"pooling_mode": "median"}, r"unknown pooling \['median'\]"),
        ("2_Dense", {"activation_function": "torch.nn.Softplus2"}, "unknown activation 'Softp"),
        ("2_Dense", {"activation_function": "os.system"}, "unknown activation 'os.system'"),
        ("2_Dense", {"module_input_name": "token_embeddings"}, "module_input_name is 'token_emb"),
        ("2_Dense", {"in_features": 33}, "takes 33 dimensions and gets 32"),
        ("2_Dense", {"out_features": 9}, r"expected linear.weight of shape \(9, 32\)"),
        ("2_Dense", {"out_features": "many"}, "is no linear layer"),
    ],
)
def test_settings_that_are_not_understood(
    tmp_path: Path, file: str, change: dict[str, Any], message: str
) -> None:
    folder = composed(tmp_path / "m", then=[dense(HIDDEN, 4)])
    path = folder / file / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))

    with pytest.raises(WeightsError, match=message):
        SentenceEncoder(str(folder)).embed(["a"])


def test_a_transformer_that_gives_something_else(tmp_path: Path) -> None:
    folder = composed(tmp_path / "m")
    path = folder / "sentence_bert_config.json"
    path.write_text(json.dumps({"transformer_task": "fill-mask"}))

    with pytest.raises(WeightsError, match="transformer_task is 'fill-mask'; molkd knows"):
        SentenceEncoder(str(folder)).embed(["a"])


def test_pickled_layers_are_not_loaded(tmp_path: Path) -> None:
    folder = composed(tmp_path / "m", then=[dense(HIDDEN, 4)])
    (folder / "2_Dense" / "model.safetensors").rename(folder / "2_Dense" / "pytorch_model.bin")

    with pytest.raises(WeightsError, match="from safetensors only, none pickled"):
        SentenceEncoder(str(folder)).embed(["a"])
