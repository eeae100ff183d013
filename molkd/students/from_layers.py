"""Starting a text student from a model: its tokenizer, its token vectors and some of its layers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from molkd.errors import ConfigError
from molkd.students.text_encoder import TextStudent

_LAYER = re.compile(r"encoder\.layer\.(\d+)\.")


def from_layers(
    model: str,
    *,
    layers: tuple[int, ...] | int | None,
    embedding_dim: int | None,
    max_length: int,
    dropout: float,
    expected: Mapping[str, int | None],
) -> TextStudent:
    """Builds a student from a subset of a model's layers.

    Args:
        model: folder, or name on the hub, of a BERT-type encoder.
        layers: those to take, from 0, or how many, evenly spaced; None takes half of them.
        embedding_dim: width of the embedding; None takes that of the model.
        max_length: tokens at which a text is cut.
        dropout: in [0, 1).
        expected: "hidden" and "heads" -> what the model's must be; None is content with any.

    Raises:
        ConfigError: sizes are given that differ from the model's, or there is no such layer.
        WeightsError: the model is missing or cannot be loaded.
    """
    from molkd.hub import checkpoints, inputs

    checkpoint = checkpoints.locate(model, None, weights=True)
    config = checkpoints.read_config(checkpoint)
    if config.model_type not in TextStudent.bodies:
        raise ConfigError(
            f"a student starts from a model of type {', '.join(TextStudent.bodies)}; {model} is "
            f"of type {config.model_type!r}"
        )
    _refuse_other_sizes(model, config, expected)
    chosen = _chosen(config.num_hidden_layers, layers)
    body = {**config.to_diff_dict(), "num_hidden_layers": len(chosen)}
    body["max_position_embeddings"] = min(max_length, config.max_position_embeddings)
    for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
        body[name] = dropout
    dim = embedding_dim or config.hidden_size
    tokenizer = inputs.load_tokenizer(checkpoint, config).backend_tokenizer.to_str()
    student = TextStudent.fresh({"body": body, "embedding_dim": dim}, tokenizer)
    weights = checkpoints.load_model(checkpoint, config, "cpu").state_dict()
    student.body.load_state_dict(_kept(weights, chosen, body["max_position_embeddings"]))
    return student


def _refuse_other_sizes(model: str, config: Any, expected: Mapping[str, int | None]) -> None:
    for name, there in (("hidden", "hidden_size"), ("heads", "num_attention_heads")):
        size, has = expected[name], getattr(config, there)
        if size not in {None, has}:
            raise ConfigError(f"student.{name} is {size}, but {model} has {has}: leave it out")


def _chosen(count: int, layers: tuple[int, ...] | int | None) -> list[int]:
    """The layers to take, evenly spaced where they are not named; always the last one."""
    if isinstance(layers, tuple):
        wrong = [layer for layer in layers if not 0 <= layer < count]
        if wrong or not layers:
            raise ConfigError(
                f"student.init_layers: the model has layers 0 to {count - 1}, not {wrong or 'none'}"
            )
        return list(layers)
    number = min(layers or max(count // 2, 1), count)
    return np.linspace(count - 1, 0, number).round().astype(int)[::-1].tolist()


def _kept(weights: dict[str, Tensor], chosen: list[int], positions: int) -> dict[str, Tensor]:
    """The weights of the chosen layers under their new numbers, and those before the layers."""
    places = {layer: place for place, layer in enumerate(chosen)}
    state: dict[str, Tensor] = {}
    for name, value in weights.items():
        match = _LAYER.search(name)
        if name.startswith("pooler."):
            continue
        if match is None:
            cut = "position_embeddings" in name
            state[name] = value[:positions].clone() if cut else value
        elif int(match[1]) in places:
            state[_LAYER.sub(f"encoder.layer.{places[int(match[1])]}.", name)] = value
    return state
