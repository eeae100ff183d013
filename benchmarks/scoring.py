"""One embedding, one label, one split, one probe: what is fitted where, and what it scores.

Everything is fitted on training rows: scaling of embeddings, principal components, scaling of
targets, the probe. Validation rows choose the probe's settings, test rows decide the scores only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from molkd.benchmarks import metrics
from molkd.benchmarks.probes.base import Part, Probe
from molkd.benchmarks.probes.inputs import Scaler
from molkd.benchmarks.probes.targets import TargetScaler
from molkd.benchmarks.task import Kind, Labels, Scale, Split
from molkd.types import Mask, Matrix, Rows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question:
    """One label of a task under one split.

    Attributes:
        y: shape (n,), labels; only those of rows in the split are read.
        split: rows with a label that every embedder could embed.
        kind: whether labels are classes 0 and 1, or real numbers.
        scale: "log10" where targets are fitted as decadic logarithms.
        seed: of probe and principal components.
        subsets: name -> shape (n,): test rows also scored on their own.
        digest: changes whenever an answer may change.
    """

    y: Labels
    split: Split
    kind: Kind
    scale: Scale
    seed: int
    subsets: Mapping[str, Mask]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """What a probe says.

    Attributes:
        test: metric -> value on the test rows; "METRIC[NAME]" on a subset of them.
        valid: metric -> value on the validation rows.
        chosen: setting -> value chosen on the validation rows.
        predicted: shape (m,), of the test rows: probability of class 1, or value.
    """

    test: Mapping[str, float]
    valid: Mapping[str, float]
    chosen: Mapping[str, float]
    predicted: Labels


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Embeddings of the three parts, scaled by the training rows."""

    train: Matrix
    valid: Matrix
    test: Matrix


def scaled(x: Matrix, split: Split, *, components: int | None) -> Inputs:
    """Scales embeddings by what the training rows say; see `probes.inputs.Scaler`.

    Args:
        x: shape (n, d), without NaN in the rows of the split.
        split: rows.
        components: principal components that replace the columns; None keeps the columns.
    """
    train = x[split.train]
    scaler = Scaler.fit(train, components=components)
    rest = (scaler.transform(x[rows]) for rows in (split.valid, split.test))
    return Inputs(scaler.transform(train), *rest)


def answer(inputs: Inputs, question: Question, probe: Probe) -> Answer:
    """Fits a probe and scores it.

    Raises:
        InputError: training labels are constant, or not positive where their logarithm is asked.
    """
    split, kind = question.split, question.kind
    targets = _target_scaler(question)

    def part(x: Matrix, rows: Rows) -> Part:
        y = question.y[rows]
        return Part(x, targets.transform(y, rows=rows) if targets else y)

    fitted = probe.fit(
        part(inputs.train, split.train),
        part(inputs.valid, split.valid),
        kind=kind,
        seed=question.seed,
    )

    def predicted(x: Matrix) -> Labels:
        raw = fitted.predict(x)
        return targets.inverse(raw) if targets else raw

    on_test = predicted(inputs.test)
    test = _scores(question.y[split.test], on_test, kind)
    for name, mask in question.subsets.items():
        within = mask[split.test]
        if within.sum() > 1:
            scores = _scores(question.y[split.test][within], on_test[within], kind)
            test |= {f"{metric}[{name}]": value for metric, value in scores.items()}
    valid = _scores(question.y[split.valid], predicted(inputs.valid), kind)
    return Answer(test=test, valid=valid, chosen=fitted.chosen, predicted=on_test)


def _target_scaler(question: Question) -> TargetScaler | None:
    if question.kind == "classification":
        return None
    rows = question.split.train
    return TargetScaler.fit(question.y[rows], scale=question.scale, rows=rows)


def _scores(y: Labels, predicted: Labels, kind: Kind) -> dict[str, float]:
    return {metric.name: metric.function(y, predicted) for metric in metrics.of_kind(kind)}
