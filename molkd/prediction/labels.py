"""What the labels of a table are: numbers, or two classes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from molkd.benchmarks.tasks.task import Labels
from molkd.errors import InputError
from molkd.runtime.registry import near

Kind = Literal["regression", "classification"]

_POSITIVE = {"active", "yes", "true", "positive", "pos", "+", "y", "toxic", "hit", "pass"}
"""Classes, in lower case, whose probability is meant where nobody says which."""

_SHOWN = 5


def read(
    texts: Sequence[str], kind: Kind | None, positive: str | None, place: str
) -> tuple[Labels, tuple[str, ...], dict[int, str]]:
    """Reads the labels of a column.

    Args:
        texts: shape (n,); "" where a field is empty.
        kind: see `molkd.prediction.read_measured`.
        positive: see there.
        place: of the column, for messages.

    Returns:
        Shape (n,), NaN where there is none; names of classes; row -> why its label is none.

    Raises:
        InputError: they are neither numbers nor two classes.
    """
    present = {row: text for row, text in enumerate(texts) if text}
    if not present:
        raise InputError(f"{place}: every field is empty")
    numbers = {row: value for row, text in present.items() if (value := _number(text)) is not None}
    y = np.full(len(texts), np.nan)
    bounds = sum(_is_bound(text) for text in present.values())
    if 2 * (len(numbers) + bounds) < len(present):
        names = {row: _class(text) for row, text in present.items()}
    elif kind == "classification" or (kind is None and len(set(numbers.values())) == 2):
        names = {row: _class(present[row]) for row in numbers}
    else:
        y[list(numbers)] = list(numbers.values())
        return y, (), {row: _no_number(present[row]) for row in present.keys() - numbers}
    if kind == "regression":
        raise InputError(f"{place} holds {_listed(names)}, where numbers are expected")
    if len(set(names.values())) != 2:
        raise InputError(
            f"{place} holds {len(set(names.values()))} different values ({_listed(names)}): give "
            f"numbers, or two classes{_commas(names)}"
        )
    classes = _ordered(sorted(set(names.values())), positive, place)
    y[list(names)] = [float(classes.index(name)) for name in names.values()]
    spelt = [next(present[row] for row, each in names.items() if each == one) for one in classes]
    return y, tuple(spelt), {row: _no_number(present[row]) for row in present.keys() - names}


def _number(text: str) -> float | None:
    try:
        return value if math.isfinite(value := float(text)) else None
    except ValueError:
        return None


def _class(text: str) -> str:
    """The class that is meant: 1 and 1.0 are one, so are Yes and yes, 1234567 and 1234568 two."""
    value = _number(text)
    return text.casefold() if value is None else np.format_float_positional(value, trim="-")


def _is_bound(text: str) -> bool:
    return text[0] in "<>=~≤≥" and _number(text.lstrip("<>=~≤≥ ")) is not None


def _no_number(text: str) -> str:
    return f"{text!r} is {'a bound, and ' if _is_bound(text) else ''}no number"


def _listed(names: Mapping[int, str]) -> str:
    shown = [f"{name!r}" for name, _ in Counter(names.values()).most_common(_SHOWN)]
    return ", ".join(shown) + (", ..." if len(set(names.values())) > _SHOWN else "")


def _commas(names: Mapping[int, str]) -> str:
    """Advice where texts are numbers but for their commas."""
    texts = names.values()
    numbers = all(_number(text.replace(",", ".", 1)) is not None for text in texts)
    if numbers and any("," in text for text in texts):
        return "; numbers have a decimal point here, no comma"
    return ""


def _ordered(classes: list[str], positive: str | None, place: str) -> list[str]:
    """The two classes, the one whose probability is meant last."""
    if positive is not None:
        meant = _class(positive)
        if meant not in classes:
            raise InputError(f"{place} has no class {positive!r}.{near(positive, classes)}")
        return sorted(classes, key=lambda name: name == meant)
    return sorted(classes, key=lambda name: (name in _POSITIVE, _number(name) or 0.0, name))
