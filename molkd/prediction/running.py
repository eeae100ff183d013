"""From measured compounds to a model: three models cross-validated, the best one fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from molkd import students
from molkd.errors import ConfigError
from molkd.prediction import features, learners, reliability
from molkd.prediction.facts import Facts
from molkd.prediction.features import READS, SideBySide
from molkd.prediction.learners import ModelOf
from molkd.prediction.measured import Measured, check
from molkd.prediction.predictor import Predictor
from molkd.prediction.scores import Comparison, compare
from molkd.prediction.settings import TrialSettings
from molkd.prediction.trial import Trial
from molkd.prediction.validation import SPLITS, Compounds, HeldOut, Split, cross_validate
from molkd.students import Student, shipped
from molkd.types import Embeddings

_EXAMPLE = 8
"""Rows by which a file is checked when it is read."""


def run(
    measured: Measured,
    student: str | Path | Student[Any, Any, Any] = shipped.DEFAULT,
    settings: TrialSettings | None = None,
    *,
    name: str | None = None,
    jobs: int = 1,
    progress: bool = True,
) -> Trial:
    """Cross-validates three models on measured compounds, and fits one of them to all.

    Args:
        measured: see `molkd.prediction.read_measured`.
        student: whose embedding is tried, or its name or folder.
        settings: see `TrialSettings`.
        name: what the student is called; by default as its folder.
        jobs: processes; they change no number.
        progress: whether to show progress.

    Raises:
        ConfigError: the student reads no molecules.
        InputError: too few compounds or scaffolds are left.
    """
    settings = settings or TrialSettings()
    student, name = _student(student, name)
    others: dict[ModelOf, SideBySide] = {
        rival: SideBySide(names, measured.standardize) for rival, names in READS.items()
    }
    read: dict[ModelOf, Embeddings] = {
        rival: features.whole(rows, measured.smiles, jobs=jobs) for rival, rows in others.items()
    }
    read["embedding"] = student.embed(list(measured.smiles))
    measured, x = _readable(measured, read)
    scaffolds = np.unique(measured.scaffolds, return_inverse=True)[1]
    compounds = Compounds(x, measured.y, scaffolds, measured.kind, settings.seed)
    found = cross_validate(
        compounds, repeats=settings.repeats_of(len(measured)), jobs=jobs, progress=progress
    )
    compared = {split: _compared(compounds, found, split) for split in SPLITS}
    told = settings.model_of
    model: ModelOf = told if told != "better" else compared["scaffold"].best
    reads = others.get(model)
    source = (str(reads), reads.digest) if reads else (name, student.digest)
    return Trial(
        measured=measured,
        settings=settings,
        scaffolds=int(scaffolds.max()) + 1,
        compared=compared,
        predictor=_fitted(measured, compounds, model, source, found["scaffold", model]),
    )


def _student(
    student: str | Path | Student[Any, Any, Any], name: str | None
) -> tuple[Student[Any, Any, Any], str]:
    """One that reads molecules, and what it is called."""
    if not isinstance(student, Student):
        name, student = name or shipped.label_of(str(student)), students.load(student)
    name = name or (student.folder.name if student.folder else "the student")
    if student.modality != "molecules":
        raise ConfigError(f"{name} reads {student.modality}: choose a student of molecules")
    return student, name


def _fitted(
    measured: Measured,
    compounds: Compounds,
    model: ModelOf,
    source: tuple[str, str],
    held_out: HeldOut,
) -> Predictor:
    """A model of all compounds; `source` is what it reads, and the digest of that."""
    estimator = compounds.fitted(model, np.arange(len(measured)))
    x, numbers = compounds.x[model], measured.kind == "regression"
    counted = features.COUNTED if model in READS else 0
    facts = Facts(
        target=measured.target,
        kind=measured.kind,
        classes=measured.classes,
        model=model,
        described=learners.described(estimator),
        reads=source[0],
        reads_digest=source[1],
        standardize=measured.standardize,
    )
    return Predictor(
        facts=facts,
        estimator=estimator,
        smiles=measured.smiles,
        y=measured.y,
        held_out=held_out,
        example=x[:_EXAMPLE],
        expected=reliability.learn(x, measured.y, held_out, counted=counted) if numbers else None,
    )


def _readable(
    measured: Measured, read: Mapping[ModelOf, Embeddings]
) -> tuple[Measured, dict[ModelOf, Any]]:
    """The compounds that every model can read."""
    valid = np.logical_and.reduce([np.isfinite(each.values).all(axis=1) for each in read.values()])
    x: dict[ModelOf, Any] = {model: each.values[valid] for model, each in read.items()}
    if valid.all():
        return measured, x
    lost = np.flatnonzero(~valid).tolist()
    why = {row: why for each in read.values() for row, why in each.failures.items()}
    note = (
        f"{len(lost)} compounds were left out, for one of the models cannot read them: "
        f"{measured.smiles[lost[0]]}: {why[lost[0]]}"
    )
    kept = np.flatnonzero(valid)
    rest = replace(
        measured,
        smiles=tuple(measured.smiles[row] for row in kept.tolist()),
        y=measured.y[kept],
        notes=(*measured.notes, note),
    )
    check(rest, "what is left of the table")
    return rest, x


def _compared(
    compounds: Compounds, found: Mapping[tuple[Split, ModelOf], HeldOut], split: Split
) -> Comparison:
    own: dict[ModelOf, HeldOut] = {
        model: each for (kind, model), each in found.items() if kind == split
    }
    return compare(compounds.y, own, compounds.scaffolds, kind=compounds.kind, seed=compounds.seed)
