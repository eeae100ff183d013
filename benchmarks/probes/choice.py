"""The penalty of a logistic regression: fits are finished only where that decides which is best."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from molkd.benchmarks.probes.krylov import DOUBT
from molkd.benchmarks.probes.logistic import Fits
from molkd.benchmarks.tasks.task import Labels
from molkd.types import Rows

_SHORT = 1.0
"""Change of logits in a step of Newton up to which the next is taken to be shorter."""

_UNKNOWN = 1e300
"""Loss of what is not measured yet."""

_ROUNDS = 1000
"""Most steps of all fits; a few dozen are usual."""


class Choice:
    """Which penalty of each split has least loss on its validation rows.

    A fit is finished only where that decides: one that is worse beyond doubt is left where it is.
    """

    def __init__(
        self,
        fits: Fits,
        splits: int,
        measure: Callable[[int, Labels, Labels], float],
        patience: int,
    ) -> None:
        """Measures nothing yet.

        Args:
            fits: of the splits; penalties descending.
            splits: how many.
            measure: (split, logits of all rows of shape (k, n), planes (k, d + 1)) -> loss.
            patience: penalties in a row without a smaller loss, after which no other is asked.
        """
        self._fits, self._measure, self._patience = fits, measure, patience
        self._losses = np.full((splits, len(fits.finished) // splits), _UNKNOWN)
        self._changes = np.full_like(self._losses, np.inf)

    def places(self) -> Rows:
        """Fits what has to be, and returns the best penalty of each split, at its minimum."""
        fits, many = self._fits, self._losses.shape[1]
        looked: list[tuple[int, list[int]]] = []
        for _ in range(_ROUNDS):
            looked = [self._look(split) for split in range(len(self._losses))]
            left = np.array([s * many + c for s, (_, asked) in enumerate(looked) for c in asked])
            if not len(left):
                break
            for index in left.tolist():
                if index % many > self._patience + 1 and self._losses.flat[index] == _UNKNOWN:
                    fits.follow(index)
            fits.step(left)
            for index in left.tolist():
                self._update(*divmod(index, many))
        return np.array([best for best, _ in looked])

    def _look(self, split: int) -> tuple[int, list[int]]:
        """The best so far, and which fits must go on."""
        losses, changes, best = self._losses[split], self._changes[split], 0
        many = len(losses)
        finished = self._fits.finished[split * many : (split + 1) * many]
        for place in range(1, many):
            doubt = DOUBT * (changes[best] + changes[place])
            if not abs(losses[place] - losses[best]) > doubt and not (
                finished[place] and finished[best]
            ):
                beyond = range(place + 1, min(place + self._patience + 1, many))
                asked = [best, place, *(c for c in beyond if changes[c] > 1e-3 * losses[c])]
                return best, [c for c in asked if not finished[c]]
            if losses[place] < losses[best]:
                best = place
            if place - best >= self._patience:
                break
        return best, [] if finished[best] else [best]

    def _update(self, split: int, place: int) -> None:
        fits, index = self._fits, split * self._losses.shape[1] + place
        former = self._losses[split, place]
        loss = self._measure(split, fits.logits[index], fits.planes[index])
        change = abs(loss - former) if fits.stride[index] < _SHORT else np.inf
        self._losses[split, place] = loss
        self._changes[split, place] = 0.0 if fits.finished[index] else change
