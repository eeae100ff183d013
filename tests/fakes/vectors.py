"""A student of vectors and a reader of arrays: distillation without any chemistry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from molkd.distillation.trainer import Corpus
from molkd.students.base import Student
from molkd.tensors import Features, FeatureSpec, Nodes, Targets, TargetSpec
from molkd.types import Matrix, Rows


@dataclass(frozen=True)
class Vectors:
    values: Matrix
    failures: Mapping[int, str] = field(default_factory=dict[int, str])

    def __len__(self) -> int:
        return len(self.values)

    @property
    def sizes(self) -> Rows:
        return np.ones(len(self), dtype=np.int64)

    def select(self, rows: Rows) -> Self:
        return type(self)(self.values[rows])


class VectorStudent(Student[Matrix, Vectors, Tensor]):
    kind: ClassVar[str] = "vectors"

    def __init__(self, inputs: int = 6, width: int = 8, dropout: float = 0.0) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(inputs, 32), nn.GELU(), nn.Dropout(dropout), nn.Linear(32, width)
        )
        self._width, self._inputs = width, inputs

    @property
    def config(self) -> Mapping[str, object]:
        return {"width": self._width}

    @classmethod
    def build(cls, config: Mapping[str, Any]) -> Self:
        return cls(**config)

    @property
    def embedding_dim(self) -> int:
        return self._width

    @staticmethod
    def featurize(items: Sequence[Matrix]) -> Vectors:
        return Vectors(np.stack(items))

    def collate(self, prepared: Vectors) -> Tensor:
        return torch.from_numpy(prepared.values)

    @property
    def feature_spec(self) -> FeatureSpec:
        return FeatureSpec(self._width, (self._inputs, 32))

    def forward(self, batch: Tensor, *, layers: bool = False, nodes: bool = False) -> Features:
        hidden = self.net[0](batch)
        embedding = self.net[3](self.net[2](self.net[1](hidden)))
        parts = Nodes((batch, hidden), torch.arange(len(batch))) if nodes else None
        return Features(embedding, (batch, hidden) if layers else (), parts)


class ArrayReader:
    """Serves arrays as a bank's reader does; a row of NaN is one that the teacher failed on."""

    def __init__(self, **teachers: Matrix) -> None:
        self._values = {name: torch.from_numpy(values) for name, values in teachers.items()}
        self.specs = {
            name: TargetSpec(values.shape[1], "real", torch.zeros(values.shape[1]))
            for name, values in teachers.items()
        }

    def targets(self, rows: Rows, device: torch.device | str = "cpu") -> Targets:
        values = {name: all_[rows] for name, all_ in self._values.items()}
        present = {name: ~rows_.isnan().any(dim=1) for name, rows_ in values.items()}
        clean = {name: rows_.nan_to_num() for name, rows_ in values.items()}
        return Targets(clean, present).to(torch.device(device))


def corpus(rows: int = 600, seed: int = 0) -> Corpus[Vectors]:
    """Two teachers that are smooth functions of six inputs; one fails on every tenth row."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 6)).astype(np.float32)
    one = np.tanh(x @ rng.normal(size=(6, 5))).astype(np.float32)
    two = (x @ rng.normal(size=(6, 3))).astype(np.float32)
    two[::10] = np.nan
    split = rows * 9 // 10
    reader = ArrayReader(one=(one - one.mean(0)) / one.std(0), two=two / np.nanstd(two, axis=0))
    return Corpus(
        Vectors(x),
        reader,  # pyright: ignore[reportArgumentType]
        np.arange(split),
        np.arange(split, rows),
        f"{rows}-{seed}",
    )
