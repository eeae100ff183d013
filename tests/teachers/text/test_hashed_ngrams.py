"""Hashed n-grams count what they should, and keep the digest of their options."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
import pytest
from sklearn.utils.murmurhash import murmurhash3_32

from molkd import teachers
from molkd.errors import ConfigError
from molkd.teachers.text.hashed_ngrams import MOST, HashedNgrams

TEXTS = ["Where is my card?", "a", "Ünïcode  and\ttabs", "aaaa aaaa"]


def _by_hand(text: str, width: int, shortest: int, longest: int) -> np.ndarray:
    row = np.zeros(width)
    for word in re.sub(r"\s\s+", " ", text.lower()).split():
        padded = f" {word} "
        grams: Counter[str] = Counter()
        for size in range(shortest, longest + 1):
            if size > len(padded):
                continue
            grams.update(padded[start : start + size] for start in range(len(padded) - size + 1))
        for gram, count in grams.items():
            row[abs(murmurhash3_32(gram)) % width] += count
    return row


def test_counts_are_those_of_a_loop() -> None:
    values = HashedNgrams(width=512).transform(TEXTS)

    np.testing.assert_array_equal(values, [_by_hand(text, 512, 2, 4) for text in TEXTS])
    assert values.dtype == np.float32
    assert values[3].max() > 2


def test_the_registered_one() -> None:
    card = teachers.make("hashed-ngrams").card
    assert (card.dim, card.support, card.modality, card.sha256) == (2048, "counts", "texts", {})


@pytest.mark.parametrize(
    "option", [{"width": 64}, {"shortest": 1}, {"longest": 3}, {"analyzer": "word"}]
)
def test_options_change_the_digest(option: dict[str, Any]) -> None:
    assert HashedNgrams(**option).card.digest != HashedNgrams().card.digest


def test_counts_that_a_bank_cannot_hold_have_a_reason() -> None:
    embedded = HashedNgrams().embed(["x" * 65_000, "x" * 66_000, "x"])

    assert embedded.failures == {1: "65999 equal n-grams, more than the 65504 of half precision"}
    assert embedded.values[0].max() < MOST == np.finfo(np.float16).max


def test_lengths_that_contradict_each_other() -> None:
    with pytest.raises(ConfigError, match="shortest=5 is more than longest=4"):
        HashedNgrams(shortest=5).transform(["a"])
    with pytest.raises(ValueError, match="width"):
        HashedNgrams(width=0).embed(["a"])
