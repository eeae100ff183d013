"""Encoders of texts in the format of sentence-transformers or plain Hugging Face, as teachers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from sklearn.utils._param_validation import Interval, StrOptions

from molkd.errors import ConfigError, UnknownNameError, WeightsError
from molkd.hub import checkpoints
from molkd.runtime.registry import near
from molkd.teachers.base.items import TextTeacher
from molkd.teachers.base.provenance import Origin, stated
from molkd.teachers.hub.known_texts import BY_HUB, NAMED, TextModel
from molkd.teachers.hub.modules_json import (
    MODES,
    SMALL,
    Layout,
    Mode,
    Pool,
    read_layout,
    usual_pool,
)
from molkd.teachers.hub.post_modules import Step, load_steps
from molkd.teachers.hub.token_encoders import Body, load_static, load_transformer, static_vectors
from molkd.types import TeacherCard


@dataclass(frozen=True, slots=True)
class _Ready:
    """A loaded encoder, and the parameters it was loaded for."""

    key: tuple[object, ...]
    body: Body
    steps: list[Step]
    origin: Origin


class SentenceEncoder(TextTeacher):
    """An encoder whose own files say how it reads, pools and normalises.

    It gives what `SentenceTransformer(model).encode` gives (to 1e-5), in single precision and
    without that library. Modules: Transformer, Pooling, Dense, Normalize and StaticEmbedding.
    A plain encoder without `modules.json` is pooled by the mean of all its tokens, special ones
    included; one saved as "...ForCausalLM" by its last token. Texts are sorted by length, padded
    on the right and masked, so that neither batch nor padding changes a row (to 1e-5).

    A text with more tokens than the model can take loses its end, and `truncated` counts it.

    The card of a local directory carries the checksums of its files. That of a hub model carries
    the commit, which fixes all of them; a branch is resolved to its commit before anything else.

    Attributes:
        model: local directory, or name on the hub.
        prompt: name of one of the model's prompts, put before every text; None is the model's
            default, mostly none.
        prefix: text to put before every text in place of a prompt.
        pooling: one of `layout.MODES`; None is what the model says.
        max_length: tokens, special ones included, to which a text is cut; None is the model's
            limit.
        normalize: whether rows get length one at the end; None is what the model says.
        revision: commit, tag, branch or "refs/pr/N" on the hub; None is the one that molkd
            names for a model it knows, else the main branch.
        name: name on the card; None is derived from `model`. One of `named.NAMED` brings source
            and licence along, for a copy of that model in a directory.
        license: licence on the card; None is what molkd knows of the model.
        device: where torch computes.
        batch_size: texts per forward pass.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "model": [str],
        "prompt": [str, None],
        "prefix": [str, None],
        "pooling": [StrOptions(set(MODES)), None],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "normalize": [bool, None],
        "revision": [str, None],
        "name": [str, None],
        "license": [str, None],
        "device": [str],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
    }
    _loaded: _Ready | None = None
    _truncated = 0

    def __init__(  # noqa: PLR0913 - scikit-learn's parameters
        self,
        model: str,
        *,
        prompt: str | None = None,
        prefix: str | None = None,
        pooling: Mode | None = None,
        max_length: int | None = None,
        normalize: bool | None = None,
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
        self.revision = revision
        self.name = name
        self.license = license
        self.device = device
        self.batch_size = batch_size

    @property
    def truncated(self) -> int:
        """How many texts lost their end since this object was made; copies begin at zero."""
        return self._truncated

    @property
    def card(self) -> TeacherCard:
        """What the model is; asks the hub for small files at most, never for weights.

        Raises:
            WeightsError: neither a known model nor one whose small files can be had.
        """
        origin = self._origin()
        options = ("prompt", "prefix", "pooling", "max_length", "normalize")
        return TeacherCard(
            **stated(self.model, self._known, name=self.name, license=self.license),
            kind="text encoder",
            modality="texts",
            dim=origin.dim,
            support="real",
            limits="a text with more tokens than its limit loses its end; it counts how many did",
            sha256=origin.sha256,
            options={
                **{option: getattr(self, option) for option in options},
                "revision": origin.revision,
            },
            versions={package: version(package) for package in ("transformers", "tokenizers")},
        )

    def __getstate__(self) -> dict[str, Any]:
        """Parameters only."""
        return {key: value for key, value in super().__getstate__().items() if key != "_truncated"}

    @property
    def _known(self) -> TextModel | None:
        return BY_HUB.get(self.model) or NAMED.get(self.name or "")

    @property
    def _pinned(self) -> str | None:
        """The revision that is asked for."""
        known = BY_HUB.get(self.model)
        return self.revision or (known.revision if known else None)

    @property
    def _key(self) -> tuple[object, ...]:
        """The parameters that decide what is loaded."""
        reading = (self.prompt, self.prefix, self.pooling, self.max_length, self.normalize)
        return (self.model, self.revision, self.name, self.device, *reading)

    def _origin(self) -> Origin:
        if self._loaded is not None and self._loaded.key == self._key:
            return self._loaded.origin
        self._validate_params()
        at_hub = BY_HUB.get(self.model)
        if at_hub and checkpoints.is_commit(self._pinned):
            return Origin(at_hub.dim, self._pinned, {})
        try:
            checkpoint = checkpoints.locate(self.model, self._pinned, weights=False, also=SMALL)
        except WeightsError:
            if at_hub is None:
                raise
            return Origin(at_hub.dim, self._pinned, {})
        layout = read_layout(checkpoint.folder)
        if layout.static:
            checkpoint = self._with_weights(checkpoint, layout)
        return self._origin_of(checkpoint, layout)

    def _origin_of(self, checkpoint: checkpoints.Checkpoint, layout: Layout) -> Origin:
        body = checkpoints.Checkpoint(checkpoint.folder / layout.body, checkpoint.commit)
        if layout.static:
            dim = layout.width(static_vectors(body.folder).shape[1], 1)
        else:
            config = checkpoints.read_config(body)
            dim = layout.width(int(config.hidden_size), len(self._pool(layout, config).modes))
        return Origin.of(dim, checkpoint, layout.patterns)

    def _with_weights(
        self, checkpoint: checkpoints.Checkpoint, layout: Layout
    ) -> checkpoints.Checkpoint:
        revision = checkpoint.commit or self.revision
        return checkpoints.locate(self.model, revision, weights=True, also=layout.patterns)

    def _pool(self, layout: Layout, config: Any) -> Pool:
        said = layout.pool or usual_pool(config)
        if self.pooling is None:
            return said
        if self.pooling == "cls" and checkpoints.is_causal(config):
            raise ConfigError(
                "pooling='cls': the first token of a decoder sees none of the rest; "
                f"use 'mean' or 'lasttoken' for {self.model}"
            )
        return Pool((self.pooling,), said.include_prompt)

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

    def _load(self) -> _Ready:
        self._validate_params()
        known = self._known
        small = checkpoints.locate(self.model, self._pinned, weights=False, also=SMALL)
        layout = read_layout(small.folder)
        prefix = self._prefix(layout)
        if not layout.static:
            checkpoints.read_config(checkpoints.Checkpoint(small.folder / layout.body, None))
        checkpoint = self._with_weights(small, layout)
        origin = self._origin_of(checkpoint, layout)
        if known is not None and known.dim != origin.dim:
            raise WeightsError(
                f"{self.model} has {origin.dim} dimensions, {known.dim} were expected: it is not "
                f"the model that molkd knows as {known.name!r}; give the revision you mean"
            )
        body = self._body(checkpoint, layout, prefix)
        device = checkpoints.device_of(self.device)
        steps = load_steps(checkpoint.folder, layout.ending(normalize=self.normalize), device)
        return _Ready(self._key, body, steps, origin)

    def _body(self, checkpoint: checkpoints.Checkpoint, layout: Layout, prefix: str) -> Body:
        folder = checkpoint.folder / layout.body
        reading: dict[str, Any] = {
            "prefix": prefix,
            "max_length": self.max_length,
            "device": self.device,
        }
        if layout.static:
            return load_static(folder, **reading)
        body = checkpoints.Checkpoint(folder, checkpoint.commit)
        config = checkpoints.read_config(body)
        return load_transformer(body, config, layout, self._pool(layout, config), **reading)

    def _compute(self, readable: list[str]) -> tuple[npt.NDArray[Any], Mapping[int, str]]:
        if self._loaded is None or self._loaded.key != self._key:
            self._loaded = self._load()
        ready = self._loaded
        split = ready.body.split(readable)
        self._truncated += split.cut
        values = np.full((len(readable), ready.origin.dim), np.nan, dtype=np.float32)
        order = sorted(split.sequences, key=lambda row: len(split.sequences[row].ids))
        with torch.inference_mode():
            for start in range(0, len(order), self.batch_size):
                rows = order[start : start + self.batch_size]
                embedded = ready.body.rows([split.sequences[row] for row in rows])
                for step in ready.steps:
                    embedded = step(embedded)
                values[rows] = embedded.cpu().numpy()
        return values, split.reasons
