"""Counts of character n-grams, hashed to a fixed width: a teacher of texts without weights."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from numbers import Integral
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.utils._param_validation import Interval, StrOptions

from molkd.errors import ConfigError
from molkd.teachers.base.items import TextTeacher
from molkd.types import Matrix, TeacherCard

MOST = 65_504
"""The largest count in a row: banks are stored in half precision by default."""

Analyzer = Literal["char_wb", "char", "word"]


class HashedNgrams(TextTeacher):
    """How often each n-gram occurs in a text, lowered, as scikit-learn counts them.

    Attributes:
        width: number of buckets; n-grams of the same bucket are counted together.
        shortest: length of the shortest n-grams.
        longest: length of the longest ones.
        analyzer: "char_wb" takes characters inside words, with a space at both ends; "char" also
            across words; "word" takes words.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "width": [Interval(Integral, 1, None, closed="left")],
        "shortest": [Interval(Integral, 1, None, closed="left")],
        "longest": [Interval(Integral, 1, None, closed="left")],
        "analyzer": [StrOptions({"char_wb", "char", "word"})],
    }

    def __init__(
        self,
        *,
        width: int = 2048,
        shortest: int = 2,
        longest: int = 4,
        analyzer: Analyzer = "char_wb",
    ) -> None:
        self.width = width
        self.shortest = shortest
        self.longest = longest
        self.analyzer: Analyzer = analyzer

    @property
    def card(self) -> TeacherCard:
        """What it is, and everything that decides its numbers."""
        return TeacherCard(
            name="hashed-ngrams",
            kind="n-grams",
            modality="texts",
            dim=self.width,
            support="counts",
            source="https://scikit-learn.org HashingVectorizer; MurmurHash3",
            license="BSD-3-Clause",
            limits=f"a text in which n-grams of one bucket occur more than {MOST} times",
            options=self.get_params(),
            versions={"scikit-learn": version("scikit-learn")},
        )

    def _compute(self, readable: list[str]) -> tuple[npt.NDArray[Any], Mapping[int, str]]:
        self._validate_params()
        if self.shortest > self.longest:
            raise ConfigError(f"shortest={self.shortest} is more than longest={self.longest}")
        options: dict[str, Any] = {"alternate_sign": False, "norm": None, "dtype": np.float32}
        hashing: Any = HashingVectorizer(
            analyzer=self.analyzer,
            ngram_range=(self.shortest, self.longest),
            n_features=self.width,
            **options,
        )
        values: Matrix = hashing.transform(readable).toarray()
        reasons = {
            row: f"{values[row].max():.0f} equal n-grams, more than the {MOST} of half precision"
            for row in np.flatnonzero(values.max(axis=1) > MOST).tolist()
        }
        values[list(reasons)] = np.nan
        return values, reasons
