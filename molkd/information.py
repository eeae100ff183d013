"""How much an embedding knows about each teacher: mutual information and a linear probe.

Estimated after training, on a frozen embedding and the same way for every objective: one
conditional density per teacher is fitted on training rows and read on rows that nothing was
fitted on. An objective's own heads are not used, so that objectives can be compared.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from tqdm import tqdm

from molkd.adaptors import Adaptor, Adaptors
from molkd.errors import ConfigError
from molkd.objectives import MutualInformation, MutualInformationSettings
from molkd.objectives.densities.gaussian import SMALLEST_SD
from molkd.scaling import Scaling
from molkd.targets import TargetReader
from molkd.tensors import Features, FeatureSpec, Targets
from molkd.types import Matrix, Rows


@dataclass(frozen=True, kw_only=True)
class EstimatorSettings:
    """How the densities are fitted.

    Attributes:
        epochs: passes over the training rows; each teacher keeps its best one.
        batch_size: rows per step.
        lr: highest learning rate of AdamW, decayed to zero along a cosine.
        hidden: width of the density networks' hidden layer.
        held_out: share of the training rows that chooses the best epoch.
        train_rows: rows to fit on, at most.
        valid_rows: rows to report on, at most.
        seed: of draws, initial weights and order; a distillation gives its own.
    """

    epochs: int = 12
    batch_size: int = 512
    lr: float = 2e-3
    hidden: int = 384
    held_out: float = 0.1
    train_rows: int = 20_000
    valid_rows: int = 5_000
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "hidden"):
            if getattr(self, name) < 1:
                raise ConfigError(f"estimate: {name} must be at least 1, not {getattr(self, name)}")
        if self.lr <= 0 or not 0 < self.held_out < 1:
            raise ConfigError(
                "estimate: lr must be positive and held_out in (0, 1), not "
                f"{self.lr} and {self.held_out}"
            )
        if self.train_rows < 4 or self.valid_rows < 2:
            raise ConfigError("estimate: at least 4 train_rows and 2 valid_rows are needed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Information:
    """What an embedding knows about one teacher, on validation rows.

    Attributes:
        conditional_entropy: nats per row, an upper bound of h(teacher | student) in expectation.
        marginal_entropy: nats per row, of the same family of densities without the student.
        r2: of a ridge regression from student to teacher, weighted by the dimensions' variance.
        dim: dimensions that vary.
        rows: validation rows that the teacher could embed.
    """

    conditional_entropy: float
    marginal_entropy: float
    r2: float
    dim: int
    rows: int

    @property
    def mutual_information(self) -> float:
        """Nats per row: marginal minus conditional entropy.

        Both factorise over the dimensions, so that this counts the information about each
        dimension on its own and adds it up; for teachers whose dimensions are independent it
        estimates I(teacher; student).
        """
        return self.marginal_entropy - self.conditional_entropy


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Embedded rows of a bank.

    Attributes:
        rows: shape (m,), positions in the bank.
        values: shape (m, d), their embeddings.
    """

    rows: Rows
    values: Matrix


@dataclass(frozen=True, slots=True)
class Fitted:
    """Conditional densities of all teachers, given an embedding.

    Attributes:
        model: the densities; they read standardised embeddings.
        reader: of the teachers' values.
        train: what they were fitted on, not standardised.
    """

    model: MutualInformation
    reader: TargetReader
    train: Embeddings

    def report(self, valid: Embeddings) -> dict[str, Information]:
        """Says what the embedding knows, on rows that nothing was fitted on.

        Raises:
            ConfigError: there are too few rows.
        """
        _refuse_few(valid.rows, 2, "validation")
        train = _standardized(self.train, self.train)
        return _report(self.model, self.reader, train, _standardized(valid, self.train))

    def adaptors(self, scalings: Mapping[str, Scaling]) -> Adaptors:
        """The densities as predictions of teachers in their own units.

        Args:
            scalings: teacher -> the scaling with which the reader reads it.
        """
        mean, sd = _moments(self.train)
        heads = {
            name: Adaptor(self.model.head(name), self.model.densities[name], scalings[name])
            for name in self.model.specs
        }
        return Adaptors(mean, sd, heads)


def fit(
    reader: TargetReader,
    train: Embeddings,
    settings: EstimatorSettings | None = None,
    *,
    progress: bool = False,
) -> Fitted:
    """Fits one conditional density per teacher on a frozen embedding.

    Args:
        reader: of the teachers' values.
        train: what to fit on.
        settings: how.
        progress: whether to show a progress bar.

    Raises:
        ConfigError: there are too few rows.
    """
    settings = settings or EstimatorSettings()
    _refuse_few(train.rows, 4, "training")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model = MutualInformation(
            FeatureSpec(train.values.shape[1]),
            reader.specs,
            MutualInformationSettings(head_hidden=settings.hidden, smallest_sd=SMALLEST_SD),
        )
        _fit(model, reader, _standardized(train, train), settings, progress=progress)
    return Fitted(model, reader, train)


