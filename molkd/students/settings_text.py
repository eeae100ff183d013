"""Sizes of the text students."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from molkd.deprecated import renamed_fields
from molkd.errors import ConfigError, WeightsError
from molkd.items.texts import tokens
from molkd.students.settings import StudentSettings

if TYPE_CHECKING:  # they load transformers
    from molkd.students.static import StaticStudent
    from molkd.students.text_encoder import TextStudent

_STATIC: Mapping[str, Mapping[str, int]] = {
    "static-small": {"width": 128, "hidden": 256, "embedding_dim": 256},
    "static-base": {"width": 256, "hidden": 512, "embedding_dim": 384},
}

_BERT: Mapping[str, Mapping[str, int]] = {
    "bert-tiny": {"hidden": 128, "layers": 2, "heads": 2, "embedding_dim": 256},
    "bert-mini": {"hidden": 256, "layers": 4, "heads": 4, "embedding_dim": 384},
    "bert-small": {"hidden": 512, "layers": 4, "heads": 8, "embedding_dim": 512},
}


@dataclass(frozen=True, kw_only=True)
class _TextSettings(StudentSettings):
    """What all text students are asked for.

    Attributes:
        embedding_dim: width of the embedding.
        tokenizer: a tokenizer.json to use, or the folder of one; None learns one from the corpus.
        vocabulary: tokens to learn.
    """

    modality: ClassVar[str] = "texts"

    embedding_dim: int | None = None
    tokenizer: Path | None = None
    vocabulary: int = 8_000

    def _tokenizer(self, items: Sequence[Any]) -> str:
        if self.tokenizer is not None:
            path = self.tokenizer.expanduser()
            path = path / "tokenizer.json" if path.is_dir() else path
            try:
                return path.read_text(encoding="utf-8")
            except OSError as error:
                raise WeightsError(f"cannot read the tokenizer {path}: {error.strerror}") from error
        texts = [item for item in items if item]
        if not texts:
            raise ConfigError(
                "a text student learns its vocabulary from the corpus: give texts, or name a "
                "tokenizer.json as student.tokenizer"
            )
        return tokens.learn(texts, size=self.vocabulary)

    def _sized(self, sizes: Mapping[str, int], *names: str) -> dict[str, int]:
        values = {name: getattr(self, name) for name in names}
        return {name: sizes[name] if value is None else value for name, value in values.items()}


@dataclass(frozen=True, kw_only=True)
class StaticSettings(_TextSettings):
    """A static text student.

    Attributes:
        width: of the token vectors.
        hidden: of the network behind their mean.
    """

    width: int | None = None
    hidden: int | None = None

    def build(self, items: Sequence[Any]) -> StaticStudent:
        """See `StudentSettings`."""
        from molkd.students.static import StaticStudent

        config = self._sized(_STATIC[self.size], "width", "hidden", "embedding_dim")
        return StaticStudent.fresh(config, self._tokenizer(items))


@renamed_fields(start="init_from", start_layers="init_layers")
@dataclass(frozen=True, kw_only=True)
class TextSettings(_TextSettings):
    """A BERT-type text student.

    Attributes:
        hidden: width of the token states.
        layers: number of layers.
        heads: attention heads per layer.
        max_length: tokens at which a text is cut.
        dropout: in [0, 1).
        init_from: a BERT-type model, folder or hub name, whose first weights and tokenizer it
            takes; sizes that are not given are then those of the model.
        init_layers: layers to take, from 0; None takes `layers` of them, evenly spaced.
    """

    hidden: int | None = None
    layers: int | None = None
    heads: int | None = None
    max_length: int = 128
    dropout: float = 0.0
    init_from: str | None = None
    init_layers: tuple[int, ...] | None = None

    def build(self, items: Sequence[Any]) -> TextStudent:
        """See `StudentSettings`."""
        from molkd.students import from_layers
        from molkd.students.text_encoder import TextStudent

        if self.init_from is not None:
            return from_layers.from_layers(
                self.init_from,
                layers=self.layers if self.init_layers is None else self.init_layers,
                embedding_dim=self.embedding_dim,
                max_length=self.max_length,
                dropout=self.dropout,
                expected={"hidden": self.hidden, "heads": self.heads},
            )
        if self.init_layers is not None:
            raise ConfigError("student.init_layers needs student.init_from, the model to take from")
        return TextStudent.fresh(self.config, self._tokenizer(items))

    @property
    def config(self) -> dict[str, Any]:
        """The body in transformers' words, and the width of the embedding."""
        shape = self._sized(_BERT[self.size], "hidden", "layers", "heads", "embedding_dim")
        if shape["hidden"] % shape["heads"]:
            raise ConfigError(f"{shape['heads']} heads do not divide the width {shape['hidden']}")
        body = {
            "model_type": "bert",
            "hidden_size": shape["hidden"],
            "num_hidden_layers": shape["layers"],
            "num_attention_heads": shape["heads"],
            "intermediate_size": 4 * shape["hidden"],
            "max_position_embeddings": self.max_length,
            "hidden_dropout_prob": self.dropout,
            "attention_probs_dropout_prob": self.dropout,
        }
        return {"body": body, "embedding_dim": shape["embedding_dim"]}
