"""Tiny encoders of texts with random weights, written by sentence-transformers itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import modules
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
)

from molkd.teachers.hub.texts import SentenceEncoder

HIDDEN = 32
LONGEST = 24
"""Tokens that the tiny transformers can take."""

_WORDS = ["the", "a", "card", "cat", "is", "my", "not", "where", "lost", "how", "to", "get"]
_WORDS += ["money", "new", "transfer", "bank", "?", ".", "!"]
_LETTERS = [*"abcdefghijklmnopqrstuvwxyzü0123456789:"]
TEXTS = [
    "how to get my money?",
    "A",
    "the cat is not my card.",
    "Zürich 7: where is the new bank",
    "unheard words transfer slowly!",
    "lost lost lost money",
]

_SPREAD = 0.3  # of random weights: wide, so that every token shows in every state
_SIZES: dict[str, Any] = {
    "hidden_size": HIDDEN,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "initializer_range": _SPREAD,
}


def tokenizer(*, lower: bool = True, specials: bool = True) -> PreTrainedTokenizerFast:
    """WordPiece with a few words and all letters."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    pieces = [*special, *_WORDS, *_LETTERS, *(f"##{letter}" for letter in _LETTERS)]
    pieces = list(dict.fromkeys(pieces))
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    core = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))  # noqa: S106
    core.normalizer = normalizers.BertNormalizer(lowercase=lower, strip_accents=False)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    if specials:
        core.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
    names = {"unk": "[UNK]", "pad": "[PAD]", "cls": "[CLS]", "sep": "[SEP]"}
    return PreTrainedTokenizerFast(
        tokenizer_object=core, **{f"{role}_token": token for role, token in names.items()}
    )


def bert(folder: Path, *, seed: int = 0, lower: bool = True) -> Path:
    """A plain encoder in the format of Hugging Face."""
    torch.manual_seed(seed)
    pieces = tokenizer(lower=lower)
    config = BertConfig(**_SIZES, vocab_size=len(pieces), max_position_embeddings=LONGEST)
    return _plain(BertModel(config), pieces, folder)


def roberta(folder: Path) -> Path:
    """A plain encoder whose positions start after that of padding."""
    torch.manual_seed(0)
    pieces = tokenizer()
    config = RobertaConfig(
        **_SIZES, vocab_size=len(pieces), max_position_embeddings=LONGEST + 1, pad_token_id=0
    )
    pieces.model_max_length = LONGEST
    return _plain(RobertaModel(config), pieces, folder)


def gpt2(folder: Path) -> Path:
    """A plain decoder without a single special token around a text."""
    torch.manual_seed(0)
    pieces = tokenizer(specials=False)
    config = GPT2Config(
        vocab_size=len(pieces),
        n_embd=HIDDEN,
        n_layer=2,
        n_head=4,
        n_positions=LONGEST,
        initializer_range=_SPREAD,
        bos_token_id=None,
        eos_token_id=None,
    )
    return _plain(GPT2LMHeadModel(config), pieces, folder)


def mistral(folder: Path) -> Path:
    """A plain decoder, saved as one that writes texts."""
    torch.manual_seed(0)
    pieces = tokenizer()
    config = MistralConfig(
        **_SIZES,
        vocab_size=len(pieces),
        num_key_value_heads=2,
        max_position_embeddings=LONGEST,
        bos_token_id=None,
        eos_token_id=None,
    )
    return _plain(MistralForCausalLM(config), pieces, folder)


def composed(folder: Path, *, options: Any = None, then: Any = (), **general: Any) -> Path:
    """A tiny BERT with Pooling and what follows, written by sentence-transformers.

    Args:
        folder: where.
        options: keywords of Pooling.
        then: modules after it.
        **general: keywords of SentenceTransformer.
    """
    plain = bert(folder.with_name(folder.name + "-plain"))
    body = modules.Transformer(str(plain))
    pool = modules.Pooling(HIDDEN, **(options or {}))
    return saved([body, pool, *then], folder, **general)


def dense(inputs: int, outputs: int, **options: Any) -> Any:
    """A linear layer with random weights."""
    torch.manual_seed(inputs + outputs)
    return modules.Dense(inputs, outputs, **options)


def static(folder: Path, *, then: Any = ()) -> Path:
    """The mean of random token vectors."""
    torch.manual_seed(0)
    return saved([modules.StaticEmbedding(tokenizer(), embedding_dim=HIDDEN), *then], folder)


def reference(folder: Path, texts: list[str], **options: Any) -> Any:
    """What sentence-transformers makes of texts, one at a time."""
    model = SentenceTransformer(str(folder), device="cpu")
    return model.encode(texts, batch_size=1, show_progress_bar=False, **options)


def check_same(
    folder: Path, texts: list[str] = TEXTS, *, encode: Any = None, **options: Any
) -> Any:
    """Returns the rows of a teacher, after checking that they are those of the reference."""
    embedded = SentenceEncoder(str(folder), batch_size=4, **options).embed(texts)
    expected = reference(folder, texts, **(encode or {}))
    assert not embedded.failures
    assert embedded.values.shape == expected.shape
    np.testing.assert_allclose(embedded.values, expected, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 0.05, "rows all alike would show no mixed-up ones"
    return embedded.values


def _plain(model: Any, pieces: PreTrainedTokenizerFast, folder: Path) -> Path:
    model.save_pretrained(folder)
    pieces.save_pretrained(folder)
    return folder


def saved(parts: list[Any], folder: Path, **general: Any) -> Path:
    """Writes modules as sentence-transformers writes them."""
    model = SentenceTransformer(modules=parts, device="cpu", **general)
    model.save(str(folder), create_model_card=False)
    return folder
