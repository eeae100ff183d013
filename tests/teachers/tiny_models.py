"""Tiny models of several architectures with random weights, written in the hub's format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    ElectraConfig,
    ElectraModel,
    GPT2Config,
    GPT2Model,
    GPTNeoConfig,
    GPTNeoForCausalLM,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
    T5Config,
    T5ForConditionalGeneration,
)

from molkd.teachers.hub.smiles import HuggingFaceTeacher

HIDDEN = 32
SMILES = [*"CNOFcnos()[]=#123456+-@H/\\.", "Cl", "Br"]
SELFIES = ["[C]", "[=C]", "[N]", "[O]", "[=O]", "[Ring1]", "[=Branch1]", "[Branch1]", "[#Branch2]"]
SPECIAL = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>", "cls": "<s>"}
_ATOMS = r"Br|Cl|."
_SPREAD = 0.3  # of random weights: wide, so that every token shows in every state
_BRACKETS = r"\[[^\]]*\]"


def roberta(folder: Path, *, seed: int = 0, longest: int = 40) -> Path:
    """An encoder whose positions start after that of padding; saved with its head, no pooler."""
    torch.manual_seed(seed)
    tokenizer = _tokenizer(SMILES, _ATOMS, template=True)
    config = RobertaConfig(
        **_SIZES,
        vocab_size=len(tokenizer),
        max_position_embeddings=longest + 2,
        pad_token_id=1,
        type_vocab_size=1,
    )
    return _saved(RobertaForMaskedLM(config), tokenizer, folder)


def bert(folder: Path, *, seed: int = 0, longest: int = 40) -> Path:
    """An encoder with positions from zero."""
    torch.manual_seed(seed)
    tokenizer = _tokenizer(SMILES, _ATOMS, template=True)
    config = BertConfig(
        **_SIZES, vocab_size=len(tokenizer), max_position_embeddings=longest, pad_token_id=1
    )
    return _saved(BertModel(config), tokenizer, folder)


def electra(folder: Path, *, seed: int = 0) -> Path:
    """An encoder whose token embeddings are narrower than its states."""
    torch.manual_seed(seed)
    tokenizer = _tokenizer(SMILES, _ATOMS, template=True)
    config = ElectraConfig(
        **_SIZES,
        vocab_size=len(tokenizer),
        embedding_size=16,
        max_position_embeddings=40,
        pad_token_id=1,
    )
    return _saved(ElectraModel(config), tokenizer, folder)


def distilbert(folder: Path, *, seed: int = 0) -> Path:
    """An encoder that names its parts in its own way."""
    torch.manual_seed(seed)
    tokenizer = _tokenizer(SMILES, _ATOMS, template=True)
    config = DistilBertConfig(
        vocab_size=len(tokenizer),
        dim=HIDDEN,
        hidden_dim=64,
        n_layers=2,
        n_heads=4,
        max_position_embeddings=40,
        initializer_range=_SPREAD,
        pad_token_id=1,
    )
    return _saved(DistilBertModel(config), tokenizer, folder)


def gpt_neo(folder: Path, *, seed: int = 0, padding_side: str = "right") -> Path:
    """A decoder of SELFIES without a single special token but the unknown one, like ChemGPT."""
    torch.manual_seed(seed)
    tokenizer = _tokenizer(SELFIES, _BRACKETS, template=False, padding_side=padding_side)
    config = GPTNeoConfig(
        vocab_size=len(tokenizer),
        hidden_size=HIDDEN,
        num_layers=2,
        num_heads=4,
        attention_types=[[["global", "local"], 1]],
        window_size=4,
        max_position_embeddings=48,
        initializer_range=_SPREAD,
        bos_token_id=None,
        eos_token_id=None,
    )
    return _saved(GPTNeoForCausalLM(config), tokenizer, folder)


def gpt2(folder: Path, *, seed: int = 0, padding_side: str = "right") -> Path:
    """A decoder of SMILES that ends every molecule with a token."""
    torch.manual_seed(seed)
    tokenizer = _tokenizer(SMILES, _ATOMS, template=True, padding_side=padding_side)
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_embd=HIDDEN,
        n_layer=2,
        n_head=4,
        n_positions=40,
        initializer_range=_SPREAD,
    )
    return _saved(GPT2Model(config), tokenizer, folder)


def t5(folder: Path, *, seed: int = 0) -> Path:
    """An encoder-decoder with relative positions, hence without a limit."""
    torch.manual_seed(seed)
    tokenizer = _tokenizer(SMILES, _ATOMS, template=True)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=HIDDEN,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        pad_token_id=1,
    )
    return _saved(T5ForConditionalGeneration(config), tokenizer, folder)


_SIZES: dict[str, Any] = {
    "hidden_size": HIDDEN,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "initializer_range": _SPREAD,
}


def _tokenizer(
    pieces: list[str], pattern: str, *, template: bool, padding_side: str = "right"
) -> PreTrainedTokenizerFast:
    special = ["<s>", "<pad>", "</s>", "<unk>"] if template else ["<unk>"]
    vocabulary = {token: number for number, token in enumerate([*special, *pieces])}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token=SPECIAL["unk"]))
    core.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
    names = {"unk_token": SPECIAL["unk"]}
    if template:
        core.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
        )
        names = {f"{role}_token": token for role, token in SPECIAL.items()}
    return PreTrainedTokenizerFast(tokenizer_object=core, padding_side=padding_side, **names)


def _saved(model: Any, tokenizer: PreTrainedTokenizerFast, folder: Path) -> Path:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


MODELS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "roberta": (roberta, "smiles"),
    "bert": (bert, "smiles"),
    "gpt2": (gpt2, "smiles"),
    "gpt_neo": (gpt_neo, "selfies"),
    "t5": (t5, "smiles"),
}
"""Name -> what makes it, and what it reads."""


def teacher_of(folders: dict[str, Path], name: str, **options: Any) -> HuggingFaceTeacher:
    """The teacher of one of MODELS, made in a folder of its name; rows that fail are NaN."""
    options = {"representation": MODELS[name][1], "on_invalid": "null", **options}
    return HuggingFaceTeacher(str(folders[name]), **options)
