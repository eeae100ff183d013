"""A teacher of another kind of items, applied to a view of the item.

A drawing of a molecule goes to an image teacher, a description to a text teacher: what comes out
is a teacher of molecules like any other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from molkd.errors import ConfigError
from molkd.teachers.base.items import ItemTeacher
from molkd.teachers.registry import as_teacher, make
from molkd.teachers.views import Describe, View, depict
from molkd.types import Matrix, Teacher, TeacherCard

AT_ONCE = 64
"""Views held at once: drawings of 224 pixels take 150 kB each."""

DRAWN = 128
"""Pixels of a drawing for a teacher that reads images of any size."""


class ViewedTeacher(ItemTeacher[Any]):
    """A teacher applied to a view of the item.

    Attributes:
        view: what makes another item of an item.
        teacher: an encoder of such items. Its parameters can be reached as `teacher__...`.
        name: name on the card; None puts the view's before the teacher's.
    """

    def __init__(self, view: View, teacher: Teacher[Any], *, name: str | None = None) -> None:
        self.view = view
        self.teacher = teacher
        self.name = name

    @property
    def card(self) -> TeacherCard:
        """What the teacher is, applied to the view.

        Raises:
            ConfigError: the view does not give what the teacher reads.
        """
        inner, view = self.teacher.card, self.view
        if view.gives != inner.modality:
            raise ConfigError(
                f"the view {view.name!r} gives {view.gives}, but the teacher {inner.name!r} reads "
                f"{inner.modality}"
            )
        return TeacherCard(
            name=self.name or f"{view.name}-{inner.name}",
            kind=f"{inner.kind} ({view.name})",
            modality=view.modality,
            dim=inner.dim,
            support=inner.support,
            source=inner.source,
            license=inner.license,
            limits=f"what the view {view.name!r} does not show; {inner.limits}",
            sha256=inner.sha256,
            options={
                "view": {"name": view.name, **view.options},
                "teacher": {"name": inner.name, **inner.options},
            },
            versions={**inner.versions, **view.versions},
        )

    @staticmethod
    def _read(items: Sequence[object]) -> tuple[list[Any], list[int], dict[int, str]]:
        return list(items), list(range(len(items))), {}

    def _compute(self, readable: list[Any]) -> tuple[Matrix, Mapping[int, str]]:
        values = np.full((len(readable), self.card.dim), np.nan, dtype=np.float32)
        reasons: dict[int, str] = {}
        for start in range(0, len(readable), AT_ONCE):
            views: dict[int, Any] = {}
            for row, item in enumerate(readable[start : start + AT_ONCE], start):
                try:
                    views[row] = self.view(item)
                except Exception as error:  # noqa: BLE001 - views may be the user's own
                    reasons[row] = str(error) or type(error).__name__
            embedded = self.teacher.embed(list(views.values()))
            rows = list(views)
            values[rows] = embedded.values
            reasons.update({rows[row]: reason for row, reason in embedded.failures.items()})
        return values, reasons


def through(view: View, teacher: Teacher[Any], *, name: str | None = None) -> ViewedTeacher:
    """Returns a teacher of another kind as one of the items that a view is of.

    Args:
        view: for example `molkd.teachers.views.depict(size=224)`.
        teacher: reads what the view gives.
        name: name on the card; None puts the view's before the teacher's. Two teachers of one bank
            that differ in the view's options only need names of their own.

    Raises:
        ConfigError: the view does not give what the teacher reads, or there is no such teacher.
    """
    viewed = ViewedTeacher(view, as_teacher(teacher), name=name)
    _ = viewed.card
    return viewed


def depicted(teacher: str) -> ViewedTeacher:
    """Makes "depict:TEACHER" and "depict:SIZE:TEACHER".

    A teacher with a parameter `size` is set to read drawings as they are, of `DRAWN` pixels if
    nothing else is asked for. All others bring a drawing to the size that they need.

    Args:
        teacher: name of an image teacher, after the size of the drawing and a colon if it
            shall be another one than usual.

    Raises:
        ConfigError: the teacher reads no images, or such a size cannot be drawn.
        UnknownNameError: no such teacher.
    """
    sized = re.fullmatch(r"(\d+):(.+)", teacher)
    inner: Any = make(sized[2] if sized else teacher)
    fixed = "size" not in (inner.get_params(deep=False) if hasattr(inner, "get_params") else {})
    size = int(sized[1]) if sized else None
    view = depict(size=size) if size else depict() if fixed else depict(size=DRAWN)
    if not fixed:
        inner.set_params(size=view.size)
    name = f"{view.name}-{size}-{inner.card.name}" if size else None
    return through(view, inner, name=name)


def described(teacher: str) -> ViewedTeacher:
    """Makes "describe:TEACHER".

    Args:
        teacher: name of a text teacher.

    Raises:
        ConfigError: the teacher reads no texts.
        UnknownNameError: no such teacher.
    """
    return through(Describe(), make(teacher))
