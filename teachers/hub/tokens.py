"""Molecules as the token sequences of a language model, with a reason for each that has none."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from rdkit import Chem
from torch import nn

from molkd.errors import ConfigError
from molkd.items.molecules import chem

Representation = Literal["smiles", "selfies"]
TooLong = Literal["refuse", "truncate"]
Unknown = Literal["refuse", "keep"]

_UNLIMITED = 1_000_000
"""A tokenizer without a limit states a huge one."""

_SHOWN = 40


class UnreadableError(ValueError):
    """A molecule is no input of the model; the message is the reason shown to the user."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """One molecule.

    Attributes:
        ids: token numbers, special tokens included, without padding.
        content: for each of them, whether it stands for a piece of the molecule.
    """

    ids: list[int]
    content: list[bool]


@dataclass(frozen=True, slots=True)
class Reader:
    """Turns molecules into what a language model reads.

    Attributes:
        tokenizer: tokenizer of the model.
        representation: "smiles" (canonical, isomeric) or "selfies" (of that SMILES).
        limit: tokens that the model can take, special ones included; None where it has no limit.
        too_long: whether a longer molecule is refused or loses its end.
        unknown: whether a molecule is refused of which the tokenizer would lose a part.
    """

    tokenizer: Any
    representation: Representation
    limit: int | None
    too_long: TooLong
    unknown: Unknown

    def read(self, mol: Chem.Mol) -> Tokens:
        """Returns the tokens of a molecule.

        Raises:
            UnreadableError: no such representation, unknown tokens, or too many of them.
        """
        text = written(mol, self.representation)
        encoded = self._encode(text, limit=None)
        ids, content = _split(encoded)
        missing = self._missing(text, encoded, content)
        if missing and self.unknown == "refuse":
            raise UnreadableError(
                f"the tokenizer does not know {missing}; "
                "unknown='keep' embeds what it makes of the rest"
            )
        if not any(content):
            raise UnreadableError("the tokenizer knows no part of it")
        if self.limit is None or len(ids) <= self.limit:
            return Tokens(ids, content)
        if self.too_long == "refuse":
            raise UnreadableError(f"{len(ids)} tokens, more than the model's {self.limit}")
        return Tokens(*_split(self._encode(text, limit=self.limit)))

    def _encode(self, text: str, *, limit: int | None) -> Any:
        return self.tokenizer(
            text,
            truncation=limit is not None,
            max_length=limit,
            return_special_tokens_mask=True,
            return_offsets_mapping=self.tokenizer.is_fast,
            verbose=False,
        )

    def _missing(self, text: str, encoded: Any, content: list[bool]) -> str:
        """Returns the parts of the text that no token stands for, quoted; "" where none is.

        Byte-pair tokenizers without an unknown token drop such characters in silence ("CCl"
        becomes "CC"), so the unknown token alone would not tell: the offsets do.
        """
        unknown_id = self.tokenizer.unk_token_id
        unknown = [
            inside and token == unknown_id
            for token, inside in zip(encoded["input_ids"], content, strict=True)
        ]
        if not self.tokenizer.is_fast:
            return repr(text[:_SHOWN]) if any(unknown) else ""
        covered = [False] * len(text)
        spans: list[tuple[int, int]] = encoded["offset_mapping"]
        for (start, end), inside, lost in zip(spans, content, unknown, strict=True):
            if inside and not lost:
                covered[start:end] = [True] * (end - start)
        parts: dict[str, None] = {}
        for is_covered, group in groupby(zip(text, covered, strict=True), key=lambda pair: pair[1]):
            if not is_covered:
                parts["".join(character for character, _ in group)[:_SHOWN]] = None
        return ", ".join(map(repr, parts))


def written(mol: Chem.Mol, representation: Representation) -> str:
    """Returns the canonical SMILES of a molecule, or the SELFIES of that SMILES.

    Raises:
        UnreadableError: SELFIES cannot express the molecule.
    """
    smiles = chem.canonical_smiles(mol)
    if representation == "smiles":
        return smiles
    import selfies

    try:
        text = selfies.encoder(smiles)
    except selfies.EncoderError as error:
        reason = next(line for line in str(error).splitlines() if line.strip()).strip()
        raise UnreadableError(f"SELFIES cannot express it: {reason}") from error
    if not text:
        raise UnreadableError("SELFIES cannot express it")
    return text


def _split(encoded: Any) -> tuple[list[int], list[bool]]:
    return encoded["input_ids"], [not special for special in encoded["special_tokens_mask"]]


def token_limit(model: nn.Module, config: Any, tokenizer: Any) -> int | None:
    """Returns how many tokens a model can take, special ones included; None for any number."""
    limits: list[int] = []
    offset = 0
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            # RoBERTa and its kin count positions from the one after that of padding.
            offset = 0 if module.padding_idx is None else module.padding_idx + 1
    positions = getattr(config, "max_position_embeddings", None)
    if positions is not None:
        limits.append(int(positions) - offset)
    if tokenizer.model_max_length < _UNLIMITED:
        limits.append(int(tokenizer.model_max_length))
    return min(limits, default=None)


def check_max_length(max_length: int | None, limit: int | None, model: object) -> None:
    """Checks the number of tokens that a user limits items to.

    Raises:
        ConfigError: the model, shown as `model`, takes fewer.
    """
    if max_length is not None and limit is not None and max_length > limit:
        raise ConfigError(f"max_length={max_length} is more than the {limit} tokens of {model}")
