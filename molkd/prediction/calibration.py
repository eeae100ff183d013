"""What the promises are worth: familiarity against errors, and what intervals hold.

    python -m molkd.prediction.calibration --data ../shared/data

For each ADMET task of TDC, every fifth of the scaffolds is held out in turn. A model of the
student's embedding is fitted to the others, with intervals from a cross-validation within them, as
`molkd predict` makes them; of the model's candidates the one is taken that is chosen most often.
Prints how much larger the error of the least familiar tenth is, beside the tenth that is farthest
by Tanimoto from the training rows, and what 90 % intervals held. Familiarity's form was chosen on
`CHOSEN`; the others were not looked at before. Of a student with adaptors (`--model molkd-base`)
it also prints how much more the embedding of the least familiar tenth errs about RDKit's
descriptors: whether the student knows the molecule, whatever is measured of it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from molkd import students, teachers
from molkd.benchmarks import tasks
from molkd.benchmarks.tasks.task import Labels, Task
from molkd.errors import ConfigError
from molkd.prediction import conformal, learners
from molkd.prediction.measured import Kind
from molkd.prediction.validation import Compounds, cross_validate
from molkd.runtime.processes import ordered_map
from molkd.types import Matrix, Rows

CHOSEN = (
    *("ames", "bioavailability_ma", "clearance_hepatocyte_az", "cyp2c9_substrate_carbonmangels"),
    *("cyp2d6_substrate_carbonmangels", "cyp3a4_substrate_carbonmangels", "dili", "herg"),
    *("ld50_zhu", "pgp_broccatelli", "solubility_aqsoldb"),
)
"""Tasks on which the form of the score was chosen."""

CONFIDENCE, TENTH, RESAMPLES = 0.9, 0.1, 10_000

DESCRIPTORS, MOST = "rdkit2d", 5.0
"""The teacher whose values are read from embeddings; the error of one that counts at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A task's compounds, each held out once.

    Attributes:
        name: of the task.
        kind: of its labels.
        errors: shape (n,), absolute errors, or squared ones of probabilities.
        familiar: shape (n,), scores from 0 to 1.
        similar: shape (n,), Tanimoto similarity (ECFP4) to the nearest training row.
        inside: shape (n,), whether the label was in the interval or set.
        fidelity: shape (n,), mean error of the descriptors that the embedding predicts, in standard
            deviations of the task; NaN of a student without adaptors.
    """

    name: str
    kind: Kind
    errors: Labels
    familiar: Labels
    similar: Labels
    inside: Labels
    fidelity: Labels

    def ratio(self, scores: Labels, errors: Labels | None = None) -> float:
        """Returns the mean error of the tenth with the lowest scores, over that of the others."""
        errors = self.errors if errors is None else errors
        lowest = np.argsort(scores, kind="stable")[: max(round(TENTH * len(scores)), 1)]
        low = np.isin(np.arange(len(scores)), lowest)
        return float(errors[low].mean() / errors[~low].mean())


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
    fidelity = _fidelity(student, kept, x[there])
    return replace(
        _held_out(task.name, kind, kept, x[there], y[there], familiar[there]), fidelity=fidelity
    )


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


def _held_out(
    name: str, kind: Kind, smiles: Sequence[str], x: Matrix, y: Labels, familiar: Labels
) -> Judged:
    from molkd.benchmarks.tasks import molecule_keys

    scaffolds = np.unique([molecule_keys.scaffold(text) for text in smiles], return_inverse=True)[1]
    outer = learners.folds(y, scaffolds, kind=kind, count=learners.OUTER, seed=0)
    errors, inside, similar = np.empty((3, len(y)))
    bits = _fingerprints(smiles)
    for fold in range(learners.OUTER):
        train, test = np.flatnonzero(outer != fold), np.flatnonzero(outer == fold)
        some = Compounds({"embedding": x[train]}, y[train], scaffolds[train], kind, 0, choose=False)
        found = cross_validate(some, repeats=1, splits=("scaffold",), progress=False)
        fitted = some.fitted("embedding", np.arange(len(train)))
        predicted = learners.predict(fitted, x[test])
        held_out, classes = found["scaffold", "embedding"].values, kind == "classification"
        bounds = conformal.bounds(predicted, held_out, y[train], CONFIDENCE, classes=classes)
        if classes:
            errors[test] = (predicted - y[test]) ** 2
            inside[test] = bounds[np.arange(len(test)), y[test].astype(int)]
        else:
            errors[test] = np.abs(predicted - y[test])
            inside[test] = (bounds[:, 0] <= y[test]) & (y[test] <= bounds[:, 1])
        similar[test] = _nearest(bits, train, test)
    return Judged(name, kind, errors, familiar, similar, inside, np.full(len(y), np.nan))


def _fingerprints(smiles: Sequence[str]) -> list[Any]:
    from rdkit.Chem import rdFingerprintGenerator

    from molkd.items.molecules import chem

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    return [generator.GetFingerprint(chem.parse(text)) for text in smiles]


def _nearest(bits: Sequence[Any], train: Rows, test: Rows) -> Labels:
    from rdkit import DataStructs

    there = [bits[row] for row in train.tolist()]
    return np.array(
        [max(DataStructs.BulkTanimotoSimilarity(bits[row], there)) for row in test.tolist()]
    )


def report(every: Sequence[Judged]) -> str:
    """Returns both tables as Markdown."""
    lines = ["| task | familiarity | Tanimoto | 90 % held |", "|---|---:|---:|---:|"]
    for one in every:
        ratios = (one.ratio(one.familiar), one.ratio(one.similar))
        mark = "" if _plain(one.name) in CHOSEN else " (held back)"
        lines.append(
            f"| {_plain(one.name)}{mark} | {ratios[0]:.2f} | {ratios[1]:.2f} | "
            f"{100 * one.inside.mean():.1f} |"
        )
    lines += ["", "| tasks | familiarity | Tanimoto | familiarity over Tanimoto | larger than 1 |"]
    lines.append("|---|---:|---:|---:|---:|")
    groups: Mapping[str, Callable[[Judged], bool]] = {
        "chosen on": lambda one: _plain(one.name) in CHOSEN,
        "held back": lambda one: _plain(one.name) not in CHOSEN,
    }
    known: list[str] = []
    for group, belongs in groups.items():
        some = [one for one in every if belongs(one)]
        if len(some) > 1:
            lines.append(_summary(group, some))
        if len(some) > 1 and np.isfinite(some[0].fidelity).all():
            logs = np.log([one.ratio(one.familiar, one.fidelity) for one in some])
            known.append(f"{group}: {_geometric(logs)}, larger than 1 in {(logs > 0).sum()}.")
    if known:
        said = f"Errors of {DESCRIPTORS} in the least familiar tenth, over those of the rest: "
        lines += ["", said + " ".join(known)]
    lines += ["", _coverage(every)]
    return "\n".join(lines)


def _plain(name: str) -> str:
    return name.rpartition(":")[2]


def _summary(group: str, some: Sequence[Judged]) -> str:
    logs = np.log([[one.ratio(one.familiar), one.ratio(one.similar)] for one in some])
    columns = [logs[:, 0], logs[:, 1], logs[:, 0] - logs[:, 1]]
    said = " | ".join(_geometric(column) for column in columns)
    return f"| {group} ({len(some)}) | {said} | {(logs[:, 0] > 0).sum()} of {len(some)} |"


def _geometric(logs: Labels) -> str:
    """A geometric mean with its 95 % interval, by a bootstrap over tasks."""
    draws = np.random.default_rng(0).integers(len(logs), size=(RESAMPLES, len(logs)))
    low, high = np.exp(np.quantile(logs[draws].mean(axis=1), [0.025, 0.975]))
    return f"{np.exp(logs.mean()):.2f} [{low:.2f}, {high:.2f}]"


def _coverage(every: Sequence[Judged]) -> str:
    shares = np.array([100 * one.inside.mean() for one in every])
    within = int((np.abs(shares - 100 * CONFIDENCE) <= 3).sum())
    return (
        f"{100 * CONFIDENCE:g} % intervals and sets held {shares.mean():.1f} % on average over "
        f"{len(every)} tasks ({shares.min():.1f} to {shares.max():.1f}); {within} are within 3 "
        "points."
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Judges all tasks whose tables are there, and prints what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--model", default="molkd-small")
    parser.add_argument("--tasks", nargs="*", default=["tdc-single"])
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args(arguments)
    names, _ = tasks.present(options.tasks, data=options.data)
    work = partial(judged, options.rows, options.model)
    loaded = tasks.load(names, data=options.data)
    print(report(list(ordered_map(work, loaded, jobs=options.jobs))))  # noqa: T201


if __name__ == "__main__":
    main()
