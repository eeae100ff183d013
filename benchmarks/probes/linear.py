"""The linear probe: logistic and ridge regression, of one split or of several at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from molkd.benchmarks.probes.base import (
    LINKS,
    LOSSES,
    Answered,
    Fitted,
    Part,
    Question,
    about,
    check,
    spread,
    squared_error,
)
from molkd.benchmarks.probes.choice import Choice
from molkd.benchmarks.probes.design import NARROW, Design
from molkd.benchmarks.probes.krylov import Held
from molkd.benchmarks.probes.logistic import Fits, placed
from molkd.benchmarks.probes.ridge import Grams, ridge_path
from molkd.benchmarks.probes.standardised import Standardised, by_training_rows
from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import Labels
from molkd.types import Matrix


@dataclass(frozen=True, kw_only=True)
class Linear:
    """Logistic regression, of two or many classes, or ridge regression, each at its minimum.

    Attributes:
        strengths: inverse regularisations C of the logistic regression, ascending: each fit starts
            from the solution of the stronger one before.
        alphas: regularisations of the ridge regression, descending. Of equally good candidates
            of either kind the one with most regularisation wins.
        patience: candidates in a row without a smaller loss on the validation rows, after which
            weaker regularisations, the slowest fits of all, are not tried.
    """

    strengths: tuple[float, ...] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    alphas: tuple[float, ...] = tuple(float(alpha) for alpha in np.logspace(6, -1, 15))
    patience: int = 1

    @property
    def about(self) -> dict[str, object]:
        """See `Probe.about`."""
        return about(self, "linear", ["numpy", "scipy"])

    @threadpool_limits.wrap(limits=1)
    def fit(
        self,
        train: Part,
        valid: Part,
        *,
        kind: Kind,
        seed: int,  # noqa: ARG002  (part of the protocol)
    ) -> Fitted:
        """See `Probe.fit`; nothing here is random."""
        check(train, valid, kind)
        n = len(train.y)
        design = Design.of(np.concatenate([train.x, valid.x]))
        rows = Standardised.plain(design, np.arange(n), np.arange(n, n + len(valid.y)))
        ((plane, chosen),) = self._chosen([rows], [train.y], [valid.y], kind)
        coefficients, intercepts = placed(plane, design.order)
        classes = np.unique(train.y)

        def predict(x: Matrix) -> Labels:
            return LINKS[kind](_outputs(_line(x, coefficients, intercepts), classes, kind))

        return Fitted(predict, chosen)

    @threadpool_limits.wrap(limits=1)
    def answers(
        self, x: Matrix, questions: Sequence[Question], *, kind: Kind
    ) -> list[Answered] | None:
        """See `base.Shares`."""
        if not _askable(x, questions, kind):
            return None
        pool = np.unique(np.concatenate([part for q in questions for part in (q.train, q.valid)]))
        asked = np.unique(np.concatenate([q.test for q in questions]))
        design = Design.of(x[pool])
        others = design.alike(x[asked])
        parts = [
            (np.searchsorted(pool, q.train), np.searchsorted(pool, q.valid)) for q in questions
        ]
        views = by_training_rows(x[pool], design, parts)
        if views is None:
            return None
        chosen = self._chosen(
            views, [q.train_y for q in questions], [q.valid_y for q in questions], kind
        )
        classes, found = np.unique(questions[0].train_y), list[Answered]()
        for rows, question, (plane, settings) in zip(views, questions, chosen, strict=True):
            held, test = (
                LINKS[kind](
                    _outputs((rows.outputs(some, plane[:, :-1]) + plane[:, -1:]).T, classes, kind)
                )
                for some in (design.at(rows.held), others.at(np.searchsorted(asked, question.test)))
            )
            found.append(Answered(held, test, settings))
        return found

    def _chosen(
        self,
        views: Sequence[Standardised],
        train_ys: Sequence[Labels],
        valid_ys: Sequence[Labels],
        kind: Kind,
    ) -> list[tuple[Labels, dict[str, float]]]:
        """The best plane of each split, shape (k, d + 1), and its penalty."""
        if kind == "regression":
            grams = Grams()
            return [
                self._regress(*each, grams) for each in zip(views, train_ys, valid_ys, strict=True)
            ]
        classes, y = np.unique(train_ys[0]), np.zeros(views[0].design.shape[0])
        for view, train_y in zip(views, train_ys, strict=True):
            y[view.train] = np.searchsorted(classes, train_y)
        cuts = [view.cut(view.design.at(view.held)) for view in views]

        def measure(split: int, logits: Labels, plane: Labels) -> float:
            held = logits[:, views[split].held].T
            cut = cuts[split]
            held = held if cut is None else held + cut @ plane[:, :-1].T
            return LOSSES[kind](valid_ys[split], _outputs(held, classes, kind))

        fits = Fits(views, y, len(classes), self.strengths)
        places = Choice(fits, len(views), measure, self.patience).places().tolist()
        planes = fits.planes.reshape(len(views), len(self.strengths), *fits.planes.shape[1:])
        return [
            (planes[split, place], {"C": self.strengths[place]})
            for split, place in enumerate(places)
        ]

    def _regress(
        self, rows: Standardised, train_y: Labels, valid_y: Labels, grams: Grams
    ) -> tuple[Labels, dict[str, float]]:
        some = rows.design.at(rows.held)
        held = Held(valid_y, float(train_y.mean()), rows.cut(some))
        gram = grams.of(rows) if rows.design.shape[1] <= NARROW else None
        coefficients, intercepts = ridge_path(rows, train_y, self.alphas, gram=gram, held=held)
        predicted = rows.outputs(some, coefficients.T) + intercepts[:, np.newaxis]
        best = int(np.argmin([squared_error(valid_y, row) for row in predicted]))
        plane = np.append(coefficients[:, best], intercepts[best])[np.newaxis]
        return plane, {"alpha": self.alphas[best]}


def _askable(x: Matrix, questions: Sequence[Question], kind: Kind) -> bool:
    """Whether all are alike and nothing is wrong with them; else `check` says what, one by one."""
    rows = np.unique(np.concatenate([r for q in questions for r in (q.train, q.valid, q.test)]))
    values = [np.unique(q.train_y) for q in questions]
    alike = kind == "regression" or all(np.array_equal(each, values[0]) for each in values)
    enough = all(len(q.valid) and len(each) > 1 for q, each in zip(questions, values, strict=True))
    return alike and enough and bool(np.isfinite(x)[rows].all())


def _outputs(columns: Labels, classes: Labels, kind: Kind) -> Labels:
    """What `LOSSES` and `LINKS` read, of logits or values of shape (m, k)."""
    if kind != "multiclass":
        return columns[:, 0]
    if len(classes) == 2:  # one plane stands for both
        columns = np.pad(columns, ((0, 0), (1, 0)))
    return spread(columns, classes, absent=-np.inf)


@threadpool_limits.wrap(limits=1)
def _line(x: Matrix, coefficients: Labels, intercept: Labels) -> Labels:
    return x.astype(np.float64) @ coefficients + intercept
