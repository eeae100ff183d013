"""DiverseDistill: queries to teachers, answers in the student's space, importance per item.

Source: "DiverseDistill" (arXiv 2402.14035, version 4). Only its abstract could be read: queries
conditioned on learnt teacher vectors, answers aligned to the student's space, importance per item
that filters teachers, everything but the student thrown away. Formulas are a reconstruction.

The paper has labels, molkd has none. Without them student and answers collapse together, and the
importance collapses onto the easiest teacher. So answers are anchored: what the other teachers
answer must predict a teacher (which trains the importance), and so must its own answer (which
keeps answers informative); no gradient of the student's loss reaches the answers, and none of the
anchors reaches the student, but for a direct anchor from its embedding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from molkd.errors import ConfigError
from molkd.objectives.base import Objective, key
from molkd.objectives.diverse.answers import (
    Attention,
    Gate,
    QueriedAnswer,
    Querying,
    chosen,
    importance,
    shared,
)
from molkd.objectives.diverse.settings import DiverseSettings
from molkd.objectives.settings import ObjectiveSettings
from molkd.tensors import (
    Features,
    FeatureSpec,
    Loss,
    QueryableTeacher,
    QueryableTeachers,
    QueryBatch,
    Targets,
    TargetSpec,
)

_MEMORY = 0.8
"""Of the threshold from batch to batch: short, since importance drifts while it is learnt."""


class Diverse(Objective):
    """Learns from what the teachers answer together, weighted by how relevant each is to an item.

    A teacher's part of the loss is the mean squared error with which the embedding predicts it.
    """

    unit: ClassVar[str] = "squared standard deviations"
    settings_type: ClassVar[type[ObjectiveSettings]] = DiverseSettings
    settings: DiverseSettings  # pyright: ignore[reportIncompatibleVariableOverride]
    threshold: Tensor

    def __init__(
        self,
        features: FeatureSpec,
        specs: Mapping[str, TargetSpec],
        settings: ObjectiveSettings | None = None,
        queryable: QueryableTeachers | None = None,
    ) -> None:
        """Builds queries, answers and anchors; see `Objective`."""
        super().__init__(features, specs, settings)
        s = self.settings
        s.check_teachers(list(self.specs))
        self._queryable = _among(queryable or {}, s.queried)
        if any(spec.weight != 1 for spec in specs.values()):
            raise ConfigError(
                "the objective 'diverse' learns how important teachers are for each item: give "
                'all the same weight (weights = "equal")'
            )
        self._layer = _layer(features, s.query_layer)
        self.reads_layers = True
        self.querying = Querying(
            features.layers[self._layer], len(specs), s.query_hidden, s.teacher_dim
        )
        self.answers = nn.ModuleDict()
        self.anchors = nn.ModuleDict()
        for name, spec in self.specs.items():
            self.answers[key(name)] = self._answering(name, spec.dim, features.embedding)
            self.anchors[key(name)] = nn.Linear(features.embedding, spec.dim)
        self.register_buffer("threshold", torch.zeros(()))

    @classmethod
    def build(
        cls,
        settings: ObjectiveSettings,
        features: FeatureSpec,
        specs: Mapping[str, TargetSpec],
        queryable: QueryableTeachers,
    ) -> Self:
        """Builds the objective around its queryable teachers."""
        return cls(features, specs, settings, queryable)

    def _answering(self, name: str, target: int, width: int) -> nn.Module:
        s = self.settings
        if name in self._queryable:
            return QueriedAnswer(s.query_hidden, self._queryable[name], width, s.query_hidden)
        sizes = (s.query_hidden, target, width, s.query_hidden)
        return Gate(*sizes) if s.answering == "gate" else Attention(*sizes, s.pieces)

    def forward(self, features: Features, targets: Targets) -> Loss:
        """Compares a batch with its teachers; see `Objective`."""
        s = self.settings
        present = torch.stack([targets.present[name] for name in self.specs])
        values = list(self.clean(targets).values())
        state = features.layers[self._layer]
        state = state.detach() if s.detach_query else state
        able = self._able(present, targets.queried)
        before = [teacher.forwards for teacher in self._queryable.values()]
        weights, kept, answers = self._ask(state, values, able, targets.queried)
        direct = self._errors(features.embedding.expand(len(self.specs), -1, -1), values, present)
        terms = {
            "student": self._distance(features.embedding, answers, shared(weights, kept).detach()),
            "anchor": self._anchor(answers, weights, kept, values),
            "balance": _imbalance(weights, able),
            "direct": self._mean(direct, present),
        }
        total = features.embedding.float().sum() * 0.0
        for name, term in terms.items():
            total = total + getattr(s, f"{name}_weight") * term
        counts = self.over_batch(present.sum(dim=1))
        parts = torch.where(counts > 0, direct.detach().sum(1) / counts, torch.nan)
        facts = {name: term.detach() for name, term in terms.items()}
        facts["filtered"] = (able & ~kept).sum() / self.over_batch(able.sum()).clamp(min=1e-12)
        facts |= self._use(weights.detach(), able, before)
        return Loss(total, dict(zip(self.specs, parts, strict=True)), facts)

    def _use(self, weights: Tensor, able: Tensor, before: list[int]) -> dict[str, Tensor]:
        """Mean importance of each teacher, and of the items it could be run on, the share it was.

        Args:
            weights: shape (teachers, b).
            able: shape (teachers, b), bool; who could be asked.
            before: how often each queryable teacher had been run before this batch.
        """
        counts = dict(zip(self.specs, self.over_batch(able.sum(dim=1)), strict=True))
        used = zip(self.specs, weights.sum(dim=1), strict=True)
        facts = {
            f"importance {name}": sum_ / torch.where(counts[name] > 0, counts[name], 1)
            for name, sum_ in used
        }
        for (name, teacher), runs in zip(self._queryable.items(), before, strict=True):
            facts[f"live forwards {name}"] = (teacher.forwards - runs) / counts[name]
        return facts

    def _able(self, present: Tensor, batches: Mapping[str, QueryBatch]) -> Tensor:
        """Shape (teachers, b), bool: who can answer; a queryable teacher must read the item.

        Args:
            present: shape (teachers, b), bool; where the bank holds what a teacher said.
            batches: the items, for queryable teachers.
        """
        rows = [
            row & batches[name].present.to(row.device) if name in self._queryable else row
            for name, row in zip(self.specs, present, strict=True)
        ]
        return torch.stack(rows)

    def _ask(
        self,
        state: Tensor,
        values: list[Tensor],
        present: Tensor,
        batches: Mapping[str, QueryBatch],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Importance (teachers, b), who is asked (teachers, b), answers (teachers, b, d)."""
        relevance = self.querying.relevance(state)
        if self.settings.importance == "uniform":
            relevance = torch.zeros_like(relevance)
        weights = importance(relevance, present, self.settings.temperature)
        kept = self._filtered(weights.detach(), present)
        answers: list[Tensor] = []
        queries = self.querying(state)
        for name, query, value, asked in zip(self.specs, queries, values, kept, strict=True):
            inputs = (
                (self._queryable[name], batches[name], asked)
                if name in self._queryable
                else (value,)
            )
            answers.append(cast("Tensor", self.answers[key(name)](query, *inputs)).float())
        return weights, kept, torch.where(kept[..., None], torch.stack(answers), 0.0)

    @torch.no_grad()
    def _filtered(self, weights: Tensor, present: Tensor) -> Tensor:
        """Who is asked: all in the warm-up, then all but the share of least importance."""
        skipped = self.settings.skip_fraction
        if not skipped:
            return present
        if self.training and present.any():
            # The heaviest teacher of an item always stays, so the others bear the whole share.
            heaviest = weights == weights.max(dim=0, keepdim=True).values
            others = weights[present & ~heaviest]
            if len(others):
                share = min(1.0, skipped * int(present.sum()) / len(others))
                now = torch.quantile(others.float(), share)
                self.threshold.lerp_(now, 1.0 if self.threshold == 0 else 1 - _MEMORY)
        if self.training and self._share < self.settings.warmup:
            return present
        return chosen(weights, present, self.threshold)

    def _anchor(
        self, answers: Tensor, weights: Tensor, kept: Tensor, values: list[Tensor]
    ) -> Tensor:
        """How badly answers predict what teachers said: the others' together, and each its own."""
        s = self.settings
        own = self._mean(self._errors(answers, values, kept), kept)
        if s.importance == "uniform" or len(self.specs) == 1:
            return own
        if s.importance == "mixture":
            together = (shared(weights, kept)[..., None] * answers).sum(dim=0)
            mixed = together.expand(len(self.specs), -1, -1)
            return self._mean(self._errors(mixed, values, kept), kept) + s.own_share * own
        parts = (weights * kept)[..., None] * answers
        mass = weights * kept
        others = mass.sum(dim=0, keepdim=True) - mass
        rest = (parts.sum(dim=0, keepdim=True) - parts) / others.clamp(min=1e-6)[..., None]
        asked = kept & (others > 1e-6)
        return self._mean(self._errors(rest, values, asked), asked) + s.own_share * own

    def _errors(self, states: Tensor, values: list[Tensor], among: Tensor) -> Tensor:
        """Shape (teachers, b): squared errors of predicting each teacher from its states."""
        rows = [
            (cast("Tensor", self.anchors[key(name)](state)).float() - value).square().mean(dim=1)
            for name, state, value in zip(self.specs, states, values, strict=True)
        ]
        return torch.where(among, torch.stack(rows), 0.0)

    def _distance(self, embedding: Tensor, answers: Tensor, weights: Tensor) -> Tensor:
        """Mean squared distance of embeddings to the common answer, where there is one."""
        common = (weights[..., None] * answers).sum(dim=0).detach()
        asked = weights.sum(dim=0) > 0
        rows = functional.mse_loss(embedding.float(), common, reduction="none").mean(dim=1)
        count = self.over_batch(asked.sum())
        return torch.where(asked, rows, 0.0).sum() / torch.where(count > 0, count, 1)

    def _mean(self, rows: Tensor, among: Tensor) -> Tensor:
        """Mean over teachers of their means over rows; teachers without rows do not count."""
        counts = self.over_batch(among.sum(dim=1))
        means = torch.where(among, rows, 0.0).sum(dim=1) / torch.where(counts > 0, counts, 1)
        return means.sum() / (counts > 0).sum().clamp(min=1)


def _among(teachers: QueryableTeachers, names: Sequence[str]) -> dict[str, QueryableTeacher]:
    missing = [name for name in names if name not in teachers]
    if missing:
        raise ConfigError(
            f"queried: {', '.join(missing)} cannot be asked: hand the teachers that run during "
            "training over as well (molkd.teachers.as_queryable)"
        )
    return {name: teachers[name] for name in names}


def _layer(features: FeatureSpec, asked: int | None) -> int:
    count = len(features.layers)
    if not count:
        raise ConfigError("the objective 'diverse' needs a student that shows its layers")
    if asked is None:
        return (count - 1) // 2
    if not 0 <= asked < count:
        raise ConfigError(f"query_layer must lie in [0, {count - 1}], not {asked}")
    return asked


def _imbalance(weights: Tensor, present: Tensor) -> Tensor:
    """Count times the sum of squared mean importances, less 1: zero where all are alike."""
    mean = weights.sum(dim=1) / present.any(dim=0).sum().clamp(min=1)
    imbalance = len(weights) * mean.square().sum() - 1
    return torch.where(present.any(), imbalance, 0.0)
