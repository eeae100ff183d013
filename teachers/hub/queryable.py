"""Queries to transformers: a token without a position that sees all others and is seen by none.

It joins before one of the blocks through hooks that are gone when the answer is there, and leaves
after the last block, so that whatever follows sees the molecule's tokens only.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import torch
from torch import Tensor, nn

from molkd.errors import ConfigError
from molkd.hub.checkpoints import mask_of
from molkd.teachers.base.queryable import QueryableNetwork, Read, entry_layer
from molkd.teachers.hub.token_batches import Pooling, TokenBatch, pooled
from molkd.teachers.hub.tokens import Reader, Tokens, UnreadableError


@dataclass(frozen=True, slots=True)
class Family:
    """Where the parts of a kind of transformer are.

    Attributes:
        blocks: name of the list of its blocks.
        norm: name of what follows the last block; "" for nothing.
        causal: whether a token sees only those before it.
        lowest: first block before which a token may join; T5 computes the relative positions of
            all tokens, which a query does not have, in its first one.
    """

    blocks: str
    norm: str = ""
    causal: bool = False
    lowest: int = 0


FAMILIES: Final[Mapping[str, Family]] = {
    "bert": Family("encoder.layer"),
    "roberta": Family("encoder.layer"),
    "electra": Family("encoder.layer"),
    "distilbert": Family("transformer.layer"),
    "t5": Family("block", "final_layer_norm", lowest=1),
    "gpt2": Family("h", "ln_f", causal=True),
}
"""Model type -> family. Others turn positions into the attention itself, or limit its reach."""

_ATTENTION = ("sdpa", "eager")
"""Implementations of attention that take any mask."""


class QueryableTransformer(QueryableNetwork[TokenBatch]):
    """A transformer that answers queries."""

    def __init__(
        self,
        name: str,
        model: nn.Module,
        reader: Reader,
        read: Read,
        *,
        pad: int,
        pooling: Pooling,
        layer: int | None = None,
    ) -> None:
        """Takes a model that is frozen.

        Args:
            name: of the teacher.
            model: in evaluation mode, without gradients.
            reader: turns molecules into tokens.
            read: reads items into molecules.
            pad: token that stands where there is none.
            pooling: of the ordinary embedding.
            layer: block before which the query enters, from 0; None is the middle.

        Raises:
            ConfigError: a kind of model that cannot take a query, or no such block.
        """
        config: Any = model.config
        self._family = _family(name, config)
        self._blocks = list(cast("nn.ModuleList", model.get_submodule(self._family.blocks)))
        where = entry_layer(layer, len(self._blocks), lowest=self._family.lowest, who=name)
        width = int(config.hidden_size)
        device = next(model.parameters()).device
        super().__init__(name, dim=width, query_dim=width, device=device, layer=where)
        self._model = model
        self._reader = reader
        self._read = read
        self._pad = pad
        self._pooling: Pooling = pooling

    def collate(self, items: Sequence[str]) -> TokenBatch:
        """Reads items into tokens; see `molkd.tensors.QueryableTeacher`."""
        mols, rows, _ = self._read(items)
        present = torch.zeros(len(items), dtype=torch.bool)
        sequences: list[Tokens] = []
        for row, mol in zip(rows, mols, strict=True):
            with contextlib.suppress(UnreadableError):
                sequences.append(self._reader.read(mol))
                present[row] = True
        return TokenBatch.of(sequences, self._pad, present)

    def _embed(self, batch: TokenBatch) -> Tensor:
        output = self._model(input_ids=batch.ids, attention_mask=batch.mask)
        return pooled(output.last_hidden_state, batch.mask, batch.content, self._pooling)

    def _ask(self, batch: TokenBatch, query: Tensor) -> Tensor:
        mask = mask_of(self._model.config, _joined(batch.mask), query, self._rule(batch))
        with _guest(self._blocks, self.layer, query, mask) as left:
            self._model(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False)
        state = left[0]
        norm = self._family.norm
        return self._model.get_submodule(norm)(state) if norm else state

    def _rule(self, batch: TokenBatch) -> Any:
        last, causal = batch.ids.shape[1], self._family.causal

        def sees(_batch: Tensor, _head: Tensor, query: Tensor, key: Tensor) -> Tensor:
            among = key <= query if causal else key < last
            return among | (query == last)

        return sees


def _joined(mask: Tensor) -> Tensor:
    return torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)


@contextlib.contextmanager
def _guest(
    blocks: Sequence[nn.Module], layer: int, query: Tensor, mask: Tensor
) -> Generator[list[Tensor]]:
    """Adds a token before a block and takes it away after the last one.

    Args:
        blocks: all of the model.
        layer: the first one that the token passes through.
        query: shape (b, d), its state.
        mask: what tokens see from then on, as the model's attention takes it.

    Yields:
        A list that holds the token's last state, shape (b, d), once the model has run.
    """
    left: list[Tensor] = []

    def enter(block: nn.Module, args: Any, kwargs: Any) -> tuple[Any, Any]:
        call = inspect.signature(block.forward).bind(*args, **kwargs)
        inputs = call.arguments
        if block is blocks[layer]:
            inputs["hidden_states"] = torch.cat([inputs["hidden_states"], query[:, None]], dim=1)
        inputs["attention_mask"] = mask
        bias = inputs.get("position_bias")
        if bias is not None and bias.shape[-1] < inputs["hidden_states"].shape[1]:
            inputs["position_bias"] = nn.functional.pad(bias, (0, 1, 0, 1))
        return call.args, call.kwargs

    def leave(_block: nn.Module, _args: Any, output: Any) -> Any:
        hidden = output if isinstance(output, Tensor) else output[0]
        left.append(hidden[:, -1])
        rest = hidden[:, :-1]
        return rest if isinstance(output, Tensor) else (rest, *output[1:])

    with contextlib.ExitStack() as hooks:
        for block in blocks[layer:]:
            handle = block.register_forward_pre_hook(enter, with_kwargs=True)
            hooks.callback(handle.remove)
        hooks.callback(blocks[-1].register_forward_hook(leave).remove)
        yield left


def _family(name: str, config: Any) -> Family:
    kind = str(config.model_type)
    family = FAMILIES.get(kind)
    if family is None:
        raise ConfigError(
            f"teacher {name!r} is a model of type {kind!r}, which cannot answer queries; those "
            f"of type {', '.join(FAMILIES)} can. Without queries it is a teacher like any other"
        )
    if getattr(config, "is_decoder", False) and not family.causal:
        raise ConfigError(f"teacher {name!r} is a {kind} decoder; only encoders answer queries")
    attention = str(config._attn_implementation)  # noqa: SLF001 - no public name for it
    if attention not in _ATTENTION:
        raise ConfigError(
            f"teacher {name!r} runs {attention!r} attention, which takes no mask of its own; use "
            f"one of {', '.join(_ATTENTION)}"
        )
    return family
