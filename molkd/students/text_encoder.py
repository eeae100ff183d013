"""The contextual text student: a BERT-type encoder, its mean over tokens, and a projection."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from molkd.items.texts import tokens
from molkd.items.texts.tokens import Tokenizing, Tokens
from molkd.students import projection
from molkd.students.pretrained import SavedStudent
from molkd.students.static import TOKENIZER, tokenizer_of
from molkd.students.transformer_base import TransformerStudent
from molkd.tensors import Features


@dataclass(frozen=True, slots=True)
class Padded:
    """b texts, padded on the right.

    Attributes:
        ids: shape (b, t), tokens.
        mask: shape (b, t), 1 for tokens and 0 for padding.
    """

    ids: Tensor
    mask: Tensor

    def to(self, device: torch.device) -> Self:
        """Returns the batch on a device."""
        return type(self)(
            self.ids.to(device, non_blocking=True), self.mask.to(device, non_blocking=True)
        )


class TextStudent(TransformerStudent[str, Tokens, Padded]):
    """A BERT-type encoder of texts; longer ones than `max_length` tokens are cut."""

    kind: ClassVar[str] = "text-encoder"
    modality: ClassVar[str] = "texts"
    bodies: ClassVar[Mapping[str, Mapping[str, Any]]] = {"bert": {"add_pooling_layer": False}}

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.tokenizer = ""

    @classmethod
    def fresh(cls, config: Mapping[str, Any], tokenizer: str) -> Self:
        """Builds an untrained student around a tokenizer in JSON."""
        size = max(tokens.vocabulary(tokenizer).values()) + 1
        digest = hashlib.sha256(tokenizer.encode()).hexdigest()
        body = {**config["body"], "vocab_size": size}
        student = cls.build({**config, "body": body, "tokenizer": digest})
        student.tokenizer = tokenizer
        return student

    @classmethod
    def restore(cls, saved: SavedStudent) -> Self:
        """See `Student`."""
        student = super().restore(saved)
        student.tokenizer = tokenizer_of(saved, student.body_config.vocab_size)
        return student

    def truncate(self, length: int) -> Self:
        """See `Student`."""
        short = super().truncate(length)
        short.tokenizer = self.tokenizer
        return short

    @property
    def max_length(self) -> int:
        """Tokens at which a text is cut, special ones included."""
        return int(self.body_config.max_position_embeddings)

    @property
    def featurize(self) -> Callable[[Sequence[Any]], Tokens]:
        """What turns texts into tokens."""
        return Tokenizing(self.tokenizer, self.max_length, special=True)

    def collate(self, prepared: Tokens) -> Padded:
        """Makes tensors of packed tokens."""
        sizes = torch.from_numpy(prepared.sizes)
        mask = torch.arange(int(sizes.max()) if len(sizes) else 0)[None] < sizes[:, None]
        ids = torch.zeros(mask.shape, dtype=torch.int64)
        ids[mask] = torch.from_numpy(prepared.ids.astype("int64"))
        return Padded(ids, mask.to(torch.int64))

    def forward(self, batch: Padded, *, layers: bool = False, nodes: bool = False) -> Features:  # noqa: ARG002
        """Embeds a batch; shape (b, embedding_dim)."""
        last, states = self._states(input_ids=batch.ids, attention_mask=batch.mask)
        pooled = tuple(_mean(state, batch.mask) for state in states) if layers else ()
        return Features(self.project(_mean(last, batch.mask)), pooled)

    @property
    def files(self) -> Mapping[str, bytes]:
        """Its tokenizer, and what transformers and sentence-transformers read."""
        width = self.pooled_width
        modules = projection.Modules().add("Transformer", "")
        modules.add(
            "Pooling",
            "1_Pooling",
            {"word_embedding_dimension": width, "pooling_mode_mean_tokens": True},
        )
        modules.dense("2_Dense", self.project, torch.nn.Identity)
        modules.file(
            "sentence_bert_config.json",
            {"max_seq_length": self.max_length, "do_lower_case": False},
        )
        named = dict(zip(("pad", "unk", "cls", "sep", "mask"), tokens.SPECIAL, strict=True))
        modules.file(
            "tokenizer_config.json",
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "model_max_length": self.max_length,
                **{f"{name}_token": token for name, token in named.items()},
            },
        )
        return {TOKENIZER: self.tokenizer.encode(), **modules.files}


def _mean(state: Tensor, mask: Tensor) -> Tensor:
    """Shape (b, d): mean over tokens; zero for a text without any."""
    weight = mask[..., None].to(state.dtype)
    return (state * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)
