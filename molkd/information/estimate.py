"""How much information an embedding has about each teacher, and how well a linear map predicts it.

Estimated after training, on a frozen embedding and the same way for every objective: one
conditional density per teacher is fitted on training rows and evaluated on others. An objective's
own heads are not used, so that objectives can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from molkd.information.densities import EmbeddedRows, entropies, fit
from molkd.information.settings import EstimatorSettings
from molkd.targets.reader import TargetReader
from molkd.types import Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Information:
    """What an embedding tells of one teacher, on validation rows.

    Attributes:
        conditional_entropy: nats per row, an upper bound of h(teacher | student) in expectation.
        marginal_entropy: nats per row, of the same family of densities without the student.
        r2: of a ridge regression from student to teacher, weighted by the dimensions' variance.
        dim: dimensions that vary.
        rows: validation rows that the teacher could embed.
        r2_untrained: `r2` of an untrained student of the same shape; None where none was compared.
    """

    conditional_entropy: float
    marginal_entropy: float
    r2: float
    dim: int
    rows: int
    r2_untrained: float | None = None

    @property
    def mutual_information(self) -> float:
        """Nats per row: marginal minus conditional entropy.

        Both densities factorise over the dimensions, so that this is the sum of the information
        about each dimension. It estimates I(teacher; student) where a teacher's dimensions are
        independent.
        """
        return self.marginal_entropy - self.conditional_entropy


def estimate(
    reader: TargetReader,
    *,
    train: EmbeddedRows,
    valid: EmbeddedRows,
    settings: EstimatorSettings | None = None,
    untrained: tuple[EmbeddedRows, EmbeddedRows] | None = None,
    progress: bool = False,
) -> dict[str, Information]:
    """Estimates how much information an embedding has about each teacher.

    Args:
        reader: of the teachers' values.
        train: what to fit on.
        valid: what to report on.
        settings: how the densities are fitted.
        untrained: the rows of `train` and of `valid` as an untrained student embeds them.
        progress: whether to show a progress bar.

    Raises:
        ConfigError: there are too few rows.
    """
    valid.refuse_fewer(2, "validation")
    model = fit(reader, train, settings or EstimatorSettings(), progress=progress)
    scaled = train.standardized(train), valid.standardized(train)
    conditional = entropies(model, reader, scaled[1], np.arange(len(valid.rows)))
    r2 = _linear(reader, *scaled)
    before = _linear_before(reader, untrained)
    targets, targets_valid = reader.targets(train.rows), reader.targets(valid.rows)
    report: dict[str, Information] = {}
    for name, spec in reader.specs.items():
        there, there_valid = targets.present[name], targets_valid.present[name]
        marginal = model.densities[name].marginal(targets.values[name][there])
        nats = model.nats(name, marginal, targets_valid.values[name][there_valid])
        report[name] = Information(
            conditional_entropy=conditional[name],
            marginal_entropy=float(nats.mean()),
            r2=r2[name],
            dim=spec.dim,
            rows=int(there_valid.sum()),
            r2_untrained=before.get(name),
        )
    return report


def _linear_before(
    reader: TargetReader, untrained: tuple[EmbeddedRows, EmbeddedRows] | None
) -> Mapping[str, float]:
    """`_linear` of the rows as an untrained student embeds them; empty where there are none."""
    if untrained is None:
        return {}
    return _linear(reader, *(rows.standardized(untrained[0]) for rows in untrained))


def _linear(reader: TargetReader, train: EmbeddedRows, valid: EmbeddedRows) -> dict[str, float]:
    """Teacher -> `linear_r2` of standardised embeddings, over the rows that the teacher has."""
    targets, targets_valid = reader.targets(train.rows), reader.targets(valid.rows)
    scores: dict[str, float] = {}
    for name in reader.specs:
        there, there_valid = targets.present[name].numpy(), targets_valid.present[name].numpy()
        scores[name] = linear_r2(
            train.values[there],
            targets.values[name].numpy()[there],
            valid.values[there_valid],
            targets_valid.values[name].numpy()[there_valid],
        )
    return scores


def linear_r2(z: Matrix, t: Matrix, z_valid: Matrix, t_valid: Matrix) -> float:
    """Returns the R2 of a ridge regression: the share of all variance of t_valid explained.

    A mean over dimensions would depend most on the rarest bits, whose few ones nothing explains.

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
