"""The data that passes between rooms, and what files hold of it."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from molkd.types import TeacherCard

FACTS: dict[str, Any] = {
    "name": "words",
    "kind": "network",
    "dim": 3,
    "support": "real",
    "source": "",
    "license": "",
    "limits": "",
    "sha256": {},
    "options": {"layer": 2},
    "versions": {},
    "reads": "texts",
}
"""A card as the first version wrote it into banks and reports."""


def test_a_card_of_the_first_version_is_read_and_written_as_it_was() -> None:
    card = TeacherCard.from_json(FACTS)
    assert card.modality == "texts"
    assert card.as_json() == FACTS
    assert list(card.as_json()) == list(FACTS), "the order decides the bytes of a file"


def test_a_card_holds_any_mapping() -> None:
    options = MappingProxyType({"layer": 2})
    assert TeacherCard.from_json({**FACTS, "options": options}).as_json() == FACTS


def test_what_only_describes_a_teacher_does_not_change_its_digest() -> None:
    card = TeacherCard.from_json(FACTS)
    assert (
        TeacherCard.from_json({**FACTS, "reads": "molecules", "source": "x"}).digest == card.digest
    )
    assert TeacherCard.from_json({**FACTS, "dim": 4}).digest != card.digest


@pytest.mark.parametrize("facts", [{**FACTS, "colour": "red"}, {"name": "words"}])
def test_a_card_with_other_fields_is_refused(facts: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        TeacherCard.from_json(facts)


def test_what_a_teacher_was_trained_on_is_kept_where_it_is_known() -> None:
    known = {**FACTS, "trained_on": "labels of assays"}
    card = TeacherCard.from_json(known)
    assert card.as_json() == known
    assert card.digest == TeacherCard.from_json(FACTS).digest
