"""What turns texts into vectors inside an encoder: a transformer, or a table of token vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from molkd.errors import ConfigError, WeightsError
from molkd.hub import checkpoints, inputs
from molkd.runtime import devices
from molkd.teachers.hub.hidden import hidden_states
from molkd.teachers.hub.modules_json import Layout, Pool
from molkd.teachers.hub.pooling import pool
from molkd.teachers.hub.post_modules import read_tensors
from molkd.teachers.hub.token_batches import TokenBatch
from molkd.teachers.hub.tokens import Tokens, check_max_length, token_limit


@dataclass(frozen=True, slots=True)
class Split:
    """Texts as tokens.

    Attributes:
        sequences: position -> tokens; a token that is not `content` is not pooled.
        reasons: position -> why there are none.
        shortened: how many texts lost their end.
    """

    sequences: dict[int, Tokens]
    reasons: dict[int, str]
    shortened: int


class TokenEncoder(Protocol):
    """The first part of an encoder of texts; everything after it works on rows."""

    def split(self, texts: Sequence[str]) -> Split:
        """Returns the tokens of texts."""
        ...

    def rows(self, batch: Sequence[Tokens]) -> Tensor:
        """Returns one vector per text; shape (len(batch), d)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerEncoder:
    """A transformer of the Hugging Face kind whose states are pooled.

    Attributes:
        model: without heads, frozen.
        tokenizer: of the model.
        pad: token that stands where there is none.
        pooled: how states are pooled.
        prefix: what goes before every text.
        skipped: leading tokens that are not pooled.
        layer: whose states are pooled; None is the last one.
        limit: tokens to which a text is shortened; None for any number.
    """

    model: nn.Module
    tokenizer: Any
    pad: int
    pooled: Pool
    prefix: str
    skipped: int
    layer: int | None
    limit: int | None

    def split(self, texts: Sequence[str]) -> Split:
        """Returns the tokens of texts, special ones included."""
        whole = [self.prefix + text for text in texts]
        ids = _tokenized(self.tokenizer, whole)
        long = [row for row, one in enumerate(ids) if self.limit and len(one) > self.limit]
        if long:
            first = _tokenized(self.tokenizer, [whole[row] for row in long], limit=self.limit)
            for row, one in zip(long, first, strict=True):
                ids[row] = one
        return _split(ids, skipped=self.skipped, shortened=len(long))

    def rows(self, batch: Sequence[Tokens]) -> Tensor:
        """Returns pooled states; shape (len(batch), d * number of poolings)."""
        tokens = TokenBatch.of(batch, self.pad).to(devices.of(self.model))
        read = {"input_ids": tokens.ids, "attention_mask": tokens.mask}
        hidden = hidden_states(self.model, self.layer, read)
        return pool(hidden, tokens.content, self.pooled.modes)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticEncoder:
    """The mean of a text's token vectors.

    Attributes:
        vectors: shape (vocabulary, d).
        tokenizer: of the library tokenizers, without padding and truncation.
        prefix: what goes before every text.
        limit: tokens to which a text is shortened; None for any number.
    """

    vectors: Tensor
    tokenizer: Any
    prefix: str
    limit: int | None

    def split(self, texts: Sequence[str]) -> Split:
        """Returns the tokens of texts, without special ones."""
        whole = [self.prefix + text for text in texts]
        encoded = self.tokenizer.encode_batch(whole, add_special_tokens=False)
        ids: list[list[int]] = [one.ids for one in encoded]
        long = sum(self.limit is not None and len(one) > self.limit for one in ids)
        return _split([one[: self.limit] for one in ids], skipped=0, shortened=long)

    def rows(self, batch: Sequence[Tokens]) -> Tensor:
        """Returns means; shape (len(batch), d)."""
        lengths = torch.tensor([0, *(len(tokens.ids) for tokens in batch[:-1])])
        ids = torch.tensor([token for tokens in batch for token in tokens.ids])
        device = self.vectors.device
        starts = lengths.cumsum(dim=0).to(device)
        return functional.embedding_bag(ids.to(device), self.vectors, starts, mode="mean")


