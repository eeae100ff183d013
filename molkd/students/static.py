"""The static text student: a vector per token, averaged, and a small network.

No token sees another one, so that it embeds tens of thousands of texts a second on a CPU. Source of
the idea: averaged word vectors; of the training: distillation as of any other student.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from molkd.errors import ConfigError, CorruptFileError
from molkd.items.texts import tokens
from molkd.items.texts.tokens import Tokenizing, Tokens
from molkd.students import projection
from molkd.students.base import Student
from molkd.students.pretrained import SavedStudent
from molkd.tensors import Features, FeatureSpec

TOKENIZER = "tokenizer.json"


@dataclass(frozen=True, kw_only=True)
class StaticConfig:
    """The shape of a static student.

    Attributes:
        vocabulary: number of tokens.
        width: of the token vectors.
        hidden: of the network behind their mean.
        embedding_dim: width of the embedding.
        tokenizer: sha256 of its JSON.
    """

    vocabulary: int
    width: int = 256
    hidden: int = 512
    embedding_dim: int = 256
    tokenizer: str = ""

    def __post_init__(self) -> None:
        for name in ("vocabulary", "width", "hidden", "embedding_dim"):
            if getattr(self, name) < 1:
                raise ConfigError(f"student: {name} must be at least 1, not {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class Bags:
    """b texts end to end.

    Attributes:
        ids: shape (t,), tokens.
        offsets: shape (b,), where each text begins.
    """

    ids: Tensor
    offsets: Tensor

    def to(self, device: torch.device) -> Self:
        """Returns the batch on a device."""
        return type(self)(
            self.ids.to(device, non_blocking=True), self.offsets.to(device, non_blocking=True)
        )


def tokenizer_of(saved: SavedStudent, size: int) -> str:
    """Returns the tokenizer of a text student, in JSON.

    Raises:
        CorruptFileError: it is missing, not the one of the configuration, or knows more tokens than
            the student, which has `size` of them.
        ConfigError: it cannot be read.
    """
    text = saved.text(TOKENIZER)
    digest = saved.config.get("tokenizer")
    known = max(tokens.vocabulary(text).values(), default=-1) + 1
    if known > size or (digest and digest != hashlib.sha256(text.encode()).hexdigest()):
        raise CorruptFileError(
            f"{saved.folder}: {TOKENIZER}, of {known} tokens, is not that of the student, of "
            f"{size} tokens: copy or download the folder again"
        )
    return text


class StaticStudent(Student[str, Tokens, Bags]):
    """Token vectors, their mean, and two layers."""

    kind: ClassVar[str] = "static"
    modality: ClassVar[str] = "texts"

    def __init__(self, config: StaticConfig) -> None:
        super().__init__()
        self._config = config
        self.tokenizer = ""
        self.embedding = nn.EmbeddingBag(config.vocabulary, config.width, mode="mean")
        self.update = nn.Linear(config.width, config.hidden)
        self.activate = nn.GELU()
        self.project = projection.Projection(config.hidden, config.embedding_dim)

    @classmethod
    def fresh(cls, config: Mapping[str, Any], tokenizer: str) -> Self:
        """Builds an untrained student around a tokenizer in JSON."""
        size = max(tokens.vocabulary(tokenizer).values()) + 1
        digest = hashlib.sha256(tokenizer.encode()).hexdigest()
        student = cls.build({**config, "vocabulary": size, "tokenizer": digest})
        student.tokenizer = tokenizer
        return student

    @property
    def config(self) -> Mapping[str, object]:
        """See `StaticConfig`."""
        return asdict(self._config)

    @classmethod
    def build(cls, config: Mapping[str, Any]) -> Self:
        """Builds a network from the fields of `StaticConfig`; it lacks its tokenizer."""
        return cls(StaticConfig(**config))

    @classmethod
    def restore(cls, saved: SavedStudent) -> Self:
        """See `Student`."""
        student = super().restore(saved)
        student.tokenizer = tokenizer_of(saved, student.embedding.num_embeddings)
        return student

    @property
    def embedding_dim(self) -> int:
        """Width of the embedding."""
        return self._config.embedding_dim

    @property
    def feature_spec(self) -> FeatureSpec:
        """The widths of embedding and layers."""
        return FeatureSpec(self.embedding_dim, (self._config.width, self._config.hidden))

    @property
    def last_layers(self) -> tuple[nn.Linear]:
        """See `Student`."""
        return (self.project,)

    def truncate(self, length: int) -> Self:
        """See `Student`."""
        short = projection.truncate(self, length, {**self.config, "embedding_dim": length})
        short.tokenizer = self.tokenizer
        return short

    @property
    def featurize(self) -> Callable[[Sequence[Any]], Tokens]:
        """What turns texts into tokens."""
        return Tokenizing(self.tokenizer, None, special=False)

    def collate(self, prepared: Tokens) -> Bags:
        """Makes tensors of packed tokens."""
        return Bags(
            torch.from_numpy(prepared.ids.astype("int64")),
            torch.from_numpy(prepared.starts[:-1].copy()),
        )

    def forward(self, batch: Bags, *, layers: bool = False, nodes: bool = False) -> Features:  # noqa: ARG002
        """Embeds a batch; shape (b, embedding_dim)."""
        mean = self.embedding(batch.ids, batch.offsets)
        state = self.activate(self.update(mean))
        return Features(self.project(state), (mean, state) if layers else ())

    @property
    def files(self) -> Mapping[str, bytes]:
        """Its tokenizer, and what the library sentence-transformers reads."""
        modules = projection.Modules().add("StaticEmbedding", "")
        modules.dense("1_Dense", self.update, nn.GELU)
        modules.dense("2_Dense", self.project, nn.Identity)
        return {TOKENIZER: self.tokenizer.encode(), **modules.files}
