"""Students around a transformer of the library transformers, built from a configuration.

A folder of such a student is also one of that library: `AutoModel.from_pretrained` loads the body,
whose pooled states the projection turns into the embedding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from molkd.errors import ConfigError
from molkd.students import projection
from molkd.students.base import BatchT, Item, PackedT, Student
from molkd.students.config_gine import MOST_LAYERS
from molkd.tensors import FeatureSpec


def _refuse_impossible(about: Mapping[str, Any]) -> None:
    """Refuses what transformers would build for hours, or fail on when it embeds."""
    depths = about.get("depths", about.get("num_hidden_layers", 1))
    if sum(depths if isinstance(depths, list) else [depths]) > MOST_LAYERS:
        raise ConfigError(f"a body of {depths} layers is damaged: at most {MOST_LAYERS} are built")
    for name, value in about.items():
        if name.endswith(("dropout_prob", "drop_path_rate")) and not 0 <= value < 1:
            raise ConfigError(f"{name} of the body must lie in [0, 1), not {value!r}")
        counts = value if isinstance(value, list) else [value]
        if name.startswith("num_") and not all(count >= 1 for count in counts):
            raise ConfigError(f"{name} of the body must be at least 1, not {value!r}")


class TransformerStudent(Student[Item, PackedT, BatchT]):
    """A body, pooled, and a linear projection.

    Attributes:
        bodies: type of model, in transformers' words -> what its class is given beside its
            configuration.
    """

    bodies: ClassVar[Mapping[str, Mapping[str, Any]]]

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        from transformers import CONFIG_MAPPING, AutoModel

        self._config = dict(config)
        about = dict(config["body"])
        kind = about.pop("model_type")
        if kind not in self.bodies:
            names = ", ".join(self.bodies)
            raise ConfigError(f"the body of a {self.kind} student is one of {names}, not {kind!r}")
        _refuse_impossible(about)
        self.body_config = CONFIG_MAPPING[kind](**about)
        body = AutoModel.from_config(self.body_config, **self.bodies[kind])
        self._prefix = body.base_model_prefix  # so that AutoModel finds the weights of its part
        self.add_module(self._prefix, body)
        self.project = projection.Projection(self.pooled_width, config["embedding_dim"])

    @property
    def body(self) -> nn.Module:
        """The transformer."""
        return self.get_submodule(self._prefix)

    @property
    def pooled_width(self) -> int:
        """Width of the body's pooled state."""
        return self.widths[-1]

    @property
    def widths(self) -> tuple[int, ...]:
        """Width of each layer's state."""
        return (self.body_config.hidden_size,) * self.body_config.num_hidden_layers

    @property
    def config(self) -> Mapping[str, object]:
        """The body's configuration in transformers' words, and the width of the embedding."""
        return self._config

    @classmethod
    def build(cls, config: Mapping[str, Any]) -> Self:
        """Builds a network from such a configuration, with fresh weights."""
        return cls(config)

    @property
    def embedding_dim(self) -> int:
        """Width of the embedding."""
        return self.project.out_features

    @property
    def feature_spec(self) -> FeatureSpec:
        """The widths of embedding and layers."""
        return FeatureSpec(self.embedding_dim, self.widths)

    @property
    def last_layers(self) -> tuple[nn.Linear]:
        """See `Student`."""
        return (self.project,)

    def truncate(self, length: int) -> Self:
        """See `Student`."""
        return projection.truncate(self, length, {**self._config, "embedding_dim": length})

    @property
    def hub_config(self) -> Mapping[str, Any]:
        """What transformers reads from config.json."""
        about = self.body_config.to_diff_dict()
        about.pop("transformers_version", None)
        return {**about, "architectures": [type(self.body).__name__]}

    def _states(self, **inputs: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The last state, and the states after each layer, of the body."""
        output = self.body(**inputs, output_hidden_states=True)
        return output.last_hidden_state, output.hidden_states[-len(self.widths) :]
