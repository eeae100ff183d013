"""Transformers of the Hugging Face kind that read SMILES or SELFIES, as teachers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy.typing as npt
from rdkit import Chem
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor, nn

from molkd.hub import checkpoints, inputs
from molkd.runtime import devices
from molkd.teachers.base import layers
from molkd.teachers.base.molecules import MoleculeTeacher, OnInvalid
from molkd.teachers.hub.base import HubModel, HubTeacher, Origin, origin_of
from molkd.teachers.hub.hidden import check_layer, hidden_states
from molkd.teachers.hub.token_batches import Pooling, TokenBatch, embed_by_length, pooled
from molkd.teachers.hub.tokens import (
    Reader,
    Representation,
    Tokens,
    TooLong,
    Unknown,
    UnreadableError,
    check_max_length,
    token_limit,
)

if TYPE_CHECKING:
    from molkd.teachers.hub.queryable import QueryableTransformer


@dataclass(frozen=True, slots=True, kw_only=True)
class _LanguageModel(HubModel):
    """A model, what brings molecules to it, and the token that stands where there is none."""

    model: nn.Module
    reader: Reader
    pad: int


class HuggingFaceTeacher(HubTeacher[_LanguageModel], MoleculeTeacher):
    """The hidden states of an encoder or a decoder, pooled over the tokens of a molecule.

    A molecule is read as canonical SMILES, or as the SELFIES of it. Sequences are sorted by
    length, padded on the right and masked, so that neither the batch nor the padding side that
    a tokenizer prefers changes a row (to 1e-5).

    Attributes:
        representation: what the model was trained on.
        pooling: "mean" over the tokens that stand for a piece of the molecule, special tokens
            left out; "cls", the first token; "last", the last token that is no padding.
        max_length: tokens, special ones included, to which a molecule is limited; None is the
            limit of the model and its tokenizer.
        too_long: refuse a molecule with more tokens, or embed its first ones.
        unknown: refuse a molecule of which the tokenizer does not know a part, or keep what the
            tokenizer makes of it: an unknown token, or nothing at all ("CCl" read as "CC").
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **HubTeacher._parameter_constraints,  # noqa: SLF001
        **MoleculeTeacher._parameter_constraints,  # noqa: SLF001
        "representation": [StrOptions({"smiles", "selfies"})],
        "pooling": [StrOptions({"mean", "cls", "last"})],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "too_long": [StrOptions({"refuse", "truncate"})],
        "unknown": [StrOptions({"refuse", "keep"})],
    }
    _modality = "molecules"
    _limits = "molecules with more tokens than its limit or with tokens it does not know"
    _options = ("representation", "pooling", "max_length", "too_long", "unknown")

    def __init__(  # noqa: PLR0913 - scikit-learn's parameters
        self,
        model: str,
        *,
        representation: Representation = "smiles",
        pooling: Pooling = "mean",
        max_length: int | None = None,
        too_long: TooLong = "refuse",
        unknown: Unknown = "refuse",
        layer: int | None = None,
        revision: str | None = None,
        name: str | None = None,
        license: str | None = None,  # noqa: A002 - the card's word
        device: str = "cpu",
        batch_size: int = 64,
        on_invalid: OnInvalid = "error",
    ) -> None:
        self.model = model
        self.representation: Representation = representation
        self.pooling: Pooling = pooling
        self.max_length = max_length
        self.too_long: TooLong = too_long
        self.unknown: Unknown = unknown
        self.layer = layer
        self.revision = revision
        self.name = name
        self.license = license
        self.device = device
        self.batch_size = batch_size
        self.on_invalid = on_invalid

    @property
    def _kind(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return f"{self.representation.upper()} model"

    @property
    def _packages(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        selfies = ("selfies",) if self.representation == "selfies" else ()
        return ("transformers", "tokenizers", "rdkit", *selfies)

    def _describe(self, checkpoint: checkpoints.Checkpoint) -> Origin:
        config = checkpoints.read_config(checkpoint)
        check_layer(self.layer, config, self.model)
        return origin_of(checkpoint, config.hidden_size)

    def _load(self) -> _LanguageModel:
        checkpoint = self._locate(weights=True)
        config = checkpoints.read_config(checkpoint)
        if self.pooling == "cls":
            self._check_cls(config, "last")
        origin = self._checked(self._describe(checkpoint))
        tokenizer = inputs.load_tokenizer(checkpoint, config)
        model = checkpoints.load_model(checkpoint, config, self.device)
        limit = token_limit(model, config, tokenizer)
        check_max_length(self.max_length, limit, self.model)
        limit = self.max_length or limit
        reader = Reader(tokenizer, self.representation, limit, self.too_long, self.unknown)
        # Padding is masked, so any token can stand there; RoBERTa counts positions by its own.
        pad = getattr(config, "pad_token_id", None) or 0
        return _LanguageModel(origin=origin, model=model, reader=reader, pad=pad)

    def _compute(self, mols: list[Chem.Mol]) -> npt.NDArray[Any]:
        return self._try(mols)[0]

    def _try(self, mols: list[Chem.Mol]) -> tuple[npt.NDArray[Any], Mapping[int, str]]:
        loaded = self._ready()
        device = devices.of(loaded.model)
        sequences: dict[int, Tokens] = {}
        reasons: dict[int, str] = {}
        for row, mol in enumerate(mols):
            try:
                sequences[row] = loaded.reader.read(mol)
            except UnreadableError as error:
                reasons[row] = str(error)

        def encode(batch: list[Tokens]) -> Tensor:
            tokens = TokenBatch.of(batch, loaded.pad).to(device)
            read = {"input_ids": tokens.ids, "attention_mask": tokens.mask}
            states = hidden_states(loaded.model, self.layer, read)
            return pooled(states, tokens.mask, tokens.content, self.pooling)

        shape = (len(mols), loaded.origin.dim)
        return embed_by_length(sequences, shape, self.batch_size, encode), reasons

    def queryable(self, *, layer: int | None = None) -> QueryableTransformer:
        """Returns the teacher as one that answers queries.

        Args:
            layer: block before which the query enters, from 0; None is the middle.

        Raises:
            ConfigError: a kind of model that cannot take a query, no such block, or the teacher is
                one of its layers.
            WeightsError: the model is missing or cannot be loaded.
        """
        from molkd.teachers.hub.queryable import QueryableTransformer

        layers.refuse_queries(self.layer, self.card.name)
        loaded = self._ready()
        return QueryableTransformer(
            self.card.name,
            loaded.model,
            loaded.reader,
            self._read,
            pad=loaded.pad,
            pooling=self.pooling,
            layer=layer,
        )
