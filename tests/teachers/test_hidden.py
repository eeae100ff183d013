"""Layers of models of the hub: the hidden states of transformers, pooled as the last ones are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModel

from molkd import teachers
from molkd.errors import ConfigError
from molkd.teachers.hub.smiles import HuggingFaceTeacher
from molkd.teachers.hub.texts import SentenceEncoder
from tests.teachers.text import tiny_encoders
from tests.teachers.tiny_models import HIDDEN, MODELS

LAST = 2
"""Layers of the tiny models."""

MOLECULES = ["CCO", "C", "CC(=O)N", "CCCCCC(N)C"]
IN_SELFIES = ["CCO", "C", "CC=O"]


def original(folder: Path) -> Any:
    model = AutoModel.from_pretrained(folder).eval()
    return model.get_encoder() if model.config.is_encoder_decoder else model


@pytest.mark.parametrize("layer", range(LAST + 1))
@pytest.mark.parametrize("name", MODELS)
def test_equals_the_hidden_states_of_the_library(
    folders: dict[str, Path], name: str, layer: int
) -> None:
    representation: Any = MODELS[name][1]
    teacher = HuggingFaceTeacher(str(folders[name]), layer=layer, representation=representation)
    molecules = IN_SELFIES if representation == "selfies" else MOLECULES
    values = teacher.transform(molecules)
    reader, model = teacher._ready().reader, original(folders[name])
    for smiles, row in zip(molecules, values, strict=True):
        tokens = reader.read(teacher._read([smiles])[0][0])
        with torch.inference_mode():
            output = model(input_ids=torch.tensor([tokens.ids]), output_hidden_states=True)
        assert len(output.hidden_states) == LAST + 1
        states = output.hidden_states[layer][0].numpy()
        np.testing.assert_allclose(row, states[np.array(tokens.content)].mean(axis=0), atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_the_last_layer_is_what_the_model_gives(folders: dict[str, Path], name: str) -> None:
    representation: Any = MODELS[name][1]
    plain = HuggingFaceTeacher(str(folders[name]), representation=representation)
    last = HuggingFaceTeacher(str(folders[name]), representation=representation, layer=LAST)
    molecules = IN_SELFIES if representation == "selfies" else MOLECULES
    np.testing.assert_array_equal(last.transform(molecules), plain.transform(molecules))
    assert last.card.name == f"{plain.card.name}@layer:{LAST}"
    assert last.card.digest != plain.card.digest


def test_a_layer_by_name(folders: dict[str, Path]) -> None:
    teacher: Any = teachers.make(f"hf:{folders['roberta']}@layer:1")
    assert (teacher.layer, teacher.card.options["layer"]) == (1, 1)
    assert teacher.transform(["CCO"]).shape == (1, HIDDEN)
    with pytest.raises(ConfigError, match="has layers 0 to 2, not 3"):
        assert teachers.make(f"hf:{folders['roberta']}@layer:3").card
    with pytest.raises(ConfigError, match="has layers 0 to 2, not 3"):
        teacher.set_params(layer=3).transform(["CCO"])
    with pytest.raises(ConfigError, match="queries from its last layer only"):
        teacher.set_params(layer=1).queryable()


def test_texts_are_pooled_as_the_model_says_and_keep_unit_length(tmp_path: Path) -> None:
    folder = tiny_encoders.bert(tmp_path)
    one = SentenceEncoder(str(folder), layer=1)
    last = SentenceEncoder(str(folder), layer=LAST)
    texts = tiny_encoders.TEXTS
    np.testing.assert_array_equal(
        last.transform(texts), SentenceEncoder(str(folder)).transform(texts)
    )
    tokens = tiny_encoders.tokenizer()(texts[0], return_tensors="pt")
    with torch.inference_mode():
        states = original(folder)(**tokens, output_hidden_states=True).hidden_states[1][0]
    np.testing.assert_allclose(one.transform(texts[:1])[0], states.mean(dim=0), atol=1e-5)
    unit = one.set_params(normalize=True).transform(texts)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, atol=1e-5)


def test_a_layer_behind_a_view_is_the_teachers_inside(tmp_path: Path) -> None:
    folder = tiny_encoders.bert(tmp_path)
    teacher: Any = teachers.make(f"describe:st:{folder}@layer:1")
    assert teacher.teacher.layer == 1
    assert teacher.card.name.endswith("@layer:1")
    assert teacher.card.digest != teachers.make(f"describe:st:{folder}").card.digest
