"""Objectives with one head, or ladder, per teacher and one loss per teacher and row.

Mutual information, the regressions and UNIC differ in that loss and in what they set by default;
everything else is theirs in common: dropping, weights, Matryoshka dimensions, relations, parts of
items.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from molkd.errors import ConfigError
from molkd.objectives.base import Objective, key
from molkd.objectives.dropping import TeacherDropping
from molkd.objectives.ladder import Ladder
from molkd.objectives.relational import relational
from molkd.objectives.settings import HeadwiseSettings, ObjectiveSettings
from molkd.tensors import Features, FeatureSpec, Loss, Targets, TargetSpec

NODES = "/parts"
"""What a head that predicts the parts of an item is called, after its teacher."""


class HeadwiseObjective(Objective):
    """A loss per teacher and row, from what the teacher's ladder predicts.

    Attributes:
        head_specs: head -> form of what it predicts; a head is called like its teacher, or, where
            it predicts the parts of an item, like the teacher and `NODES`.
    """

    settings_type: ClassVar[type[ObjectiveSettings]] = HeadwiseSettings
    settings: HeadwiseSettings  # pyright: ignore[reportIncompatibleVariableOverride]
    weights: Tensor

    def __init__(
        self,
        features: FeatureSpec,
        specs: Mapping[str, TargetSpec],
        settings: ObjectiveSettings | None = None,
    ) -> None:
        """Builds the heads; see `Objective`."""
        super().__init__(features, specs, settings)
        _check(self.settings, features)
        self.head_specs = dict(self.specs)
        if self.settings.nodes:
            self.head_specs |= _node_specs(self.specs)
        self.reads_nodes = len(self.head_specs) > len(self.specs)
        self.reads_layers = bool(self.settings.ladder)
        self.heads = nn.ModuleDict({key(h): self._head(h, features) for h in self.head_specs})
        self.dropping = TeacherDropping(
            list(self.specs), self.settings.teacher_drop_prob, self.settings.drop_by
        )
        weights = torch.tensor([spec.weight for spec in self.specs.values()])
        self.register_buffer("weights", weights / weights.mean(), persistent=False)

    def forward(self, features: Features, targets: Targets) -> Loss:
        """Compares a batch with its teachers; see `Objective` and `HeadwiseSettings.average`.

        The parts are those of the whole embedding, whatever its first dimensions say.
        """
        targets = replace(targets, values=self.clean(targets))
        present = torch.stack([targets.present[name] for name in self.specs])
        whole = self.row_losses(features, targets)
        views = [whole, *(self.row_losses(_cut(features, k), targets) for k in self._lengths())]
        losses = torch.stack(views).mean(dim=0)
        counted = self.dropping(losses.detach(), present)
        total = self._average(losses, counted)
        if self.settings.relational_weight:
            total = total + self.settings.relational_weight * self._relational(features, targets)
        return Loss(total, self._parts(whole.detach(), present), self._facts())

    def row_losses(self, features: Features, targets: Targets) -> Tensor:
        """Shape (teachers, b), float32: the loss of each row; zero where a teacher is missing."""
        rows = [self._teacher_losses(name, features, targets) for name in self.specs]
        return torch.stack(rows)

    def head(self, name: str) -> Ladder:
        """What predicts a teacher, or the parts of its items."""
        return cast("Ladder", self.heads[key(name)])

    def predict(self, head: str, features: Features) -> Tensor:
        """The raw outputs of a head, shape (b, outputs)."""
        return cast("Tensor", self.head(head)(features.embedding, features.layers))

    @abstractmethod
    def _outputs(self, head: str) -> int:
        """How many numbers a head gives."""

    def _skipped(self, head: str) -> int | None:  # noqa: ARG002
        """How many of the outputs a skip leads to; all of them where it is None."""
        return None

    @abstractmethod
    def _row_loss(self, head: str, outputs: Tensor, target: Tensor) -> Tensor:
        """Shape (m,), float32: the loss of each row, from outputs and targets (m, dim)."""

    def _head(self, head: str, features: FeatureSpec) -> Ladder:
        last = features.layers[-1] if head not in self.specs else features.embedding
        rungs = self.settings.rungs(features)
        return Ladder(
            last,
            features.layers,
            rungs,
            self._outputs(head),
            self.settings,
            skipped=self._skipped(head),
        )

    def _lengths(self) -> tuple[int, ...]:
        """The prefixes to look at: one while training, all in evaluation."""
        lengths = self.settings.matryoshka_dims
        if not (self.training and lengths):
            return lengths
        return (lengths[int(torch.randint(len(lengths), ()))],)

    def _teacher_losses(self, name: str, features: Features, targets: Targets) -> Tensor:
        rows = self._row_loss(name, self.predict(name, features), targets.values[name])
        if name + NODES in self.head_specs and name in targets.nodes:
            nodes, there = self._node_losses(name, features, targets.nodes[name])
            rows = torch.where(there, (rows + nodes) / 2, rows)
        return torch.where(targets.present[name], rows, 0.0)

    def _node_losses(self, name: str, features: Features, target: Tensor) -> tuple[Tensor, Tensor]:
        """Shape (b,) twice: the mean loss of a row's parts, and whether it has any.

        Averaged per row first, so that large items do not outweigh small ones.
        """
        nodes = features.nodes
        if nodes is None:
            raise ConfigError("the student was not asked for the states of its parts")
        there = torch.isfinite(target).all(dim=1)
        outputs = cast("Tensor", self.head(name + NODES)(nodes.layers[-1], nodes.layers))
        losses = self._row_loss(name + NODES, outputs, torch.where(there[:, None], target, 0.0))
        losses = torch.where(there, losses, 0.0)
        sums = losses.new_zeros(2, len(features.embedding))
        sums = sums.index_add(1, nodes.owner, torch.stack([losses, there.to(losses.dtype)]))
        return sums[0] / sums[1].clamp(min=1), sums[1] > 0

    def _relational(self, features: Features, targets: Targets) -> Tensor:
        terms = [
            weight * relational(features.embedding, targets.values[name], targets.present[name])
            for name, weight in zip(self.specs, self.weights, strict=True)
        ]
        return torch.stack(terms).mean()

    def _average(self, losses: Tensor, counted: Tensor) -> Tensor:
        """Shape (): the mean over what counts, see `Average`; zero where nothing does.

        Args:
            losses: shape (teachers, b), finite everywhere.
            counted: shape (teachers, b), bool.
        """
        share = counted * self.weights[:, None]
        if self.settings.average == "pairs":
            return (losses * share).sum() / self.over_batch(share.sum()).clamp(min=1e-12)
        if self.settings.average == "rows":
            share = share / share.sum(dim=0).clamp(min=1e-12) / losses.shape[1]
            return (losses * share).sum()
        rows = self.over_batch(counted.sum(dim=1))
        return ((losses * share).sum(dim=1) / torch.where(rows > 0, rows, 1)).mean()

    def _parts(self, losses: Tensor, present: Tensor) -> dict[str, Tensor]:
        count = self.over_batch(present.sum(dim=1))
        means = torch.where(count > 0, losses.sum(dim=1) / count, torch.nan)
        return dict(zip(self.specs, means, strict=True))

    def _facts(self) -> dict[str, Tensor]:
        """While teachers are dropped: the share of rows for which each is the hardest."""
        if not (self.training and self.settings.teacher_drop_prob):
            return {}
        shares = self.dropping.hardest.clone()
        return {f"hardest {n}": share for n, share in zip(self.specs, shares, strict=True)}


def _check(settings: HeadwiseSettings, features: FeatureSpec) -> None:
    for length in settings.matryoshka_dims:
        if not 0 < length < features.embedding:
            raise ConfigError(
                f"matryoshka_dims: {length} must be positive and shorter than the embedding, "
                f"which has {features.embedding} dimensions"
            )
    if settings.nodes and not features.layers:
        raise ConfigError("nodes = true needs a student that shows its layers")


def _node_specs(specs: Mapping[str, TargetSpec]) -> dict[str, TargetSpec]:
    return {
        name + NODES: TargetSpec(spec.nodes, "real", torch.zeros(spec.nodes))
        for name, spec in specs.items()
        if spec.nodes
    }


def _cut(features: Features, length: int) -> Features:
    """The features with all but the first dimensions of the embedding at zero."""
    leading = torch.arange(features.embedding.shape[1], device=features.embedding.device) < length
    return replace(features, embedding=torch.where(leading, features.embedding, 0.0))