def load_transformer(
    checkpoint: checkpoints.Checkpoint,
    config: Any,
    layout: Layout,
    pooled: Pool,
    *,
    layer: int | None,
    prefix: str,
    max_length: int | None,
    device: str,
) -> TransformerEncoder:
    """Loads a transformer, its tokenizer and its limit.

    Raises:
        ConfigError: no such device, more tokens than the model can take, or no room for a text.
        WeightsError: weights or tokenizer are missing, broken or of another model.
    """
    tokenizer = inputs.load_tokenizer(checkpoint, config)
    if layout.lower:
        _lower(tokenizer)
    model = checkpoints.load_model(checkpoint, config, device)
    limit = token_limit(model, config, tokenizer)
    check_max_length(max_length, limit, checkpoint.folder)
    usual = min((one for one in (limit, layout.max_tokens) if one), default=None)
    limit = max_length or usual
    (opening,) = _tokenized(tokenizer, [prefix])  # special tokens where there is no prompt
    if limit is not None and len(opening) >= limit:
        raise ConfigError(
            f"{limit} tokens leave no room for a text beside special tokens and the prompt "
            f"{prefix!r}: raise max_length or choose a shorter prompt"
        )
    return TransformerEncoder(
        model=model,
        tokenizer=tokenizer,
        pad=getattr(config, "pad_token_id", None) or 0,  # masked; RoBERTa counts positions by it
        pooled=pooled,
        prefix=prefix,
        skipped=_leading(opening, tokenizer) if prefix and not pooled.include_prompt else 0,
        layer=layer,
        limit=limit,
    )


def load_static(folder: Path, *, prefix: str, max_length: int | None, device: str) -> StaticEncoder:
    """Loads a table of token vectors and its tokenizer.

    Raises:
        ConfigError: no such device.
        WeightsError: one of the two is missing or broken, or they do not fit.
    """
    from tokenizers import Tokenizer

    where = devices.choose(device)
    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:
        raise WeightsError(f"the tokenizer {path} cannot be read: {error}") from error
    limits = [max_length, (tokenizer.truncation or {}).get("max_length")]
    tokenizer.no_padding()
    tokenizer.no_truncation()
    vectors = static_vectors(folder)
    if max(tokenizer.get_vocab().values()) >= len(vectors):
        raise WeightsError(f"the tokenizer of {folder} has more tokens than there are vectors")
    limit = min((one for one in limits if one), default=None)
    return StaticEncoder(vectors=vectors.to(where), tokenizer=tokenizer, prefix=prefix, limit=limit)


def static_vectors(folder: Path) -> Tensor:
    """Reads a table of token vectors, of sentence-transformers or of model2vec.

    Returns:
        Shape (vocabulary, d), float32.

    Raises:
        WeightsError: there is none, or it is broken.
    """
    tensors = read_tensors(folder / "model.safetensors")
    vectors = tensors.get("embedding.weight", tensors.get("embeddings"))
    if vectors is None or vectors.ndim != 2:
        raise WeightsError(f"{folder}/model.safetensors holds no table of token vectors")
    if "mapping" in tensors:
        vectors = vectors[tensors["mapping"].long()]
    if "weights" in tensors:
        vectors = vectors.float() * tensors["weights"].float().unsqueeze(1)
    return vectors.float()


def _tokenized(tokenizer: Any, texts: Sequence[str], limit: int | None = None) -> list[list[int]]:
    encoded = tokenizer(
        list(texts),
        truncation=limit is not None,
        max_length=limit,
        padding=False,
        return_attention_mask=False,
        return_token_type_ids=False,
        verbose=False,
    )
    return list(encoded["input_ids"])


def _split(ids: Sequence[list[int]], *, skipped: int, shortened: int) -> Split:
    sequences: dict[int, Tokens] = {}
    reasons: dict[int, str] = {}
    for row, one in enumerate(ids):
        if len(one) > skipped:
            sequences[row] = Tokens(one, [place >= skipped for place in range(len(one))])
        else:
            reasons[row] = "the tokenizer makes no token of it"
    return Split(sequences, reasons, shortened)


def _leading(prompt: Sequence[int], tokenizer: Any) -> int:
    """Returns how many tokens a prompt is, with special ones before it but none after it."""
    return len(prompt) - (prompt[-1] in tokenizer.all_special_ids)


def _lower(tokenizer: Any) -> None:
    """Lets a tokenizer lower texts before anything else.

    Raises:
        WeightsError: it is none of the library tokenizers.
    """
    from tokenizers import normalizers

    if not tokenizer.is_fast:
        raise WeightsError("do_lower_case needs a tokenizer.json: save the tokenizer as one")
    core = tokenizer.backend_tokenizer
    steps = [normalizers.Lowercase(), *([core.normalizer] if core.normalizer else [])]
    core.normalizer = normalizers.Sequence(steps)
