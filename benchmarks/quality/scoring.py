"""One embedding, one label, one split, one probe: what is fitted where, and what it scores.

Everything is fitted on training rows: scaling of embeddings, principal components, scaling of
targets, the probe. Validation rows choose the probe's settings, test rows decide the scores only.
In a learning curve a committee takes the place of one fit: see `learning_curves`. Where nothing is
trained, a measure of `zero_shot` takes the place of the probe and reads embeddings as they are.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from molkd.benchmarks import probes
from molkd.benchmarks.probes.base import Fitted, Part, Probe, Question, ReadsCounts, Shares
from molkd.benchmarks.probes.inputs import Scaler
from molkd.benchmarks.probes.targets import TargetScaler
from molkd.benchmarks.quality import zero_shot
from molkd.benchmarks.quality.probe_task import ProbeTask
from molkd.benchmarks.quality.zero_shot import MEASURES, Sides
from molkd.benchmarks.tasks import metrics
from molkd.benchmarks.tasks.kinds import KINDS, Kind
from molkd.benchmarks.tasks.task import Labels, LabelScale, TaskSplit
from molkd.types import Matrix, Rows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """What a probe or a measure says.

    Attributes:
        test: metric -> value on the test rows; "METRIC[NAME]" on a subset of them.
        valid: metric -> value on the validation rows; empty of a committee.
        chosen: setting -> value chosen on the validation rows; empty of a committee.
        predicted: shape (m,), of the test rows: probability of class 1, value, class, number of a
            cluster, or cosine.
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


def probes_for(kind: Kind, chosen: Sequence[str]) -> tuple[str, ...]:
    """Returns what tasks of a kind are scored by: the chosen probes, or the measure of the kind."""
    measure = KINDS[kind].measure
    return tuple(chosen) if measure is None else (measure,)


def describe(name: str) -> dict[str, object]:
    """Returns all that decides the numbers of a probe or a measure, JSON-like.

    Raises:
        UnknownNameError: no such probe; the message proposes near ones.
    """
    return zero_shot.describe(name) if name in MEASURES else probes.describe(name)


def answers(
    sides: Sides, probe_task: ProbeTask, names: Sequence[str], *, components: int | None
) -> Iterator[tuple[str, Answer]]:
    """Yields what each probe says, with its name.

    Args:
        sides: embeddings, without NaN in the rows of the split.
        probe_task: what is asked.
        names: probes, or the measure of the kind.
        components: principal components that replace the columns; None keeps the columns.
    """
    if KINDS[probe_task.kind].measure is not None:
        projected = sides if components is None else _projected(sides, probe_task.split, components)
        for name in names:
            predicted = MEASURES[name]().predict(projected, probe_task)
            test = _on_test(probe_task, predicted)
            yield name, Answer(test=test, valid={}, chosen={}, predicted=predicted)
        return
    if probe_task.folds:
        yield from _of_committee(sides[0], probe_task, names, components)
        return
    inputs = _inputs_of(sides[0], probe_task.split, components)
    for name in names:
        probe = probes.make(name)
        yield name, answer(inputs(probe), probe_task, probe)


def together(
    sides: Sides, probe_tasks: Sequence[ProbeTask], name: str, *, components: int | None
) -> list[Answer] | None:
    """Returns what one probe says of one label under several splits, which share what they can.

    Args:
        sides: embeddings, without NaN in the rows of the splits.
        probe_tasks: what is asked; of one kind.
        name: of the probe.
        components: see `answers`.

    Returns:
        One answer per split, as `answers` gives them; None where these have to be asked.
    """
    kind = probe_tasks[0].kind
    probe = None if KINDS[kind].measure or components else probes.make(name)
    if not isinstance(probe, Shares) or any(each.folds for each in probe_tasks):
        return None
    scalers = [_target_scaler(each) for each in probe_tasks]
    questions = [
        Question(
            rows.train, rows.valid, rows.test, *(_targets(each, scaler, part) for part in parts)
        )
        for each, scaler in zip(probe_tasks, scalers, strict=True)
        for rows in (each.split,)
        for parts in ((rows.train, rows.valid),)
    ]
    answered = probe.answers(sides[0], questions, kind=kind)
    if answered is None:
        return None
    found: list[Answer] = []
    for probe_task, scaler, each in zip(probe_tasks, scalers, answered, strict=True):
        on_test, on_valid = (
            _decided(scaler.inverse(outputs) if scaler else outputs)
            for outputs in (each.test, each.valid)
        )
        found.append(_answer(probe_task, on_test, on_valid, each.chosen))
    return found


def scaled(x: Matrix, split: TaskSplit, *, components: int | None) -> Inputs:
    """Scales embeddings by what the training rows say; see `probes.inputs.Scaler`.

    Args:
        x: shape (n, d), without NaN in the rows of the split.
        split: rows.
        components: principal components that replace the columns; None keeps the columns.
    """
    train = x[split.train]
    scaler = Scaler.fit(train, components=components)
    others = (scaler.transform(x[rows]) for rows in (split.valid, split.test))
    return Inputs(scaler.transform(train), *others)


