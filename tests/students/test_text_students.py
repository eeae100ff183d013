"""Text students: their tokens, starting from a model, and other libraries that load them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from molkd import students
from molkd.errors import ConfigError, CorruptFileError, WeightsError
from molkd.items.texts import tokens
from molkd.runtime import settings
from molkd.students import StudentSettings
from molkd.students.text_encoder import TextStudent
from tests.fakes.kinds import sentences

TEXTS = [*sentences(40), "Überweisung, bitte!", "a " * 60, "\N{SNOWMAN}"]


def _make(**table: object):
    return students.make(settings.from_table(StudentSettings, table), items=TEXTS).eval()


def _starting_model(folder: Path, layers: int = 4) -> torch.nn.Module:
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    (folder / "made").mkdir(parents=True)
    (folder / "made" / "tokenizer.json").write_text(tokens.learn(TEXTS, size=90))
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "made" / "tokenizer.json"))
    tokenizer.save_pretrained(folder)
    torch.manual_seed(4)
    model = BertModel(
        BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            num_hidden_layers=layers,
            num_attention_heads=2,
            intermediate_size=24,
            max_position_embeddings=40,
        ),
        add_pooling_layer=False,
    ).eval()
    model.save_pretrained(folder)
    return model


@pytest.mark.parametrize("size", ["static-small", "bert-tiny"])
def test_sentence_transformers_gives_the_same_vectors(size: str, tmp_path: Path):
    library = pytest.importorskip("sentence_transformers")
    student = _make(size=size, vocabulary=90)
    student.save_pretrained(tmp_path)
    theirs = library.SentenceTransformer(str(tmp_path), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(theirs, student.embed(TEXTS).values, atol=1e-5)
    assert np.abs(theirs).max() > 1e-2


def test_automodel_gives_the_body_whose_mean_is_projected(tmp_path: Path):
    from transformers import AutoModel, AutoTokenizer

    student = _make(size="bert-tiny", vocabulary=90, max_length=30)
    student.save_pretrained(tmp_path)
    body = AutoModel.from_pretrained(tmp_path).eval()
    batch = AutoTokenizer.from_pretrained(tmp_path)(
        TEXTS, padding=True, truncation=True, return_tensors="pt"
    )
    with torch.no_grad():
        states = body(batch["input_ids"], batch["attention_mask"]).last_hidden_state
        weight = batch["attention_mask"][..., None]
        mean = (states * weight).sum(dim=1) / weight.sum(dim=1)
        expected = student.project(mean).numpy()
    np.testing.assert_allclose(student.embed(TEXTS).values, expected, atol=1e-5)


def test_a_text_is_cut_at_the_limit_and_counted():
    student = _make(size="bert-tiny", vocabulary=90, max_length=10)
    prepared = student.featurize(["a", "a " * 60, "a " * 8, "a " * 9])
    assert list(prepared.cut) == [False, True, False, True]
    assert list(prepared.sizes) == [3, 10, 10, 10]
    vectors = student.embed(["a " * 60, "a " * 8]).values
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)


def test_a_vocabulary_is_the_same_for_the_same_texts():
    one, two = (tokens.learn(TEXTS, size=90) for _ in range(2))
    assert one == two != tokens.learn(TEXTS[:20], size=90)
    known = tokens.vocabulary(one)
    assert [known[name] for name in tokens.SPECIAL] == [0, 1, 2, 3, 4]
    assert len(known) <= 90


def test_a_given_tokenizer_is_used(tmp_path: Path):
    path = tmp_path / "tokenizer.json"
    path.write_text(tokens.learn(sentences(30, seed=5), size=70))
    for given in (path, tmp_path):
        student = _make(size="static-small", tokenizer=str(given))
        assert student.files["tokenizer.json"] == path.read_bytes()
    with pytest.raises(WeightsError, match="cannot read the tokenizer"):
        _make(size="static-small", tokenizer=str(tmp_path / "absent.json"))


def test_starting_from_all_layers_gives_the_model(tmp_path: Path):
    _starting_model(tmp_path)
    student = _make(size="bert-tiny", init_from=str(tmp_path), init_layers=[0, 1, 2, 3])
    from molkd.teachers.hub.texts import SentenceEncoder

    mean = SentenceEncoder(str(tmp_path)).embed(TEXTS[:40]).values
    with torch.no_grad():
        expected = student.project(torch.from_numpy(mean)).numpy()
    assert isinstance(student, TextStudent)
    np.testing.assert_allclose(student.embed(TEXTS[:40]).values, expected, atol=1e-5)


def test_starting_from_some_layers(tmp_path: Path):
    model = _starting_model(tmp_path)
    student = _make(size="bert-tiny", init_from=str(tmp_path), layers=2, max_length=20)
    theirs, ours = model.state_dict(), student.body.state_dict()
    key = "encoder.layer.{}.attention.self.query.weight"
    assert torch.equal(ours[key.format(0)], theirs[key.format(0)])
    assert torch.equal(ours[key.format(1)], theirs[key.format(3)])
    assert key.format(2) not in ours
    assert student.max_length == 20
    named = _make(size="bert-tiny", init_from=str(tmp_path), init_layers=[2])
    assert torch.equal(named.body.state_dict()[key.format(0)], theirs[key.format(2)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"init_layers": [7]}, "has layers 0 to 3"),
        ({"init_layers": []}, "has layers 0 to 3"),
        ({"hidden": 32}, "student.hidden is 32, but"),
        ({"heads": 4}, "student.heads is 4, but"),
    ],
)
def test_what_does_not_fit_the_starting_model(
    options: dict[str, object], message: str, tmp_path: Path
):
    _starting_model(tmp_path)
    with pytest.raises(ConfigError, match=message):
        _make(size="bert-tiny", init_from=str(tmp_path), **options)


def test_starting_from_nothing_and_from_another_type(tmp_path: Path):
    with pytest.raises(WeightsError, match="no directory"):
        _make(size="bert-tiny", init_from=str(tmp_path / "absent"))
    from transformers import GPT2Config, GPT2Model

    GPT2Model(GPT2Config(n_embd=8, n_layer=1, n_head=1, vocab_size=20)).save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match="is of type 'gpt2'"):
        _make(size="bert-tiny", init_from=str(tmp_path))


@pytest.mark.parametrize("size", ["static-small", "bert-tiny"])
@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("{}", ConfigError, "no tokenizer.json of the library tokenizers"),
        (tokens.learn(TEXTS, size=95), CorruptFileError, "is not that of the student"),
        (b"\xff", CorruptFileError, "no UTF-8 text"),
    ],
)
def test_another_tokenizer_is_refused(
    tmp_path: Path, size: str, content: str | bytes, error: type[Exception], message: str
):
    _make(size=size, vocabulary=90).save_pretrained(tmp_path)
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "tokenizer.json").write_bytes(data)
    config = json.loads((tmp_path / "config.json").read_text())
    config["files"]["tokenizer.json"] = hashlib.sha256(data).hexdigest()
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(error, match=message):
        students.load(tmp_path)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"size": "bert-tiny", "heads": 0}, r"student\.heads must be at least 1"),
        ({"size": "static-small", "width": -1}, r"student\.width must be at least 1"),
        ({"size": "bert-tiny", "dropout": float("nan")}, r"dropout must lie in \[0, 1\)"),
        ({"size": "vit-tiny", "dropout": 1.0}, r"dropout must lie in \[0, 1\)"),
    ],
)
def test_sizes_out_of_range_are_refused(table: dict[str, object], message: str):
    with pytest.raises(ConfigError, match=message):
        settings.from_table(StudentSettings, table)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_hidden_layers": 10**9}, "a body of 1000000000 layers is damaged"),
        ({"hidden_dropout_prob": float("nan")}, "hidden_dropout_prob of the body must lie in"),
        ({"num_attention_heads": -1}, "num_attention_heads of the body must be at least 1"),
        ({"hidden_size": "16"}, "does not describe a text-encoder student"),
    ],
)
def test_a_body_that_cannot_be_is_refused_at_once(
    tmp_path: Path, change: dict[str, object], message: str
):
    _make(size="bert-tiny", vocabulary=90).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["config"]["body"] |= change
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises((ConfigError, CorruptFileError), match=message):
        students.load(tmp_path)
