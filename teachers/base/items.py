"""What every teacher of texts or images is: a scikit-learn transformer over any column of items.

A family implements `card`, `_read` and `_compute`; keeping rows and reasons together lives here.
Teachers of molecules are molfeat featurizers too: see `molkd.teachers.base.molecules`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin

from molkd.errors import ItemError
from molkd.failures import aligned
from molkd.items.images import decoding
from molkd.items.texts import reading
from molkd.types import Embeddings, Matrix, TeacherCard

ReadT = TypeVar("ReadT")


class ItemTeacher(TransformerMixin, BaseEstimator, Generic[ReadT]):
    """A frozen encoder of items that are read before it sees them."""

    _loaded: Any = None  # what is read from disk when first needed; never pickled

    @property
    @abstractmethod
    def card(self) -> TeacherCard:
        """What it is, and everything that decides its numbers."""

    @staticmethod
    @abstractmethod
    def _read(items: Sequence[object]) -> tuple[list[ReadT], list[int], dict[int, str]]:
        """Returns the items that can be read, their rows, and row -> reason for others."""

    @abstractmethod
    def _compute(self, readable: list[ReadT]) -> tuple[npt.NDArray[Any], Mapping[int, str]]:
        """Embeds readable items, in order.

        Returns:
            Shape (len(readable), card.dim), and position -> reason for rows that came out NaN.
        """

    def embed(self, items: Sequence[Any], /) -> Embeddings:
        """Embeds items; see `molkd.types.Teacher`."""
        readable, rows, failures = self._read(items)
        dim = self.card.dim
        computed, reasons = self._compute(readable) if readable else (np.empty((0, dim)), {})
        failures.update({rows[position]: reason for position, reason in reasons.items()})
        return aligned(len(items), dim, rows, computed, failures)

    def fit(self, X: object, y: object = None) -> Self:  # noqa: ARG002
        """Does nothing: there is nothing to learn."""
        return self

    def transform(self, X: Sequence[Any]) -> Matrix:
        """Embeds items.

        Returns:
            Shape (n, d).

        Raises:
            ItemError: some cannot be embedded; `embed` gives them empty rows and reasons.
        """
        embedded = self.embed(X)
        if embedded.failures:
            raise ItemError(embedded.failures, total=len(X))
        return embedded.values

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __getstate__(self) -> dict[str, Any]:
        """Parameters only; what was read from disk is read again where needed."""
        return {name: value for name, value in super().__getstate__().items() if name != "_loaded"}


class TextTeacher(ItemTeacher[str]):
    """A frozen encoder of texts."""

    @staticmethod
    def _read(items: Sequence[object]) -> tuple[list[str], list[int], dict[int, str]]:
        return reading.read_all(items)


class ImageTeacher(ItemTeacher[decoding.Picture]):
    """A frozen encoder of images; what it computes with is 8-bit RGB, shape (h, w, 3) each."""

    @staticmethod
    def _read(items: Sequence[object]) -> tuple[list[decoding.Picture], list[int], dict[int, str]]:
        return decoding.decode_all(items)
