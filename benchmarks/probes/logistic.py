"""Logistic regressions, of two or many classes, fitted side by side to their minima.

Splits of the same rows and penalties are fitted at once: a product of a matrix with 15 vectors
takes a fifth of the time of 15 products. Newton's equations are solved by conjugate gradients, in
single precision; gradients are in double. The preconditioner is a Hessian of mean weights, one per
penalty for all splits; see `hessian`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax

from molkd.benchmarks.probes.design import Design
from molkd.benchmarks.probes.hessian import Inverse, hessian_of
from molkd.benchmarks.probes.standardised import Standardised
from molkd.benchmarks.tasks.task import Labels
from molkd.types import Matrix, Rows

_MINIMUM = 1e-7
"""Newton decrement at which a fit ends: the square root of twice the nats above the minimum."""

_STEPS = 200
"""Most steps of Newton, and halvings of each; these losses take about six and none."""

_PRODUCTS = 500
"""Most steps of conjugate gradients for one step of Newton."""

_MANY = 8
"""Products for one step that are more than another Hessian is worth."""


class Fits:
    """Fits of S splits under C penalties each, of one label of the same rows.

    What each minimises is the summed log-loss of its training rows + |w|^2 / (2 strength).

    Attributes:
        planes: coefficients and, last, intercepts: shape (S C, k, d + 1); k is 1 of two classes.
        logits: of all rows, without a cut, shape (S C, k, n).
        finished: shape (S C,), which are at their minimum.
        stride: shape (S C,), the largest change of a logit in the last step.
    """

    def __init__(
        self, views: Sequence[Standardised], y: Labels, classes: int, strengths: Sequence[float]
    ) -> None:
        """Starts from planes that know no rows.

        Args:
            views: of one design.
            y: shape (n,), places of classes, 0 to `classes` - 1; any in rows that no split trains.
            classes: at least 2.
            strengths: C of each penalty.
        """
        self._design, self._y, many = views[0].design, y, len(views) * len(strengths)
        self._split = np.repeat(np.arange(len(views)), len(strengths))
        self._place = np.tile(np.arange(len(strengths)), len(views))
        self._penalty = 1 / np.array(strengths)
        self._masks = np.stack([view.mask for view in views])[:, np.newaxis]
        self._mean = np.stack([view.mean for view in views])
        self._factor = np.stack([view.factor for view in views])[:, np.newaxis]
        k, (n, d) = classes if classes > 2 else 1, self._design.shape
        self._view, self._products = views[0], 0
        self._inverses: dict[int, Inverse] = {}
        self.planes, self.logits = np.zeros((many, k, d + 1)), np.zeros((many, k, n))
        self.finished, self.stride = np.zeros(many, dtype=np.bool_), np.full(many, np.inf)
        self._decrement = np.full(many, np.inf)

    def follow(self, which: int) -> None:
        """Starts a fit where the one of the penalty before has come to."""
        self.planes[which], self.logits[which] = self.planes[which - 1], self.logits[which - 1]

    def finish(self, which: Rows) -> None:
        """Goes to the minimum of some."""
        for _ in range(_STEPS):
            left = which[~self.finished[which]]
            if not len(left):
                return
            self.step(left)

    def step(self, which: Rows) -> None:
        """One step of Newton of some that are not finished, shortened until the losses fall."""
        chances = self._chances(self.logits[which])
        gradient = self._transposed(self._residuals(chances, which), which)
        self._penalise(gradient, self.planes[which], which)
        self._prepare(chances, which)
        first = self._precondition(gradient, which)
        size = np.sqrt(np.maximum(_inner(gradient, first), 0.0))
        stuck = (size < 1e-6) & (size > 0.5 * self._decrement[which])  # as near as rounding allows
        ended = (size <= _MINIMUM) | stuck
        self._decrement[which], self.finished[which] = size, ended
        on, which = ~ended, which[~ended]
        if len(which):
            share = np.clip(size[on], 1e-2, 0.1)
            move, along = self._solved(gradient[on], first[on], chances[on], which, share)
            self._search(move, along, which)

    def _search(self, move: Labels, along: Labels, which: Rows) -> None:
        """Moves by the first of 1, 1/2, 1/4, ... of a step that does not raise the loss."""
        before = self._losses(self.planes[which], self.logits[which], which)
        size = np.ones((len(which), 1, 1))
        for _ in range(_STEPS):
            after = self._losses(
                self.planes[which] - size * move, self.logits[which] - size * along, which
            )
            worse = after > before + 1e-10 * np.abs(before)
            if not worse.any():
                break
            size[worse] /= 2
        self.planes[which] -= size * move
        self.logits[which] = self._times(self.planes[which], which)
        self.stride[which] = size[:, 0, 0] * np.abs(along).max(axis=(1, 2))

    def _solved(
        self, gradient: Labels, first: Labels, chances: Labels, which: Rows, share: Labels
    ) -> tuple[Labels, Labels]:
        """Newton's steps up to a share of the residuals, and what they do to the logits."""
        residual, direction = gradient.copy(), first
        inner = start = _inner(residual, first)
        found, moved = np.zeros_like(gradient), np.zeros_like(chances)
        live, self._products = np.arange(len(which)), 0
        while len(live) and self._products < _PRODUCTS:
            self._products += 1
            along = self._times(direction, which[live], rough=True)
            bent = self._bent(chances[live], along, which[live])
            bent = self._transposed(bent, which[live], rough=True)
            self._penalise(bent, direction, which[live])
            length = _column(_ratio(inner, _inner(direction, bent)))
            found[live] += length * direction
            moved[live] += length * along
            residual -= length * bent
            solved = self._precondition(residual, which[live])
            former, inner = inner, _inner(residual, solved)
            direction = solved + _column(_ratio(inner, former)) * direction
            on = inner > share[live] ** 2 * start[live]
            live, residual, direction, inner = live[on], residual[on], direction[on], inner[on]
        return found, moved

    def _times(self, planes: Labels, which: Rows, *, rough: bool = False) -> Labels:
        """Logits of planes, shape (m, k, n)."""
        split = self._split[which]
        v = planes[..., :-1] * self._factor[split]
        off = planes[..., -1] - np.einsum("mkd,md->mk", v, self._mean[split])
        found = self._design.times(v.reshape(len(v) * v.shape[1], v.shape[2]), rough=rough)
        return found.reshape(*v.shape[:2], -1) + off[..., np.newaxis]

    def _transposed(self, r: Labels, which: Rows, *, rough: bool = False) -> Labels:
        """Sums over rows of residuals times what multiplies planes, shape (m, k, d + 1)."""
        split, sums = self._split[which], r.sum(axis=2)
        flat = self._design.transposed_times(r.reshape(-1, r.shape[2]), rough=rough)
        found = np.empty((*r.shape[:2], flat.shape[1] + 1))
        found[..., :-1] = flat.reshape(*r.shape[:2], flat.shape[1])
        found[..., :-1] -= sums[..., np.newaxis] * self._mean[split][:, np.newaxis]
        found[..., :-1] *= self._factor[split]
        found[..., -1] = sums
        return found

    def _penalise(self, gradient: Labels, planes: Labels, which: Rows) -> None:
        gradient[..., :-1] += _column(self._penalty[self._place[which]]) * planes[..., :-1]

    def _chances(self, logits: Labels) -> Labels:
        return expit(logits) if logits.shape[1] == 1 else softmax(logits, axis=1)

    def _residuals(self, chances: Labels, which: Rows) -> Labels:
        """First derivatives of the losses by logits; 0 in rows that are not trained on."""
        residuals = chances - (self._y if chances.shape[1] == 1 else self._hot(chances.shape[1]))
        residuals *= self._masks[self._split[which]]
        return residuals

    def _hot(self, classes: int) -> Labels:
        return (self._y == np.arange(classes)[:, np.newaxis]).astype(np.float64)

    def _bent(self, chances: Labels, along: Labels, which: Rows) -> Labels:
        """Second derivatives by logits, times a direction, each of shape (m, k, n)."""
        masks = self._masks[self._split[which]]
        if chances.shape[1] == 1:
            return chances * (1 - chances) * masks * along
        middle = (chances * along).sum(axis=1, keepdims=True)
        return chances * (along - middle) * masks

    def _losses(self, planes: Labels, logits: Labels, which: Rows) -> Labels:
        """What is minimised, shape (m,)."""
        if logits.shape[1] == 1:
            logs = log_expit(logits * np.where(self._y > 0, 1.0, -1.0))
        else:
            logs = log_softmax(logits, axis=1) * self._hot(logits.shape[1])
        loss = -(logs * self._masks[self._split[which]]).sum(axis=(1, 2))
        squares = np.einsum("mkd,mkd->m", planes[..., :-1], planes[..., :-1])
        return loss + self._penalty[self._place[which]] / 2 * squares

    def _prepare(self, chances: Labels, which: Rows) -> None:
        """Decomposes the Hessian of each penalty, of mean weights, as long as that is worth it."""
        again = self._products > _MANY and len(self._view.train) >= 2 * self._design.shape[1]
        places = self._place[which]
        if not self._inverses:  # all planes are 0, and their weights the same
            common = self._hessian(chances)
            for place in np.unique(places).tolist():
                self._inverses[place] = Inverse(*common, float(self._penalty[place]))
            return
        for place in np.unique(places).tolist():
            own = places == place
            if place not in self._inverses or (again and self._decrement[which[own]].max() > 1e-2):
                self._inverses[place] = Inverse(
                    *self._hessian(chances[own]), float(self._penalty[place])
                )

    def _hessian(self, chances: Labels) -> tuple[Matrix, Labels, Labels, float]:
        """See `hessian_of`; of the mean weights of some fits, and their sum."""
        weights = (chances * (1 - chances)).mean(axis=(0, 1))
        weights *= len(self._view.train) / len(weights)
        return *hessian_of(self._view, weights), float(weights.sum())

    def _precondition(self, gradient: Labels, which: Rows) -> Labels:
        found = np.empty_like(gradient)
        for place in np.unique(self._place[which]).tolist():
            own = self._place[which] == place
            found[own] = self._inverses[place].solve(gradient[own])
        return found


