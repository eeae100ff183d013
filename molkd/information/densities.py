"""Fits conditional densities of the teachers given a frozen embedding.

They estimate its information (`molkd.information.estimate`) and predict teachers
(`molkd.information.adaptors`).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch

from molkd.errors import ConfigError
from molkd.information.adaptors import Adaptor, Adaptors
from molkd.information.settings import DensitySettings
from molkd.objectives import MutualInformation, MutualInformationSettings
from molkd.objectives.densities.gaussian import SMALLEST_SD
from molkd.objectives.faithful_regression import Faithful
from molkd.runtime.progress import Progress
from molkd.targets.reader import TargetReader
from molkd.targets.scaling import Scaling
from molkd.tensors import Features, FeatureSpec, Targets
from molkd.types import Matrix, Rows

_Model = TypeVar("_Model", bound=MutualInformation)

TOLD = "what the student knows of each teacher"
"""What estimating is called where its progress is shown."""

_RIDGE = 10.0
"""Penalty of the linear regressions from which adaptors start."""

_CHUNK = 4096
"""Rows that are read at once."""


@dataclass(frozen=True, slots=True)
class EmbeddedRows:
    """Embedded rows of a bank.

    Attributes:
        rows: shape (m,), positions in the bank.
        values: shape (m, d), their embeddings.
    """

    rows: Rows
    values: Matrix

    def standardized(self, by: EmbeddedRows) -> EmbeddedRows:
        """In standard deviations of other embeddings from their mean."""
        mean, sd = by.moments()
        return EmbeddedRows(self.rows, ((self.values - mean) / sd).astype(np.float32))

    def moments(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Mean and standard deviation, shape (d,) each; 1 for a constant dimension."""
        mean, sd = self.values.mean(axis=0), self.values.std(axis=0)
        return mean, np.where(sd > 0, sd, np.float32(1.0))

    def refuse_fewer(self, least: int, what: str) -> None:
        """Raises a `ConfigError` where there are too few rows; `what` names them."""
        if len(self.rows) < least:
            raise ConfigError(
                f"{len(self.rows)} {what} rows are too few to estimate mutual information: at "
                f"least {least} are needed"
            )


def fit(
    reader: TargetReader,
    train: EmbeddedRows,
    settings: DensitySettings,
    *,
    progress: bool = False,
) -> MutualInformation:
    """Fits one conditional density per teacher, each to the highest likelihood.

    Args:
        reader: of the teachers' values.
        train: what to fit on; the densities read standardised embeddings.
        settings: of the optimisation.
        progress: whether to show a progress bar.

    Raises:
        ConfigError: there are too few rows.
    """
    train.refuse_fewer(4, "training")
    with torch.random.fork_rng(devices=[]):
        model = _model(MutualInformation, reader, train, settings, skip=False)
        _train(model, reader, train.standardized(train), settings, TOLD, progress=progress)
    return model


def fit_adaptors(
    reader: TargetReader,
    scalings: Mapping[str, Scaling],
    train: EmbeddedRows,
    settings: DensitySettings,
    *,
    progress: bool = False,
) -> Adaptors:
    """Fits the adaptors of a student; see `molkd.objectives.faithful_regression`.

    Means of real targets start from a linear regression: a density fitted by likelihood alone
    predicts rare rows worse than that.

    Args:
        reader: of the teachers' values.
        scalings: teacher -> the scaling with which the reader reads it.
        train: what to fit on.
        settings: of the optimisation.
        progress: whether to show a progress bar.

    Raises:
        ConfigError: there are too few rows.
    """
    train.refuse_fewer(4, "training")
    scaled = train.standardized(train)
    with torch.random.fork_rng(devices=[]):
        model = _model(Faithful, reader, train, settings, skip=True)
        _start_linear(model, reader, scaled)
        _train(model, reader, scaled, settings, "adaptors of the teachers", progress=progress)
    heads = {
        name: Adaptor(model.head(name), model.densities[name], scalings[name], *extremes)
        for name, extremes in _extremes(reader, train).items()
    }
    return Adaptors(*train.moments(), heads)


def _model(
    kind: type[_Model],
    reader: TargetReader,
    train: EmbeddedRows,
    settings: DensitySettings,
    *,
    skip: bool,
) -> _Model:
    torch.manual_seed(settings.seed)
    shape = MutualInformationSettings(
        head_hidden=settings.hidden, head_skip=skip, smallest_sd=SMALLEST_SD
    )
    return kind(FeatureSpec(train.values.shape[1]), reader.specs, shape)