def _inputs_of(x: Matrix, split: TaskSplit, components: int | None) -> Callable[[Probe], Inputs]:
    """What a probe reads; scaled once for all that want it so."""

    @functools.cache
    def plain() -> Inputs:
        return Inputs(*(x[rows] for rows in (split.train, split.valid, split.test)))

    @functools.cache
    def standard() -> Inputs:
        return scaled(x, split, components=components)

    as_they_are = components is None
    return lambda probe: plain() if as_they_are and isinstance(probe, ReadsCounts) else standard()


def answer(inputs: Inputs, probe_task: ProbeTask, probe: Probe) -> Answer:
    """Fits a probe and scores it.

    Raises:
        InputError: training labels are constant, or not positive where their logarithm is asked.
    """
    fitted = fit(inputs, probe_task, probe)
    on_test, on_valid = (_decided(fitted.predict(x)) for x in (inputs.test, inputs.valid))
    return _answer(probe_task, on_test, on_valid, fitted.chosen)


def fit(inputs: Inputs, probe_task: ProbeTask, probe: Probe) -> Fitted:
    """Fits a probe; what it predicts is in the unit of the labels. See `answer` for errors."""
    split = probe_task.split
    targets = _target_scaler(probe_task)

    def part(x: Matrix, rows: Rows) -> Part:
        return Part(x, _targets(probe_task, targets, rows))

    fitted = probe.fit(
        part(inputs.train, split.train),
        part(inputs.valid, split.valid),
        kind=probe_task.kind,
        seed=probe_task.seed,
    )
    if targets is None:
        return fitted
    return replace(fitted, predict=lambda x: targets.inverse(fitted.predict(x)))


def _answer(
    probe_task: ProbeTask, on_test: Labels, on_valid: Labels, chosen: Mapping[str, float]
) -> Answer:
    return Answer(
        test=_on_test(probe_task, on_test),
        valid=_scores(probe_task.y[probe_task.split.valid], on_valid, probe_task.kind),
        chosen=chosen,
        predicted=on_test,
    )


def _targets(probe_task: ProbeTask, scaler: TargetScaler | None, rows: Rows) -> Labels:
    """The labels of rows as a probe is fitted to them."""
    y = probe_task.y[rows]
    return scaler.transform(y, rows=rows) if scaler else y


def _decided(outputs: Labels) -> Labels:
    """What the metrics compare: outputs, or the most probable of many classes; shape (m,)."""
    return outputs.argmax(axis=1).astype(np.float64) if outputs.ndim == 2 else outputs


def _of_committee(
    x: Matrix, probe_task: ProbeTask, names: Sequence[str], components: int | None
) -> Iterator[tuple[str, Answer]]:
    """Averages what each probe predicts that was chosen by one fold and fitted on the others."""
    members: dict[str, list[Labels]] = {name: [] for name in names}
    rows = probe_task.split
    for fold in probe_task.folds:
        part = probe_task.at(TaskSplit(np.setdiff1d(rows.train, fold), fold, rows.test))
        inputs = _inputs_of(x, part.split, components)
        for name in names:
            own = inputs(probe := probes.make(name))
            members[name].append(fit(own, part, probe).predict(own.test))
    for name, outputs in members.items():
        predicted = _decided(_averaged(outputs, probe_task.scale))
        test = _on_test(probe_task, predicted)
        yield name, Answer(test=test, valid={}, chosen={}, predicted=predicted)


def _averaged(outputs: Sequence[Labels], scale: LabelScale) -> Labels:
    """The mean of members; of logarithms where these were fitted. Absent classes count 0."""
    if outputs[0].ndim == 2:
        width = max(each.shape[1] for each in outputs)
        outputs = [np.pad(each, ((0, 0), (0, width - each.shape[1]))) for each in outputs]
    if scale == "log10":
        return 10 ** np.mean(np.log10(outputs), axis=0)
    return np.mean(outputs, axis=0)


def _projected(sides: Sides, split: TaskSplit, components: int) -> Sides:
    """Principal components of the training rows, or of the test rows where none are trained on."""
    rows = split.train if len(split.train) else split.test
    scaler = Scaler.fit(np.concatenate([side[rows] for side in sides]), components=components)
    used = np.concatenate([split.train, split.test])
    projected: list[Matrix] = []
    for side in sides:
        values = scaler.transform(side[used])
        whole = np.zeros((len(side), values.shape[1]), dtype=np.float32)
        whole[used] = values
        projected.append(whole)
    return tuple(projected)


def _on_test(probe_task: ProbeTask, predicted: Labels) -> dict[str, float]:
    """The scores of all test rows, and of subsets of them."""
    y, kind = probe_task.y[probe_task.split.test], probe_task.kind
    values = _scores(y, predicted, kind)
    for name, mask in probe_task.subsets.items():
        within = mask[probe_task.split.test]
        if within.sum() > 1:
            scores = _scores(y[within], predicted[within], kind)
            values |= {f"{metric}[{name}]": value for metric, value in scores.items()}
    return values


def _target_scaler(probe_task: ProbeTask) -> TargetScaler | None:
    if probe_task.kind != "regression":
        return None
    rows = probe_task.split.train
    return TargetScaler.fit(probe_task.y[rows], scale=probe_task.scale, rows=rows)


def _scores(y: Labels, predicted: Labels, kind: Kind) -> dict[str, float]:
    return {metric.name: metric.function(y, predicted) for metric in metrics.of_kind(kind)}
