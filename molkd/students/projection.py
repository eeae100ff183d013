"""What students around a body from elsewhere share: their projection, and its files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self

from safetensors.torch import save
from torch import Tensor, nn

from molkd.errors import ConfigError

_MODULES = "sentence_transformers.models"


class Projection(nn.Linear):
    """The last layer of a student: from the pooled state to the embedding."""

    def truncate(self, length: int) -> dict[str, Tensor]:
        """Returns the weights of its first outputs.

        Raises:
            ConfigError: it has no more outputs than that.
        """
        if not 0 < length < self.out_features:
            raise ConfigError(
                f"an embedding of {self.out_features} dimensions cannot be truncated to {length}"
            )
        return {name: value[:length].clone() for name, value in self.state_dict().items()}


def truncate(student: Any, length: int, config: Mapping[str, Any]) -> Any:
    """Returns a student of another configuration with fewer outputs; see `Student.truncate`."""
    weights = student.project.truncate(length)
    state = dict(student.state_dict()) | {f"project.{name}": one for name, one in weights.items()}
    short = type(student).build(config).to(student.device)
    short.load_state_dict(state)
    return short.train(student.training)


class Modules:
    """The files by which the library sentence-transformers knows a chain of modules."""

    def __init__(self) -> None:
        self._list: list[dict[str, object]] = []
        self._files: dict[str, bytes] = {}

    def add(self, kind: str, folder: str, config: Mapping[str, object] | None = None) -> Self:
        """Appends a module that keeps its files in a folder ("" is the student's own)."""
        place = len(self._list)
        entry: dict[str, object] = {
            "idx": place,
            "name": str(place),
            "path": folder,
            "type": f"{_MODULES}.{kind}",
        }
        self._list.append(entry)
        if config is not None:
            self._files[f"{folder}/config.json"] = _json(config)
        return self

    def dense(self, folder: str, layer: nn.Linear, activation: type[nn.Module]) -> Self:
        """Appends a linear layer and what follows it."""
        config = {
            "in_features": layer.in_features,
            "out_features": layer.out_features,
            "bias": True,
            "activation_function": f"{activation.__module__}.{activation.__qualname__}",
        }
        weights = {"linear.weight": layer.weight, "linear.bias": layer.bias}
        self._files[f"{folder}/model.safetensors"] = save(
            {name: value.detach().contiguous().cpu() for name, value in weights.items()}
        )
        return self.add("Dense", folder, config)

    def file(self, name: str, content: Mapping[str, object]) -> Self:
        """Adds another JSON file."""
        self._files[name] = _json(content)
        return self

    @property
    def files(self) -> dict[str, bytes]:
        """All files by their path within the student's folder."""
        return {**self._files, "modules.json": _json(self._list)}


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=2) + "\n").encode()
