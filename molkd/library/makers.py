"""The student behind a library's embeddings: what embeds queries, and judges molecules."""

from __future__ import annotations

from typing import Any, Protocol

from molkd import students
from molkd.errors import InputError, WeightsError
from molkd.students import Student


class Embedded(Protocol):
    """What a student has embedded; see `Library`."""

    @property
    def model(self) -> str:
        """What its file calls the student."""
        ...

    @property
    def model_digest(self) -> str:
        """Of the student."""
        ...


def student_of(library: Embedded, model: str | None = None) -> Student[Any, Any, Any]:
    """Loads the student that made a library's embeddings.

    Args:
        library: what it must have made.
        model: its name or folder, where the library's file says none that can be loaded.

    Raises:
        InputError: it is another student than the one that made them, or nobody knows which.
        WeightsError: there is no such student within reach.
    """
    if not (name := model or library.model):
        raise InputError(
            "the file does not say which student made its embeddings: name it with --model, or "
            "embed the molecules with molkd embed"
        )
    try:
        student = students.load(name)
    except WeightsError as error:
        if model:
            raise
        raise WeightsError(
            f"the embeddings were made by {name!r}, no student within reach: if it is one that has "
            "moved, name its folder with --model; if it is a teacher, whose embeddings do not "
            f"serve here, embed the molecules with molkd embed ({error})"
        ) from error
    if library.model_digest and student.digest != library.model_digest:
        raise InputError(
            f"the embeddings were made by {library.model or 'a student'} with digest "
            f"{library.model_digest[:12]}, but {name} has {student.digest[:12]}: name the student "
            "that made them with --model, or embed the molecules again"
        )
    return student
