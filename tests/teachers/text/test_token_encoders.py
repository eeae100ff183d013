"""Transformers and tables of token vectors: how they read, how they pool, where they cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from molkd.errors import ConfigError
from molkd.teachers.hub.modules_json import MODES
from molkd.teachers.hub.texts import SentenceEncoder
from tests.teachers.text import tiny_encoders
from tests.teachers.text.tiny_encoders import HIDDEN, TEXTS, check_same, composed, dense, reference


def test_lowering_before_the_tokenizer(tmp_path: Path) -> None:
    plain = tiny_encoders.bert(tmp_path / "plain", lower=False)
    body = tiny_encoders.modules.Transformer(str(plain))
    parts = [body, tiny_encoders.modules.Pooling(HIDDEN)]
    folder = tiny_encoders.saved(parts, tmp_path / "m")
    upper = check_same(folder, ["THE Cat", "my card"])
    path = folder / "sentence_bert_config.json"
    path.write_text(json.dumps({"max_seq_length": 12, "do_lower_case": True}))

    lowered = check_same(folder, ["THE Cat", "my card"])

    assert np.abs(lowered - upper)[0].max() > 1e-3
    np.testing.assert_allclose(lowered[1], upper[1], atol=1e-6)


def test_static_vectors(tmp_path: Path) -> None:
    folder = tiny_encoders.static(tmp_path / "m", then=[dense(HIDDEN, 6)])

    assert check_same(folder).shape[1] == 6
    assert SentenceEncoder(str(folder)).card.dim == 6


def test_static_vectors_of_model2vec(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tiny_encoders.static(tmp_path / "m")
    table = load_file(folder / "model.safetensors")["embedding.weight"]
    order = torch.randperm(len(table))
    tensors = {"embeddings": table[order], "mapping": order.argsort(), "weights": table[:, 0].abs()}
    save_file(
        {name: value.contiguous() for name, value in tensors.items()}, folder / "model.safetensors"
    )

    check_same(folder)


PLAIN = [tiny_encoders.bert, tiny_encoders.roberta, tiny_encoders.gpt2, tiny_encoders.mistral]


@pytest.mark.parametrize("make", PLAIN)
def test_plain_models(tmp_path: Path, make: Any) -> None:
    check_same(make(tmp_path / "m"))


@pytest.mark.parametrize("mode", MODES)
def test_pooling_by_choice(tmp_path: Path, mode: Any) -> None:
    plain = tiny_encoders.bert(tmp_path / "m")

    chosen = SentenceEncoder(str(plain), pooling=mode).embed(TEXTS)

    expected = check_same(composed(tmp_path / "n", options={"pooling_mode": mode}))
    np.testing.assert_allclose(chosen.values, expected, atol=1e-5)


def test_the_first_token_of_a_decoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the first token of a decoder sees none of the rest"):
        SentenceEncoder(str(tiny_encoders.gpt2(tmp_path / "m")), pooling="cls").embed(TEXTS)


@pytest.mark.parametrize("make", PLAIN)
def test_long_texts_are_cut_and_counted(tmp_path: Path, make: Any) -> None:
    folder = make(tmp_path / "m")
    room = tiny_encoders.LONGEST - (0 if make is tiny_encoders.gpt2 else 2)
    texts = ["the " * room, "the " * (room + 1), "a", "card " * 9000]
    teacher = SentenceEncoder(str(folder))

    embedded = teacher.embed(texts)

    assert teacher.shortened == 2
    np.testing.assert_allclose(embedded.values, reference(folder, texts), atol=1e-5)
    np.testing.assert_allclose(embedded.values[0], embedded.values[1], atol=1e-6)
    teacher.embed(texts[:2])
    assert teacher.shortened == 3


def test_the_limit_of_the_authors_and_of_the_user(tmp_path: Path) -> None:
    folder = composed(tmp_path / "m")
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 6}))
    texts = ["the cat is my card", "the cat is my bank", "lost"]

    values = check_same(folder, texts)

    np.testing.assert_allclose(values[0], values[1], atol=1e-6)
    longer = SentenceEncoder(str(folder), max_length=8)
    assert np.abs(np.diff(longer.embed(texts[:2]).values, axis=0)).max() > 1e-3
    assert longer.shortened == 0
    with pytest.raises(ConfigError, match="max_length=25 is more than the 24 tokens"):
        SentenceEncoder(str(folder), max_length=25).embed(texts)
    with pytest.raises(ConfigError, match="2 tokens leave no room for a text"):
        SentenceEncoder(str(folder), max_length=2).embed(texts)
    with pytest.raises(ConfigError, match=r"5 tokens leave no room .* 'where is the'"):
        SentenceEncoder(str(folder), max_length=5, prefix="where is the").embed(texts)


def test_static_texts_are_cut_where_the_tokenizer_cuts(tmp_path: Path) -> None:
    folder = tiny_encoders.static(tmp_path / "m")
    path = folder / "tokenizer.json"
    cut = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    path.write_text(json.dumps({**json.loads(path.read_text()), "truncation": cut}))
    teacher = SentenceEncoder(str(folder))

    embedded = teacher.embed(["the cat is", "the cat is not", "a"])

    np.testing.assert_allclose(embedded.values[0], embedded.values[1], atol=1e-6)
    assert teacher.shortened == 1
    check_same(folder)


def test_a_text_without_tokens_has_a_reason(tmp_path: Path) -> None:
    folder = tiny_encoders.gpt2(tmp_path / "m")

    embedded = SentenceEncoder(str(folder)).embed(["a", "\u200b", "the"])

    assert embedded.failures == {1: "the tokenizer makes no token of it"}
    assert np.isfinite(embedded.values[[0, 2]]).all()
