"""Encoders of texts in the format of sentence-transformers or plain Hugging Face, as teachers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar

import numpy.typing as npt
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor

from molkd.errors import ConfigError, UnknownNameError
from molkd.hub import checkpoints
from molkd.hub.checkpoints import Checkpoint
from molkd.runtime import devices
from molkd.runtime.registry import near
from molkd.teachers.base import layers
from molkd.teachers.base.items import TextTeacher
from molkd.teachers.hub.base import HubModel, HubTeacher, Origin, origin_of
from molkd.teachers.hub.hidden import check_layer
from molkd.teachers.hub.known import KNOWN, KnownModel
from molkd.teachers.hub.modules_json import (
    MODES,
    SMALL,
    Layout,
    Mode,
    Pool,
    UnitNorm,
    read_layout,
    usual_pool,
)
from molkd.teachers.hub.post_modules import Step, load_steps
from molkd.teachers.hub.token_batches import embed_by_length
from molkd.teachers.hub.token_encoders import (
    TokenEncoder,
    load_static,
    load_transformer,
    static_vectors,
)
from molkd.teachers.hub.tokens import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class _TextModel(HubModel):
    """What turns texts into rows, and what follows."""

    encoder: TokenEncoder
    steps: list[Step]


class SentenceEncoder(HubTeacher[_TextModel], TextTeacher):
    """An encoder whose own files say how it reads, pools and normalises.

    It gives what `SentenceTransformer(model).encode` gives (to 1e-5), in single precision and
    without that library. Modules: Transformer, Pooling, Dense, Normalize and StaticEmbedding.
    A plain encoder without `modules.json` is pooled by the mean of all its tokens, special ones
    included; one saved as "...ForCausalLM" by its last token. Texts are sorted by length, padded
    on the right and masked, so that neither batch nor padding changes a row (to 1e-5).

    A text with more tokens than the model can take loses its end, and `shortened` counts it.

    Attributes:
        prompt: name of one of the model's prompts, put before every text; None is the model's
            default, mostly none.
        prefix: text to put before every text in place of a prompt.
        pooling: one of `modules_json.MODES`; None is what the model says.
        max_length: tokens, special ones included, to which a text is shortened; None is the
            model's limit.
        normalize: whether rows get length one at the end; None is what the model says.
        name: as for every `HubTeacher`. One of `known.KNOWN` brings source and licence along, for
            a copy of that model in a directory.
        layer: as for every `HubTeacher`; linear layers behind the pooling, which were made for the
            last states, are then left out.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **HubTeacher._parameter_constraints,  # noqa: SLF001
        "prompt": [str, None],
        "prefix": [str, None],
        "pooling": [StrOptions(set(MODES)), None],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "normalize": [bool, None],
    }
    _kind = "text encoder"
    _modality = "texts"
    _limits = "a text with more tokens than its limit loses its end; it counts how many did"
    _options = ("prompt", "prefix", "pooling", "max_length", "normalize")
    _packages = ("transformers", "tokenizers")
    _small = SMALL
    _shortened = 0

    def __init__(  # noqa: PLR0913 - scikit-learn's parameters
        self,
        model: str,
        *,
        prompt: str | None = None,
        prefix: str | None = None,
        pooling: Mode | None = None,
        max_length: int | None = None,
        normalize: bool | None = None,
        layer: int | None = None,
        revision: str | None = None,
        name: str | None = None,
        license: str | None = None,  # noqa: A002 - the card's word
        device: str = "cpu",
        batch_size: int = 64,
    ) -> None:
        self.model = model
        self.prompt = prompt
        self.prefix = prefix
        self.pooling: Mode | None = pooling
        self.max_length = max_length
        self.normalize = normalize
        self.layer = layer
        self.revision = revision
        self.name = name
        self.license = license
        self.device = device
        self.batch_size = batch_size

    @property
    def shortened(self) -> int:
        """How many texts lost their end since this object was made; copies begin at zero."""
        return self._shortened

    def __getstate__(self) -> dict[str, Any]:
        """Parameters only."""
        return {key: value for key, value in super().__getstate__().items() if key != "_shortened"}

    @property
    def _facts(self) -> KnownModel | None:
        copied = KNOWN.get(self.name or "")
        return super()._facts or (copied if copied and copied.modality == "texts" else None)

    def _describe(self, checkpoint: Checkpoint) -> Origin:
        layout = self._layout(checkpoint.folder)
        if layout.static:  # only the weights themselves say how wide they are
            checkpoint = self._with_weights(checkpoint, layout)
        return self._origin_of(checkpoint, layout)

    def _layout(self, folder: Path) -> Layout:
        layout = read_layout(folder)
        if self.layer is None:
            return layout
        if layout.static:
            raise ConfigError(
                f"{self.model} is a table of token vectors, which has no layers: leave "
                f"{layers.SUFFIX}{self.layer} away"
            )
        kept = tuple(stage for stage in layout.stages if isinstance(stage, UnitNorm))
        return replace(layout, stages=kept)

    def _origin_of(self, checkpoint: Checkpoint, layout: Layout) -> Origin:
        folder = checkpoint.folder / layout.body
        if layout.static:
            dim = layout.width(static_vectors(folder).shape[1], 1)
        else:
            config = checkpoints.read_config(Checkpoint(folder, checkpoint.commit))
            check_layer(self.layer, config, self.model)
            dim = layout.width(int(config.hidden_size), len(self._pool(layout, config).modes))
        return origin_of(checkpoint, dim, layout.patterns)

    def _with_weights(self, checkpoint: Checkpoint, layout: Layout) -> Checkpoint:
        revision = checkpoint.commit or self.revision
        return checkpoints.locate(self.model, revision, weights=True, also=layout.patterns)

    def _pool(self, layout: Layout, config: Any) -> Pool:
        pool = layout.pool or usual_pool(config)
        if self.pooling is None:
            return pool
        if self.pooling == "cls":
            self._check_cls(config, "lasttoken")
        return Pool((self.pooling,), pool.include_prompt)

    def _prefix(self, layout: Layout) -> str:
        if self.prefix is not None:
            if self.prompt is not None:
                raise ConfigError("give a prompt by name or a prefix as text, not both")
            return self.prefix
        if self.prompt is None:
            return layout.prompts.get(layout.default_prompt or "", "")
        if self.prompt not in layout.prompts:
            raise UnknownNameError(
                f"{self.model} has no prompt {self.prompt!r}.{near(self.prompt, layout.prompts)} "
                f"It has: {', '.join(map(repr, layout.prompts)) or 'none'}; prefix= takes any text"
            )
        return layout.prompts[self.prompt]

    def _load(self) -> _TextModel:
        small = self._locate(weights=False)
        layout = self._layout(small.folder)
        prefix = self._prefix(layout)
        if not layout.static:  # before large files are downloaded in vain
            checkpoints.read_config(Checkpoint(small.folder / layout.body, None))
        checkpoint = self._with_weights(small, layout)
        origin = self._checked(self._origin_of(checkpoint, layout))
        encoder = self._encoder(checkpoint, layout, prefix)
        stages = layout.ending(normalize=self.normalize)
        steps = load_steps(checkpoint.folder, stages, devices.choose(self.device))
        return _TextModel(origin=origin, encoder=encoder, steps=steps)

    def _encoder(self, checkpoint: Checkpoint, layout: Layout, prefix: str) -> TokenEncoder:
        folder = checkpoint.folder / layout.body
        max_length, device = self.max_length, self.device
        if layout.static:
            return load_static(folder, prefix=prefix, max_length=max_length, device=device)
        inner = Checkpoint(folder, checkpoint.commit)
        config = checkpoints.read_config(inner)
        return load_transformer(
            inner,
            config,
            layout,
            self._pool(layout, config),
            layer=self.layer,
            prefix=prefix,
            max_length=max_length,
            device=device,
        )

    def _compute(self, readable: list[str]) -> tuple[npt.NDArray[Any], Mapping[int, str]]:
        loaded = self._ready()
        split = loaded.encoder.split(readable)
        self._shortened += split.shortened

        def encode(batch: list[Tokens]) -> Tensor:
            rows = loaded.encoder.rows(batch)
            for step in loaded.steps:
                rows = step(rows)
            return rows

        shape = (len(readable), loaded.origin.dim)
        return embed_by_length(split.sequences, shape, self.batch_size, encode), split.reasons


def known_encoder(model: str) -> SentenceEncoder:
    """Makes a model of `known.KNOWN`, from the package that carries it where that is installed."""
    facts = KNOWN[model]
    folder = facts.installed()
    place = facts.hub if folder is None else str(folder)
    return SentenceEncoder(place, name=facts.name, **facts.options)