def _inner(one: Labels, other: Labels) -> Labels:
    return np.einsum("mkd,mkd->m", one, other)


def _ratio(one: Labels, other: Labels) -> Labels:
    """0 where the other is not positive: nothing is left to go."""
    return np.divide(one, other, out=np.zeros_like(one), where=other > 0)


def _column(values: Labels) -> Labels:
    return values[:, np.newaxis, np.newaxis]


def minimum(x: Matrix, y: Labels, strength: float) -> tuple[Labels, Labels]:
    """Fits a logistic regression of strength C.

    Args:
        x: shape (n, d), float32.
        y: shape (n,), places of classes: 0 or 1, or 0 to k - 1 for k > 2.
        strength: C.

    Returns:
        Coefficients of shape (d, k) and intercepts of shape (k,); k is 1 of two classes.
    """
    rows = Standardised.plain(Design.of(x), np.arange(len(x)), np.arange(0))
    fits = Fits([rows], y, int(y.max()) + 1, [strength])
    fits.finish(np.arange(1))
    return placed(fits.planes[0], rows.design.order)


def placed(plane: Labels, order: Rows) -> tuple[Labels, Labels]:
    """Coefficients of shape (d, k) in the order of the columns, and intercepts, shape (k,)."""
    coefficients = np.empty((plane.shape[1] - 1, len(plane)))
    coefficients[order] = plane[:, :-1].T
    return coefficients, plane[:, -1]
