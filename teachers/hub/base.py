"""What all models in the hub's format share: facts, origin, card, checks, and when they load."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from sklearn.utils._param_validation import Interval

from molkd.errors import ConfigError, WeightsError
from molkd.hub import checkpoints
from molkd.hub.checkpoints import Checkpoint
from molkd.teachers.base import layers
from molkd.teachers.base.card_facts import UNSTATED, kebab
from molkd.teachers.base.loading import LoadsOnce
from molkd.teachers.hub import known
from molkd.teachers.hub.known import KnownModel
from molkd.types import TeacherCard


@dataclass(frozen=True, slots=True)
class Origin:
    """What a card says of the weights.

    Attributes:
        dim: width of the embedding.
        revision: commit on the hub; None of a local directory.
        sha256: file -> checksum of a local directory; a commit fixes all files of the hub.
        options: options as the files of the model decide them.
    """

    dim: int
    revision: str | None
    sha256: Mapping[str, str] = field(default_factory=dict[str, str])
    options: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class HubModel:
    """What a teacher has loaded.

    Attributes:
        origin: of its weights.
    """

    origin: Origin


LoadedT = TypeVar("LoadedT", bound=HubModel)


class HubTeacher(LoadsOnce[LoadedT]):
    """A model in the format of the Hugging Face hub.

    The card of a local directory carries the checksums of its files. That of a hub model carries
    the commit, which fixes all of them; a branch is resolved to its commit before anything else.

    Attributes:
        model: local directory, or name on the hub.
        revision: commit, tag, branch or "refs/pr/N" on the hub; None is the one that molkd
            names for a model it knows, else the main branch.
        name: name on the card; None is derived from `model`.
        license: licence on the card; None is what molkd knows of the model.
        device: where torch computes, a name of `molkd.runtime.devices.choose`.
        batch_size: items per forward pass.
        layer: whose hidden states are pooled, as transformers counts them: from 0, what the first
            layer reads; None is the last one, as the model gives it.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "model": [str],
        "revision": [str, None],
        "name": [str, None],
        "license": [str, None],
        "device": [str],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "layer": [Interval(Integral, 0, None, closed="left"), None],
    }
    _kind: ClassVar[str]
    _modality: ClassVar[str]
    _limits: ClassVar[str]
    _options: ClassVar[tuple[str, ...]]
    """Parameters that decide the numbers and stand on the card."""
    _packages: ClassVar[tuple[str, ...]]
    """Packages whose version may change the numbers."""
    _small: ClassVar[tuple[str, ...]] = ()
    """Files that say what a model is, beside config.json."""

    model: str
    revision: str | None
    name: str | None
    license: str | None
    device: str
    batch_size: int
    layer: int | None

    @property
    def card(self) -> TeacherCard:
        """What the model is; asks the hub for small files at most, never for weights.

        Raises:
            InvalidParameterError: a parameter has another type or value than documented.
            ConfigError: the model has no such layer.
            WeightsError: neither a known model nor one whose small files can be had.
        """
        self._validate_params()
        origin, facts = self._origin(), self._facts
        local = Path(self.model).expanduser().is_dir()
        hub = self.model if facts else f"https://huggingface.co/{self.model}"
        place = "local directory" if local else hub
        card = TeacherCard(
            name=self.name or (facts.name if facts else kebab(Path(self.model).name)),
            kind=self._kind,
            modality=self._modality,
            dim=origin.dim,
            support="real",
            source=f"{facts.source}; {place}" if facts else place,
            license=self.license or (facts.license if facts else UNSTATED),
            limits=self._limits,
            sha256=origin.sha256,
            options={
                **{option: getattr(self, option) for option in self._options},
                **origin.options,
                "revision": origin.revision,
            },
            versions={package: version(package) for package in self._packages},
        )
        return layers.card_of(card, self.layer)

    @abstractmethod
    def _describe(self, checkpoint: Checkpoint) -> Origin:
        """Reads width and options of a model from its small files."""

    @property
    def _facts(self) -> KnownModel | None:
        """What molkd knows of the model."""
        return known.at_hub(self.model, self._modality)

    @property
    def _known_dim(self) -> int | None:
        """The width that molkd knows of the model as it is read and pooled here."""
        return self._facts.dim if self._facts else None

    @property
    def _revision(self) -> str | None:
        at_hub = known.at_hub(self.model, self._modality)
        return self.revision or (at_hub.revision if at_hub else None)

    def _origin(self) -> Origin:
        loaded = self._current()
        if loaded is not None:
            return loaded.origin
        at_hub = known.at_hub(self.model, self._modality)
        dim = self._known_dim if at_hub else None
        if dim is not None and checkpoints.is_commit(self._revision):
            return Origin(dim, self._revision)
        try:
            checkpoint = self._locate(weights=False)
        except WeightsError:
            if dim is None:
                raise
            return Origin(dim, self._revision)
        return self._describe(checkpoint)

    def _locate(self, *, weights: bool) -> Checkpoint:
        return checkpoints.locate(self.model, self._revision, weights=weights, also=self._small)

    def _checked(self, origin: Origin) -> Origin:
        """Returns the origin of a model that is being loaded.

        Raises:
            WeightsError: it has another width than the model that molkd knows by this name.
        """
        facts, dim = self._facts, self._known_dim
        if facts is not None and dim is not None and dim != origin.dim:
            raise WeightsError(
                f"{self.model} has {origin.dim} dimensions, {dim} were expected: it is not the "
                f"model that molkd knows as {facts.name!r}; give the revision you mean"
            )
        return origin

    def _check_cls(self, config: Any, last: str) -> None:
        if checkpoints.is_causal(config):
            raise ConfigError(
                "pooling='cls': the first token of a decoder sees none of the rest; "
                f"use 'mean' or {last!r} for {self.model}"
            )


def origin_of(
    checkpoint: Checkpoint,
    dim: int,
    files: tuple[str, ...] = checkpoints.FILES,
    options: Mapping[str, object] | None = None,
) -> Origin:
    """Returns the origin of a model, by its commit or by the checksums of its files.

    Args:
        checkpoint: the model.
        dim: width of the embedding.
        files: patterns of the files that decide its numbers.
        options: as the files decide them.
    """
    local = checkpoint.commit is None
    sha256 = checkpoints.checksums(checkpoint.folder, files) if local else {}
    return Origin(dim, checkpoint.commit, sha256, options or {})
