"""Every teacher of texts keeps the same promises."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from molkd import teachers
from molkd.errors import ItemError
from molkd.teachers.text.latent_semantic import LatentSemantic
from molkd.types import Teacher
from tests.teachers.text import tiny_encoders

GOOD = [
    "how to get my money?",
    "the cat is not my card.",
    "Zürich 7: where is the new bank",
    "a new card transfer",
    "lost lost lost money",
    "where is the transfer to my new bank card?",
    "not my cat!",
]
BAD: list[Any] = [None, math.nan, "", "   ", "lone \ud800", 3, b"the cat"]
LONG = ["the cat " * 25_000, "x" * 200_000]


def _lsa(folder: Path) -> LatentSemantic:
    return LatentSemantic.learn([*GOOD, *GOOD], folder, dim=6)


def _composed(folder: Path) -> Any:
    layers = [tiny_encoders.dense(tiny_encoders.HIDDEN, 8), tiny_encoders.modules.Normalize()]
    options = {"pooling_mode": "mean", "include_prompt": False}
    tiny_encoders.composed(folder, options=options, then=layers, prompts={"q": "to the "})
    return teachers.make(f"st:{folder}")


MAKERS: dict[str, Callable[[Path], Any]] = {
    "hashed-ngrams": lambda _: teachers.make("hashed-ngrams"),
    "lsa": _lsa,
    "composed": _composed,
    "plain": lambda folder: teachers.make(f"st:{tiny_encoders.bert(folder)}"),
    "decoder": lambda folder: teachers.make(f"st:{tiny_encoders.mistral(folder)}"),
    "static": lambda folder: teachers.make(f"st:{tiny_encoders.static(folder)}"),
    "all-minilm-l6-v2": lambda _: teachers.make("all-minilm-l6-v2"),
}


@pytest.fixture(scope="module", params=MAKERS)
def teacher(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    if request.param == "all-minilm-l6-v2":
        request.getfixturevalue("minilm")
    return MAKERS[request.param](tmp_path_factory.mktemp("teachers") / request.param)


def test_fits_the_protocol(teacher: Any) -> None:
    assert isinstance(teachers.as_teacher(teacher), Teacher)
    card = teacher.card
    assert card.modality == "texts"
    assert all((card.name, card.kind, card.source, card.license, card.limits, card.versions))
    assert teacher.embed([]).values.shape == (0, card.dim)


def test_rows_line_up(teacher: Any) -> None:
    items = [item for pair in zip(GOOD, BAD, strict=True) for item in pair]

    embedded = teacher.embed(items)

    assert embedded.values.shape == (len(items), teacher.card.dim)
    assert embedded.values.dtype == np.float32
    assert list(embedded.failures) == list(range(1, len(items), 2))
    assert all(len(reason) > 5 for reason in embedded.failures.values())
    assert np.isnan(embedded.values[1::2]).all()
    assert np.isfinite(embedded.values[::2]).all()
    np.testing.assert_allclose(embedded.values[::2], teacher.embed(GOOD).values, atol=1e-5)
    assert len(np.unique(embedded.values[::2].round(4), axis=0)) == len(GOOD)


def test_enormous_texts_are_embedded_or_get_a_reason(teacher: Any) -> None:
    before = getattr(teacher, "truncated", None)

    embedded = teacher.embed([GOOD[0], *LONG])

    assert np.isfinite(embedded.values[embedded.valid]).all()
    assert embedded.valid[:2].all()
    if before is not None and "static" not in teacher.card.name:
        assert teacher.shortened > before
    np.testing.assert_allclose(embedded.values[0], teacher.embed(GOOD[:1]).values[0], atol=1e-5)


@given(order=st.permutations(range(len(GOOD))), size=st.integers(1, 4))
@settings(max_examples=3, suppress_health_check=list(HealthCheck), deadline=None)
def test_neither_batch_nor_order_changes_a_row(teacher: Any, order: list[int], size: int) -> None:
    together = teacher.embed(GOOD).values
    other = clone(teacher)
    other._loaded = teacher._loaded  # what was read from disk depends on no batch
    if "batch_size" in other.get_params():
        other.set_params(batch_size=size)

    values = other.embed([GOOD[row] for row in order]).values

    np.testing.assert_allclose(values, together[order], atol=1e-5)


def test_support_is_honest(teacher: Any) -> None:
    values = teacher.embed([*GOOD, LONG[0]]).values
    if teacher.card.support == "counts":
        assert (values == np.round(values)).all()
        assert values.min() == 0
        assert values.max() > 1
    else:
        assert (values != np.round(values)).any()


def test_copies_keep_parameters_and_numbers_and_no_weights(teacher: Any) -> None:
    fresh = pickle.loads(pickle.dumps(clone(teacher)))  # noqa: S301 - our own bytes
    teacher.embed(LONG[:1])  # encoders count that they cut it
    expected = teacher.embed(GOOD).values
    used = pickle.loads(pickle.dumps(teacher))  # noqa: S301 - our own bytes
    assert len(pickle.dumps(teacher)) < 2000
    for other in (fresh, used, clone(teacher)):
        assert other._loaded is None
        assert getattr(other, "truncated", 0) == 0
        assert other.get_params() == teacher.get_params()
        assert other.card.digest == teacher.card.digest
        np.testing.assert_allclose(other.embed(GOOD).values, expected, atol=1e-6)


def test_transform_names_what_it_cannot_embed(teacher: Any) -> None:
    np.testing.assert_array_equal(teacher.fit(GOOD).transform(GOOD), teacher.embed(GOOD).values)
    with pytest.raises(ItemError, match="row 1: empty text"):
        teacher.transform([GOOD[0], ""])
