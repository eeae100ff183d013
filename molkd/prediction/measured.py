"""A chemist's table of measured compounds: what of it can be learnt from, and why not the rest."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from molkd.benchmarks.tasks import molecule_keys, reading
from molkd.benchmarks.tasks.task import Labels
from molkd.errors import InputError
from molkd.formats import readers
from molkd.formats.columns import Columns, is_own
from molkd.items.molecules.modality import SMILES
from molkd.items.molecules.standardization import Standardization, standardize_all
from molkd.library.cards import Card, Section
from molkd.library.given import as_file
from molkd.library.results import Shown, shown
from molkd.prediction import labels
from molkd.prediction.labels import Kind

LEAST, LEAST_OF_CLASS = 20, 8
"""Different compounds below which nothing is fitted, and of each class."""

_SHOWN = 5


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Measured(Shown):
    """Different compounds, each with one label.

    Attributes:
        target: the column that was read.
        kind: what labels are.
        classes: names of the classes 0 and 1; empty where labels are numbers.
        smiles: canonical, one per compound, in the order of their first rows.
        y: shape (n,), numbers, or classes 0 and 1.
        reasons: row of the table, counted from 0 -> why it is not among them.
        notes: what else was noticed, in sentences.
        standardize: what was done to the molecules before they were told apart.
    """

    target: str
    kind: Kind
    classes: tuple[str, ...]
    smiles: tuple[str, ...]
    y: Labels
    reasons: Mapping[int, str]
    notes: tuple[str, ...]
    standardize: Standardization = "none"

    def __len__(self) -> int:
        return len(self.smiles)

    def __str__(self) -> str:
        return f"{len(self)} compounds with {self.target}: {self.labels()}"

    def labels(self) -> str:
        """Returns what the labels are, in words."""
        if not self.classes:
            return "numbers"
        ones = int(self.y.sum())
        return f"{ones} {self.classes[1]}, {len(self) - ones} {self.classes[0]}"

    def label(self, row: int) -> str:
        """Returns the label of a compound as it is shown."""
        return self.classes[int(self.y[row])] if self.classes else shown(float(self.y[row]))

    def left_out(self) -> list[str]:
        """Returns how many rows of the table are not among them, and the first with reasons."""
        if not self.reasons:
            return []
        count, more = len(self.reasons), len(self.reasons) - _SHOWN
        rows = "row of the table was" if count == 1 else "rows of the table were"
        return [
            f"{count} {rows} left out:",
            *[f"  row {row}: {why}" for row, why in list(self.reasons.items())[:_SHOWN]],
            *([f"  ... and {more} more"] if more > 0 else []),
        ]

    def describe(self) -> str:
        """Returns what there is, a sentence a line."""
        return "\n".join([str(self), *self.left_out(), *self.notes])

    def sections(self, most: int) -> list[Section]:
        """Returns the first compounds."""
        cards = [
            Card(smiles, "", ((self.target, self.label(row)),))
            for row, smiles in enumerate(self.smiles[: min(most, 2 * _SHOWN)])
        ]
        return [Section(f"The first {len(cards)}", cards=tuple(cards))]

    @property
    def scaffolds(self) -> list[str]:
        """What stays together in folds by scaffold, one per compound."""
        return [molecule_keys.scaffold(text) for text in self.smiles]


def read(
    path: Any,
    target: str,
    *,
    column: str | None = None,
    kind: Kind | None = None,
    positive: str | None = None,
    standardize: Standardization = "none",
) -> Measured:
    """Reads measured compounds.

    Labels are numbers, or two classes: two different texts, or two different numbers. A compound of
    several rows counts once, with the mean of its numbers; one whose rows say both classes is left
    out. Compounds are told apart by their canonical SMILES with stereochemistry.

    Args:
        path: file in any format that `molkd embed` reads, of an SD file the properties; or a data
            frame.
        target: column of the labels.
        column: of the SMILES; by default the one with a usual name.
        kind: "regression" or "classification" where two numbers shall be values, or are meant.
        positive: the class whose probability is predicted; by default one that means yes, else
            the later one by alphabet.
        standardize: what is done to the molecules first: none, light or full; that of the library
            that is to be predicted.

    Raises:
        InputError: the table cannot be read, a column is not there or there twice, labels are
            neither numbers nor two classes, or too few compounds are left.
    """
    is_file = isinstance(path, str | Path)
    place = str(path) if is_file else "the data frame"
    if is_own(target):
        raise InputError(
            f"{place}: {target!r} is what molkd calls a column of its own, as that of SMILES: name "
            "that of the values, or rename it"
        )
    with as_file(path if is_file else reading.of(path), column, (target,)) as source:
        items, texts, unread = _read(source, column, target)
    if texts and items == texts:
        raise InputError(f"{place}: {target!r} is the column of SMILES: name that of the values")
    reasons = {row: "no value" for row, text in enumerate(texts) if not text} | unread
    y, classes, wrong = labels.read(texts, kind, positive, f"{place}, column {target!r}")
    reasons = wrong | reasons
    rows = [row for row in range(len(items)) if row not in reasons]
    written, failed = standardize_all([items[row] for row in rows], standardize)
    reasons |= {rows[at]: why for at, why in failed.items()}
    keys: dict[str, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        if at not in failed:
            keys[written[at]].append(row)
    merged, notes, contradictory = _merged(keys, y, classes)
    reasons |= contradictory
    measured = Measured(
        target=target,
        kind="classification" if classes else "regression",
        classes=classes,
        smiles=tuple(merged),
        y=np.array(list(merged.values())),
        reasons=dict(sorted(reasons.items())),
        notes=tuple(notes),
        standardize=standardize,
    )
    check(measured, place)
    return measured


def _read(
    source: str | Path, column: str | None, target: str
) -> tuple[list[Any], list[str], dict[int, str]]:
    """Molecules and texts of a column, "" for a missing one; row -> why it cannot be read."""
    items, texts, reasons = list[Any](), list[str](), dict[int, str]()
    for chunk in readers.read(source, Columns(column, keep=(target,))):
        items += chunk.items
        missing = [None] * len(chunk)
        kept = [(text or "").strip() for text in chunk.kept.get(target, missing)]
        texts += ["" if text in SMILES.missing else text for text in kept]
        reasons |= {chunk.row0 + row: why for row, why in chunk.failures.items()}
    return items, texts, reasons


def _merged(
    keys: Mapping[str, Sequence[int]], y: Labels, classes: tuple[str, ...]
) -> tuple[dict[str, float], list[str], dict[int, str]]:
    """Compound -> label; notes; row -> why it is left out."""
    several = {key: list(rows) for key, rows in keys.items() if len(rows) > 1}
    torn = {key for key, rows in several.items() if classes and np.ptp(y[rows])}
    merged = {key: float(y[list(rows)].mean()) for key, rows in keys.items() if key not in torn}
    notes: list[str] = []
    same = len(several) - len(torn)
    if same:
        rows = sum(len(several[key]) for key in several.keys() - torn)
        notes.append(f"{_count(same)} in more than one row ({rows} rows), counted once")
        differing = {key: rows for key, rows in several.items() if np.ptp(y[rows]) and not classes}
        if differing:
            notes[0] += _spread(differing, y)
    reasons = {
        row: f"the same compound is {classes[0]} in one row and {classes[1]} in another (rows "
        f"{', '.join(map(str, several[key]))})"
        for key in torn
        for row in several[key]
    }
    if torn:
        notes.append(f"{_count(len(torn))} in both classes, left out")
    return merged, notes, reasons


def _count(compounds: int) -> str:
    return "1 compound" if compounds == 1 else f"{compounds} compounds"


def _spread(differing: Mapping[str, list[int]], y: Labels) -> str:
    within = sum(float(((y[rows] - y[rows].mean()) ** 2).sum()) for rows in differing.values())
    free = sum(len(rows) - 1 for rows in differing.values())
    worst = max(differing.values(), key=lambda rows: float(np.ptp(y[rows])))
    low, high = worst[int(y[worst].argmin())], worst[int(y[worst].argmax())]
    return (
        f"; {len(differing)} of them with different values, which were averaged: up to "
        f"{np.ptp(y[worst]):.3g} apart (rows {low} and {high}), standard deviation "
        f"{math.sqrt(within / free):.3g}: no model can be expected to err less"
    )


def check(measured: Measured, path: str) -> None:
    """Refuses what cannot be cross-validated.

    Raises:
        InputError: there are too few compounds, or of a class, or all labels are equal.
    """
    reasons = Counter(measured.reasons.values()).most_common(_SHOWN)
    why = "".join(f"\n  {count} rows: {reason}" for reason, count in reasons)
    if len(measured) < LEAST:
        raise InputError(
            f"{path}: {len(measured)} different compounds with a value of {measured.target!r} are "
            f"too few: give at least {LEAST}, better 50{why}"
        )
    if measured.y.min() == measured.y.max():
        what = measured.classes[int(measured.y[0])] if measured.classes else f"{measured.y[0]:g}"
        raise InputError(
            f"{path}: {measured.target!r} is {what} for every compound that is left: there is "
            f"nothing to learn{why}"
        )
    for place, name in enumerate(measured.classes):
        count = int((measured.y == place).sum())
        if count < LEAST_OF_CLASS:
            raise InputError(
                f"{path}: {count} compounds are {name!r}: give at least {LEAST_OF_CLASS} of each "
                f"class{why}"
            )
