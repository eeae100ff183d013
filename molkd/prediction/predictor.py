"""A model of measured compounds that was fitted to all of them, and what it says of a library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from molkd.benchmarks.tasks import molecule_keys
from molkd.benchmarks.tasks.task import Labels
from molkd.errors import ConfigError, InputError
from molkd.library import Library, of
from molkd.library.results import Shown
from molkd.library.table import refuse_incomplete
from molkd.prediction import conformal, learners, molecules, reliability
from molkd.prediction.facts import Facts
from molkd.prediction.features import READS, SideBySide, streamed
from molkd.prediction.predictions import Predictions
from molkd.prediction.reliability import ExpectedErrors
from molkd.prediction.validation import HeldOut
from molkd.runtime.processes import ordered_map
from molkd.types import Matrix

_AT_ONCE = 4096
"""Molecules that are predicted, or written canonically, at once."""


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Predictor(Shown):
    """A fitted model, and how far off it was where it had not seen the scaffold.

    Attributes:
        facts: what it is.
        estimator: of scikit-learn.
        smiles: canonical, the compounds it learnt from.
        y: shape (n,), their labels.
        held_out: predictions of them by folds of scaffolds, from which intervals are made.
        example: shape (e, d), some of the rows it learnt from, by which a file is checked.
        expected: how far off numbers are expected to be; None of classes, and of a file that was
            written before there was such a thing.
    """

    facts: Facts
    estimator: Any
    smiles: Sequence[str]
    y: Labels
    held_out: HeldOut
    example: Matrix
    expected: ExpectedErrors | None = None

    def __str__(self) -> str:
        facts = self.facts
        return f"{facts.target} from {facts.reads} by {facts.described}, of {len(self.y)} compounds"

    def held(self, confidence: float = 0.9) -> float:
        """Returns the share of held-out compounds whose label was in its interval or set."""
        return float(self._held_by_compound(confidence).mean())

    def _held_by_compound(self, confidence: float) -> Labels:
        found, classes = self.held_out, bool(self.facts.classes)
        difficulty = self.expected.judging if self.expected else None
        return conformal.held(
            self.y, found.values, found.folds, confidence, classes=classes, difficulty=difficulty
        )

    @property
    def excess(self) -> float | None:
        """How much farther off the least reliable held-out compounds were than the others.

        Of classes, by squared errors of probabilities. None where no compound is known to be much
        less reliable than others.
        """
        off = np.abs(self.held_out.values - self.y)
        if self.facts.classes:
            known, off = reliability.uncertain(self.held_out.values), off**2
        elif self.expected:
            known = self.expected.held_out
        else:
            return None
        low = self._scores(known) < reliability.LOW
        if not low.any() or low.all() or not off[~low].any():
            return None
        return float(off[low].mean() / off[~low].mean())

    def _scores(self, expected: Labels) -> Labels:
        if self.expected:
            return self.expected.scores(expected)
        return reliability.scores(expected, reliability.uncertain(self.held_out.values))

    def predict(self, library: Any, *, confidence: float = 0.9, jobs: int = 1) -> Predictions:
        """Predicts all molecules of a library, one row each.

        Args:
            library: its embeddings are read where the model reads a student, else its SMILES; or
                what `molkd.library.of` takes, which is embedded first where that is needed.
            confidence: share of the intervals or sets that shall hold the true value.
            jobs: processes.

        Raises:
            InputError: the embeddings are not those of the student that the model reads.
            ConfigError: the confidence is not between 0.5 and 1.
        """
        check_confidence(confidence)
        library = self._opened(library, jobs)
        values, scores, expected = np.full((3, len(library)), np.nan)
        doubts: dict[int, str] = {}
        reasons: dict[int, str] = {}
        start = 0
        for rows, failures in self._rows(library, jobs):
            here = start + np.flatnonzero(np.isfinite(rows).all(axis=1))
            x = rows[here - start]
            values[here] = learners.predict(self.estimator, x)
            expected[here], scores[here], why = self._reliable(x, values[here])
            doubts |= {int(here[place]): words for place, words in why.items()}
            reasons |= {start + row: why for row, why in failures.items()}
            start += len(rows)
        lost = np.flatnonzero(np.isnan(values)).tolist()
        reasons |= {row: library.reasons[row] for row in lost if row in library.reasons}
        return Predictions(
            facts=self.facts,
            ids=library.ids,
            smiles=library.smiles,
            values=values,
            bounds=self._bounds(values, expected, confidence),
            reliability=scores,
            doubts=doubts,
            measured=self._measured(library.smiles, jobs),
            reasons=dict(sorted(reasons.items())),
            confidence=confidence,
            held=self.held(confidence),
        )

    def _reliable(self, x: Matrix, values: Labels) -> tuple[Labels, Labels, Mapping[int, str]]:
        """Expected errors, scores, and reasons of the low ones; NaN where nothing is known."""
        if self.expected:
            expected, parts = self.expected.of(x, values)
        elif self.facts.classes:
            expected, parts = reliability.uncertain(values), None
        else:
            nothing = np.full(len(values), np.nan)
            return nothing, nothing, {}
        scores = self._scores(expected)
        return expected, scores, reliability.reasons(scores, parts)

    def _bounds(self, values: Labels, expected: Labels, confidence: float) -> Labels:
        difficulty = (expected, self.expected.held_out) if self.expected else None
        return conformal.bounds(
            values,
            self.held_out.values,
            self.y,
            confidence,
            classes=bool(self.facts.classes),
            difficulty=difficulty,
        )

    def _opened(self, library: Any, jobs: int) -> Library:
        """A library as it is; of anything else no more is read than the model asks for."""
        if isinstance(library, Library):
            return library
        if self.facts.model in READS:
            return molecules.opened(library)
        own = self.facts
        return of(library, model=own.reads, standardize=own.standardize, jobs=jobs)

    def _rows(self, library: Library, jobs: int) -> Iterator[tuple[Matrix, Mapping[int, str]]]:
        if (names := READS.get(self.facts.model)) is not None:
            reads = SideBySide(names, self.facts.standardize)
            if reads.digest != self.facts.reads_digest:
                raise InputError(
                    f"the model was fitted to {self.facts.reads} with digest "
                    f"{self.facts.reads_digest[:12]}, and here they have {reads.digest[:12]}: fit "
                    "it again with this RDKit and molkd"
                )
            for part in streamed(reads, library.smiles, jobs=jobs):
                yield part.values, part.failures
            return
        if library.model_digest != self.facts.reads_digest:
            raise InputError(
                f"the library was embedded by {library.model or 'a student'} with digest "
                f"{library.model_digest[:12] or 'unknown'}, but the model reads {self.facts.reads} "
                f"with {self.facts.reads_digest[:12]}: embed the library with that student"
            )
        if library.standardize != self.facts.standardize:
            raise InputError(
                f"the library was embedded with standardize {library.standardize!r}, and the model "
                f"was fitted with {self.facts.standardize!r}: fit it with that of the library, or "
                f"embed the library with --standardize {self.facts.standardize}"
            )
        refuse_incomplete(library, self.example.shape[1], "the model")
        for start in range(0, len(library), _AT_ONCE):
            yield library.values[start : start + _AT_ONCE], {}

    def _measured(self, smiles: Sequence[str], jobs: int) -> Labels:
        """Shape (n,): the label of molecules it learnt from, NaN of all others."""
        source = iter(smiles)
        chunks = iter(lambda: tuple(islice(source, _AT_ONCE)), ())
        jobs = jobs if len(smiles) > 2 * _AT_ONCE else 1
        found = ordered_map(self._labels, chunks, jobs=jobs)
        return np.concatenate([np.empty(0), *found])

    @cached_property
    def _labels(self) -> _Known:
        labels = dict(zip(self.smiles, self.y.tolist(), strict=True))
        return _Known(labels, self.facts.standardize)


@dataclass(frozen=True)
class _Known:
    """Looks molecules up; picklable."""

    labels: Mapping[str, float]
    standardize: Any

    def __call__(self, smiles: Sequence[str]) -> Labels:
        keys = [molecule_keys.canonical(text, self.standardize) if text else "" for text in smiles]
        return np.array([self.labels.get(key or "", np.nan) for key in keys])


def check_confidence(confidence: float) -> None:
    """Refuses a share that makes no sense.

    Raises:
        ConfigError: it is not between 0.5 and 1.
    """
    if not 0.5 <= confidence < 1:
        raise ConfigError(f"the confidence must be at least 0.5 and less than 1, not {confidence}")
