"""Transformers of the Hugging Face kind that read SMILES or SELFIES, as teachers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from rdkit import Chem
from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from molkd.errors import ConfigError, WeightsError
from molkd.hub import checkpoints, inputs
from molkd.teachers.base.molecules import MoleculeTeacher, OnInvalid
from molkd.teachers.base.provenance import Origin, stated
from molkd.teachers.hub.known_smiles import BY_HUB, NAMED, HubModel, Pooling, Representation
from molkd.teachers.hub.token_batches import TokenBatch, pooled
from molkd.teachers.hub.tokens import Reader, Tokens, TooLong, Unknown, UnreadableError, token_limit
from molkd.types import TeacherCard

if TYPE_CHECKING:
    from molkd.teachers.hub.queryable import LiveTransformer

__all__ = ["NAMED", "HubModel", "HuggingFaceTeacher"]


@dataclass(frozen=True, slots=True)
class _Ready:
    """A loaded model, and the parameters it was loaded for."""

    key: tuple[object, ...]
    model: nn.Module
    reader: Reader
    pad: int
    origin: Origin


class HuggingFaceTeacher(MoleculeTeacher):
    """The last hidden states of an encoder or a decoder, pooled over the tokens of a molecule.

    A molecule is read as canonical SMILES, or as the SELFIES of it. Sequences are sorted by
    length, padded on the right and masked, so that neither the batch nor the padding side that
    a tokenizer prefers changes a row (to 1e-5).

    The card of a local directory carries the checksums of its files. That of a hub model carries
    the commit, which fixes all of them; a branch is resolved to its commit before anything else.

    Attributes:
        model: local directory in the hub's format, or name on the hub.
        representation: what the model was trained on.
        pooling: "mean" over the tokens that stand for a piece of the molecule, special tokens
            left out; "cls", the first token; "last", the last token that is no padding.
        max_length: tokens, special ones included, to which a molecule is limited; None is the
            limit of the model and its tokenizer.
        too_long: refuse a molecule with more tokens, or cut off its end.
        unknown: refuse a molecule of which the tokenizer does not know a part, or keep what the
            tokenizer makes of it: an unknown token, or nothing at all ("CCl" read as "CC").
        revision: commit, tag, branch or "refs/pr/N" on the hub; None is the one that molkd
            names for a model it knows, else the main branch.
        name: name on the card; None is derived from `model`.
        license: licence on the card; None is what molkd knows of the model.
        device: where torch computes.
        batch_size: molecules per forward pass.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **MoleculeTeacher._parameter_constraints,  # noqa: SLF001
        "model": [str],
        "representation": [StrOptions({"smiles", "selfies"})],
        "pooling": [StrOptions({"mean", "cls", "last"})],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "too_long": [StrOptions({"refuse", "truncate"})],
        "unknown": [StrOptions({"refuse", "keep"})],
        "revision": [str, None],
        "name": [str, None],
        "license": [str, None],
        "device": [str],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
    }
    _loaded: _Ready | None = None

    def __init__(  # noqa: PLR0913 - scikit-learn's parameters
        self,
        model: str,
        *,
        representation: Representation = "smiles",
        pooling: Pooling = "mean",
        max_length: int | None = None,
        too_long: TooLong = "refuse",
        unknown: Unknown = "refuse",
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
        self.revision = revision
        self.name = name
        self.license = license
        self.device = device
        self.batch_size = batch_size
        self.on_invalid = on_invalid

    @property
    def card(self) -> TeacherCard:
        """What the model is; asks the hub for config.json at most, never for weights.

        Raises:
            WeightsError: neither a known model nor one whose config.json can be had.
        """
        known = BY_HUB.get(self.model)
        origin = self._origin(known)
        packages = ["transformers", "tokenizers", "rdkit"]
        if self.representation == "selfies":
            packages.append("selfies")
        return TeacherCard(
            **stated(self.model, known, name=self.name, license=self.license),
            kind=f"{self.representation.upper()} model",
            dim=origin.dim,
            support="real",
            limits="molecules with more tokens than its limit or with tokens it does not know",
            sha256=origin.sha256,
            options={
                "representation": self.representation,
                "pooling": self.pooling,
                "max_length": self.max_length,
                "too_long": self.too_long,
                "unknown": self.unknown,
                "revision": origin.revision,
            },
            versions={package: version(package) for package in packages},
        )

    def _origin(self, known: HubModel | None) -> Origin:
        if self._loaded is not None and self._loaded.key == self._key:
            return self._loaded.origin
        revision = self._revision(known)
        if known and checkpoints.is_commit(revision):
            return Origin(known.dim, revision, {})
        try:
            checkpoint = checkpoints.locate(self.model, revision, weights=False)
        except WeightsError:
            if known is None:
                raise
            return Origin(known.dim, revision, {})
        return Origin.of(checkpoints.read_config(checkpoint).hidden_size, checkpoint)

    def _revision(self, known: HubModel | None) -> str | None:
        return self.revision or (known.revision if known else None)

    @property
    def _key(self) -> tuple[object, ...]:
        """The parameters that decide what is loaded."""
        reading = (self.representation, self.max_length, self.too_long, self.unknown)
        return (self.model, self.revision, self.device, self.pooling, *reading)

    def _ready(self) -> _Ready:
        if self._loaded is None or self._loaded.key != self._key:
            self._loaded = self._load()
        return self._loaded

    def _load(self) -> _Ready:
        known = BY_HUB.get(self.model)
        checkpoint = checkpoints.locate(self.model, self._revision(known), weights=True)
        config = checkpoints.read_config(checkpoint)
        if self.pooling == "cls" and checkpoints.is_causal(config):
            raise ConfigError(
                "pooling='cls': the first token of a decoder sees none of the rest; "
                f"use 'mean' or 'last' for {self.model}"
            )
        if known is not None and known.dim != config.hidden_size:
            raise WeightsError(
                f"{self.model} has {config.hidden_size} dimensions, {known.dim} were expected: "
                "it is not the model that molkd knows; give the revision you mean"
            )
        tokenizer = inputs.load_tokenizer(checkpoint, config)
        model = checkpoints.load_model(checkpoint, config, self.device)
        limit = token_limit(model, config, tokenizer)
        if self.max_length is not None:
            if limit is not None and self.max_length > limit:
                raise ConfigError(
                    f"max_length={self.max_length} is more than the {limit} tokens of {self.model}"
                )
            limit = self.max_length
        reader = Reader(tokenizer, self.representation, limit, self.too_long, self.unknown)
        # Padding is masked, so any token can stand there; RoBERTa counts positions by its own.
        pad = getattr(config, "pad_token_id", None) or 0
        return _Ready(self._key, model, reader, pad, Origin.of(config.hidden_size, checkpoint))

    def _compute(self, mols: list[Chem.Mol]) -> npt.NDArray[Any]:
        return self._try(mols)[0]

    def _try(self, mols: list[Chem.Mol]) -> tuple[npt.NDArray[Any], Mapping[int, str]]:
        ready = self._ready()
        sequences: dict[int, Tokens] = {}
        reasons: dict[int, str] = {}
        for row, mol in enumerate(mols):
            try:
                sequences[row] = ready.reader.read(mol)
            except UnreadableError as error:
                reasons[row] = str(error)
        values = np.full((len(mols), ready.origin.dim), np.nan, dtype=np.float32)
        order = sorted(sequences, key=lambda row: len(sequences[row].ids))
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            values[rows] = self._forward(ready, [sequences[row] for row in rows])
        return values, reasons

    @torch.inference_mode()
    def _forward(self, ready: _Ready, batch: Sequence[Tokens]) -> npt.NDArray[np.float32]:
        """Embeds sequences; shape (len(batch), d)."""
        tokens = TokenBatch.of(batch, ready.pad).to(torch.device(self.device))
        hidden = ready.model(input_ids=tokens.ids, attention_mask=tokens.mask).last_hidden_state
        return pooled(hidden, tokens.mask, tokens.content, self.pooling).cpu().numpy()

    def live(self, *, layer: int | None = None) -> LiveTransformer:
        """Returns the teacher as one that answers queries.

        Args:
            layer: block before which the query enters, from 0; None is the middle.

        Raises:
            ConfigError: a kind of model that cannot take a query, or no such block.
            WeightsError: the model is missing or cannot be loaded.
        """
        from molkd.teachers.hub.queryable import LiveTransformer

        ready = self._ready()
        return LiveTransformer(
            self.card.name,
            ready.model,
            ready.reader,
            self._read,
            pad=ready.pad,
            pooling=self.pooling,
            layer=layer,
        )