def estimate(
    reader: TargetReader,
    *,
    train: Embeddings,
    valid: Embeddings,
    settings: EstimatorSettings | None = None,
    progress: bool = False,
) -> dict[str, Information]:
    """Estimates what an embedding knows about each teacher: `fit` and `Fitted.report`.

    Args:
        reader: of the teachers' values.
        train: what to fit on.
        valid: what to report on.
        settings: how the densities are fitted.
        progress: whether to show a progress bar.

    Raises:
        ConfigError: there are too few rows.
    """
    _refuse_few(valid.rows, 2, "validation")
    return fit(reader, train, settings, progress=progress).report(valid)


def _refuse_few(rows: Rows, least: int, what: str) -> None:
    if len(rows) < least:
        raise ConfigError(
            f"{len(rows)} {what} rows are too few to estimate mutual information: at least "
            f"{least} are needed"
        )


def _fit(
    model: MutualInformation,
    reader: TargetReader,
    train: Embeddings,
    settings: EstimatorSettings,
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
    for _ in tqdm(range(settings.epochs), desc="estimate", unit="epoch", disable=not progress):
        order = rng.permutation(fit)
        for start in range(0, len(order), settings.batch_size):
            features, targets = _batch(reader, train, order[start : start + settings.batch_size])
            loss = model(features, targets).total
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        scores = _entropies(model, reader, train, held)
        for (key, head), score in zip(model.heads.items(), scores.values(), strict=True):
            if score < best[key][0]:
                best[key] = (score, copy.deepcopy(head))
    for key, (_, head) in best.items():
        model.heads[key] = head


@torch.no_grad()
def _entropies(
    model: MutualInformation, reader: TargetReader, embedded: Embeddings, where: Rows
) -> dict[str, float]:
    """Teacher -> mean negative log-likelihood in nats per row; NaN without rows."""
    sums = dict.fromkeys(model.specs, 0.0)
    counts = dict.fromkeys(model.specs, 0)
    for start in range(0, len(where), 1024):
        features, targets = _batch(reader, embedded, where[start : start + 1024])
        all_losses = model.row_losses(features, targets)
        for name, losses in zip(model.specs, all_losses, strict=True):
            sums[name] += float(losses.double().sum()) * model.effective_width[name]
            counts[name] += int(targets.present[name].sum())
    return {name: sums[name] / counts[name] if counts[name] else float("nan") for name in sums}


def _batch(reader: TargetReader, embedded: Embeddings, where: Rows) -> tuple[Features, Targets]:
    features = Features(torch.from_numpy(embedded.values[where]))
    return features, reader.targets(embedded.rows[where])


def _report(
    model: MutualInformation, reader: TargetReader, train: Embeddings, valid: Embeddings
) -> dict[str, Information]:
    conditional = _entropies(model, reader, valid, np.arange(len(valid.rows)))
    known, asked = reader.targets(train.rows), reader.targets(valid.rows)
    report: dict[str, Information] = {}
    for name, spec in model.specs.items():
        fitted, read = known.present[name], asked.present[name]
        t, t_valid = known.values[name][fitted], asked.values[name][read]
        marginal = model.densities[name].marginal(t)
        report[name] = Information(
            conditional_entropy=conditional[name],
            marginal_entropy=float(model.nats(name, marginal, t_valid).mean()),
            r2=linear_r2(
                train.values[fitted.numpy()],
                t.numpy(),
                valid.values[read.numpy()],
                t_valid.numpy(),
            ),
            dim=spec.dim,
            rows=int(read.sum()),
        )
    return {name: report[name] for name in reader.specs}


def linear_r2(z: Matrix, t: Matrix, z_valid: Matrix, t_valid: Matrix) -> float:
    """Returns the R2 of a ridge regression: the share of all variance of t_valid explained.

    A mean over dimensions would be ruled by the rarest bits, whose few ones nothing explains.

    Args:
        z: shape (n, d), standardised embeddings to fit on.
        t: shape (n, k), teacher values to fit on.
        z_valid: shape (m, d).
        t_valid: shape (m, k).
    """
    if len(z) < 2 or len(z_valid) < 2:
        return float("nan")
    varying = t_valid.min(axis=0) < t_valid.max(axis=0)  # an sd of equal values may round off 0
    if not varying.any():
        return float("nan")
    predicted = Ridge(alpha=1.0).fit(z, t[:, varying]).predict(z_valid)
    return float(r2_score(t_valid[:, varying], predicted, multioutput="variance_weighted"))


def _standardized(embedded: Embeddings, by: Embeddings) -> Embeddings:
    mean, sd = _moments(by)
    scaled = (embedded.values - mean) / sd
    return Embeddings(embedded.rows, scaled.astype(np.float32))


def _moments(embedded: Embeddings) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    mean, sd = embedded.values.mean(axis=0), embedded.values.std(axis=0)
    return mean, np.where(sd > 0, sd, np.float32(1.0))
