"""The compounds of a task, each held out once: how far off it was, and what was said of it before.

For studies of many tasks; see `molkd.prediction.calibration`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from molkd import students, teachers
from molkd.benchmarks.tasks.metrics import METRICS
from molkd.benchmarks.tasks.task import Labels, Task
from molkd.errors import ConfigError
from molkd.library import similarity
from molkd.prediction import conformal, learners, reliability
from molkd.prediction.labels import Kind
from molkd.prediction.validation import Compounds, HeldOut, cross_validate
from molkd.types import Mask, Matrix, Rows

CONFIDENCE, TENTH = 0.9, 0.1

DESCRIPTORS, MOST = "rdkit2d", 5.0
"""The teacher whose values are read from embeddings; the error of one that counts at most."""


FEWEST = 5
"""Compounds of each class that make an AUROC."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A task's compounds, each held out once.

    Attributes:
        name: of the task.
        kind: of its labels.
        y: shape (n,), labels.
        predicted: shape (n,), numbers, or probabilities of class 1.
        reliable: shape (n,), scores from 0 to 1 of the predictions.
        familiar: shape (n,), scores from 0 to 1 of the molecules.
        similar: shape (n,), Tanimoto similarity (ECFP4) to the nearest training row.
        inside: shape (n, 2), whether the label was in the interval or set; and in an interval as
            wide as all others.
        widths: shape (n, 2), of both intervals; NaN of classes.
        fidelity: shape (n,), mean error of the descriptors that the embedding predicts, in standard
            deviations of the task; NaN of a student without adaptors.
    """

    name: str
    kind: Kind
    y: Labels
    predicted: Labels
    reliable: Labels
    familiar: Labels
    similar: Labels
    inside: Labels
    widths: Labels
    fidelity: Labels

    @property
    def errors(self) -> Labels:
        """Shape (n,), absolute errors, or squared ones of probabilities."""
        off = np.abs(self.predicted - self.y)
        return off if self.kind == "regression" else off**2

    def ratio(self, scores: Labels, errors: Labels | None = None) -> float:
        """Returns the mean error of the tenth with the lowest scores, over that of the others."""
        return reliability.excess(scores, self.errors if errors is None else errors, TENTH)

    def misranked(self, scores: Labels) -> tuple[float, float]:
        """Returns 1 - AUROC within the tenth with the lowest scores, and within the others.

        It is the share of pairs of both classes in the wrong order, so that a class that is rare in
        the tenth proves nothing; NaN where one has fewer than `FEWEST` compounds.
        """
        low = reliability.lowest(scores, TENTH)
        within, others = (self._wrong(rows) for rows in (low, ~low))
        return within, others

    def _wrong(self, rows: Mask) -> float:
        y = self.y[rows]
        if min((y > 0).sum(), (y == 0).sum()) < FEWEST:
            return np.nan
        return 1 - float(METRICS["AUROC"].formula(y, self.predicted[rows]))

    @property
    def hardest(self) -> Labels:
        """Shape (2,), what both kinds of intervals held of the least reliable fifth."""
        return self.inside[reliability.lowest(self.reliable, reliability.LOW)].mean(axis=0)


def judged(most: int, model: str, task: Task) -> Judged:
    """Holds every compound of a task out once, with its scaffold."""
    rows = np.arange(len(task.items))
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
    student: Any = students.load(model)
    smiles = [str(task.items[row]) for row in rows.tolist()]
    prepared = student.featurize(smiles)
    x = student.encode(prepared).values
    familiar = student.known(prepared, x).scores
    y = task.labels[rows, 0]
    if task.scale == "log10":
        y = np.log10(y)
    there = np.isfinite(x).all(axis=1)
    kept = [text for text, alive in zip(smiles, there.tolist(), strict=True) if alive]
    kind: Kind = "regression" if task.kind == "regression" else "classification"
    found = _held_out(task.name, kind, kept, x[there], y[there])
    fidelity = _fidelity(student, kept, x[there])
    return replace(found, familiar=familiar[there], fidelity=fidelity)


def _fidelity(student: Any, smiles: Sequence[str], x: Matrix) -> Labels:
    """Shape (n,): how far off descriptors are that adaptors read from embeddings."""
    from molkd.information import adaptors

    try:
        loaded = adaptors.load(student.folder / adaptors.FOLDER, student.digest)
    except ConfigError:
        return np.full(len(x), np.nan)
    said, _ = loaded.predict(x, DESCRIPTORS)
    true = teachers.make(DESCRIPTORS).embed(smiles).values
    sd = np.nanstd(true, axis=0)
    return np.nanmean(np.minimum(np.abs(said - true)[:, sd > 0] / sd[sd > 0], MOST), axis=1)


def _held_out(name: str, kind: Kind, smiles: Sequence[str], x: Matrix, y: Labels) -> Judged:
    from molkd.benchmarks.tasks import molecule_keys

    scaffolds = np.unique([molecule_keys.scaffold(text) for text in smiles], return_inverse=True)[1]
    outer = learners.folds(y, scaffolds, kind=kind, count=learners.OUTER, seed=0)
    predicted, reliable, similar, nothing = np.full((4, len(y)), np.nan)
    inside, widths = np.full((2, len(y), 2), np.nan)
    bits = similarity.fingerprints(smiles)
    for fold in range(learners.OUTER):
        train, test = np.flatnonzero(outer != fold), np.flatnonzero(outer == fold)
        some = Compounds({"embedding": x[train]}, y[train], scaffolds[train], kind, 0, choose=False)
        found = cross_validate(some, repeats=1, splits=("scaffold",), progress=False)
        fitted = some.fitted("embedding", np.arange(len(train)))
        predicted[test] = learners.predict(fitted, x[test])
        held_out = found["scaffold", "embedding"]
        if kind == "classification":
            said = _classes(y[train], held_out, predicted[test], y[test])
        else:
            said = _numbers(x[train], y[train], held_out, x[test], predicted[test], y[test])
        reliable[test], inside[test], widths[test] = said
        similar[test] = _nearest(bits, train, test)
    return Judged(
        name, kind, y, predicted, reliable, nothing, similar, inside, widths, fidelity=nothing
    )


def _classes(
    y: Labels, held_out: HeldOut, predicted: Labels, true: Labels
) -> tuple[Labels, Labels, Labels]:
    """Scores, whether sets hold the class, and no widths, of new compounds."""
    known, expected = map(reliability.uncertain, (held_out.values, predicted))
    sets = conformal.bounds(predicted, held_out.values, y, CONFIDENCE, classes=True)
    inside = np.tile(sets[np.arange(len(true)), true.astype(int)], (2, 1)).T
    return reliability.scores(expected, known), inside, np.full((len(true), 2), np.nan)


def _numbers(
    x: Matrix, y: Labels, held_out: HeldOut, new: Matrix, predicted: Labels, true: Labels
) -> tuple[Labels, Labels, Labels]:
    """Scores, whether intervals of both kinds hold the value, and their widths."""
    learnt = reliability.learn(x, y, held_out)
    expected, _ = learnt.of(new, predicted)
    ends = [
        conformal.bounds(
            predicted, held_out.values, y, CONFIDENCE, classes=False, difficulty=difficulty
        )
        for difficulty in ((expected, learnt.held_out), None)
    ]
    inside = [(end[:, 0] <= true) & (true <= end[:, 1]) for end in ends]
    widths = [end[:, 1] - end[:, 0] for end in ends]
    held = np.column_stack(inside).astype(np.float64)
    return learnt.scores(expected), held, np.column_stack(widths)


def _nearest(bits: Sequence[Any], train: Rows, test: Rows) -> Labels:
    there = [bits[row] for row in train.tolist()]
    return np.array([similarity.tanimoto(bits[row], there).max() for row in test.tolist()])