def _start_linear(model: MutualInformation, reader: TargetReader, train: EmbeddedRows) -> None:
    """Sets the means of real targets to ridge regressions on the rows that have them."""
    width = train.values.shape[1] + 1
    real = {name: spec.dim for name, spec in model.specs.items() if spec.support == "real"}
    grams = {name: np.zeros((width, width)) for name in real}
    products = {name: np.zeros((width, dim)) for name, dim in real.items()}
    for embeddings, targets in _chunks(reader, train):
        z = np.pad(embeddings, ((0, 0), (0, 1)), constant_values=1)
        for name in real:
            there = targets.present[name].numpy()
            grams[name] += z[there].T @ z[there]
            products[name] += z[there].T @ targets.values[name].numpy()[there]
    penalty = np.diag([_RIDGE] * (width - 1) + [0.0])
    for name, gram in grams.items():
        if gram[-1, -1]:
            linear = torch.from_numpy(np.linalg.solve(gram + penalty, products[name]))
            model.head(name).start_linear(linear[:-1].T, linear[-1])


def _extremes(reader: TargetReader, train: EmbeddedRows) -> dict[str, tuple[Matrix, Matrix]]:
    """Teacher -> the least and the greatest of its targets, shape (dim,) each."""
    found = {
        name: (np.full(spec.dim, np.inf, np.float32), np.full(spec.dim, -np.inf, np.float32))
        for name, spec in reader.specs.items()
    }
    for _, targets in _chunks(reader, train):
        for name, (low, high) in found.items():
            there = targets.values[name].numpy()[targets.present[name].numpy()]
            np.minimum(low, there.min(axis=0, initial=np.inf), out=low)
            np.maximum(high, there.max(axis=0, initial=-np.inf), out=high)
    return found


def _chunks(reader: TargetReader, train: EmbeddedRows) -> Iterator[tuple[Matrix, Targets]]:
    """Embeddings and targets, some rows after others: all at once may not fit into memory."""
    for start in range(0, len(train.rows), _CHUNK):
        rows = slice(start, start + _CHUNK)
        yield train.values[rows], reader.targets(train.rows[rows])


def _train(
    model: MutualInformation,
    reader: TargetReader,
    train: EmbeddedRows,
    settings: DensitySettings,
    what: str,
    *,
    progress: bool,
) -> None:
    """Fits all densities; each teacher's network is left at its best epoch on held-out rows."""
    rng = np.random.default_rng(settings.seed)
    shuffled = rng.permutation(len(train.rows))
    count = max(1, round(settings.held_out * len(train.rows)))
    held, fit = np.sort(shuffled[:count]), np.sort(shuffled[count:])
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.lr, weight_decay=1e-4)
    steps = settings.epochs * -(-len(fit) // settings.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    best = {key: (float("inf"), copy.deepcopy(head)) for key, head in model.heads.items()}
    with Progress(what, settings.epochs, unit="epochs", shown=progress) as bar:
        for _ in range(settings.epochs):
            order = rng.permutation(fit)
            for start in range(0, len(order), settings.batch_size):
                features, targets = _batch(
                    reader, train, order[start : start + settings.batch_size]
                )
                loss = model(features, targets).total
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
            scores = entropies(model, reader, train, held)
            for (key, head), score in zip(model.heads.items(), scores.values(), strict=True):
                if score < best[key][0]:
                    best[key] = (score, copy.deepcopy(head))
            bar.update(1)
    for key, (_, head) in best.items():
        model.heads[key] = head


@torch.no_grad()
def entropies(
    model: MutualInformation, reader: TargetReader, embedded: EmbeddedRows, where: Rows
) -> dict[str, float]:
    """Teacher -> mean loss of some rows in nats per row; NaN without rows."""
    sums = dict.fromkeys(model.specs, 0.0)
    counts = dict.fromkeys(model.specs, 0)
    for start in range(0, len(where), 1024):
        features, targets = _batch(reader, embedded, where[start : start + 1024])
        all_losses = model.row_losses(features, targets)
        for name, losses in zip(model.specs, all_losses, strict=True):
            sums[name] += float(losses.double().sum()) * model.effective_width[name]
            counts[name] += int(targets.present[name].sum())
    return {name: sums[name] / counts[name] if counts[name] else float("nan") for name in sums}


def _batch(reader: TargetReader, embedded: EmbeddedRows, where: Rows) -> tuple[Features, Targets]:
    features = Features(torch.from_numpy(embedded.values[where]))
    return features, reader.targets(embedded.rows[where])
