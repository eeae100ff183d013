"""The hidden states of a transformer: those of its last layer, or of another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from torch import Tensor, nn

from molkd.errors import ConfigError
from molkd.teachers.base import layers


def hidden_states(model: nn.Module, layer: int | None, inputs: Mapping[str, Tensor]) -> Tensor:
    """Returns the states of the places that a model reads; shape (b, t, d).

    Args:
        model: of transformers, without heads.
        layer: as `hidden_states` of transformers counts them: 0 is what the first layer reads. None
            is what the model calls its last states, behind its last normalisation.
        inputs: what the model reads, by its own names.
    """
    if layer is None:
        return cast("Tensor", model(**inputs).last_hidden_state)
    return cast("Tensor", model(**inputs, output_hidden_states=True).hidden_states[layer])


def check_layer(layer: int | None, config: Any, who: str) -> None:
    """Refuses a layer that a model does not have, or that is not as wide as its embedding.

    Raises:
        ConfigError: says which layers it has.
    """
    if layer is None:
        return
    last = getattr(config, "num_hidden_layers", None)
    if not isinstance(last, int) or getattr(config, "hidden_sizes", None) or _stages(config):
        raise ConfigError(
            f"{who} is of type {config.model_type!r}, whose layers differ in width: leave "
            f"{layers.SUFFIX}{layer} away"
        )
    layers.check(layer, last, who)


def _stages(config: Any) -> bool:
    return getattr(config, "depths", None) is not None
