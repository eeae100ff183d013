"""Columns of Arrow tables as Python strings."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_NO_FRACTION = re.compile(r"(:\d\d)\.0+(?=\D|$)")


def is_bytes(kind: Any) -> bool:
    """Whether a type is one of bytes; old Spark, Hive and Impala write strings as such."""
    types = pa.types
    return (
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_binary_view(kind)
        or types.is_fixed_size_binary(kind)
    )


def is_string(kind: Any) -> bool:
    """Whether a type is one of strings."""
    types = pa.types
    return types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)


def plain(kind: Any) -> Any:
    """Returns the type of the values of a dictionary, or the type itself."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def strings(column: Any) -> list[str | None]:
    """Returns strings, or bytes as UTF-8; a byte that is not becomes a lone surrogate."""
    column = _decoded(column)
    if is_string(column.type):
        try:
            return list(column.to_pylist())
        except UnicodeDecodeError:
            pass
    raw: list[bytes | None] = column.cast(pa.binary()).to_pylist()
    return [None if one is None else one.decode(errors="surrogateescape") for one in raw]


def texts(column: Any, text_of: Callable[[object], str | None]) -> list[str | None]:
    """Returns values of any type as text.

    Args:
        column: an array.
        text_of: what writes a value that is neither a string nor a time.
    """
    column = _decoded(column)
    kind = column.type
    if is_string(kind):
        return strings(column)
    if pa.types.is_temporal(kind):
        written = pc.cast(column, pa.string()).to_pylist()
        return [text and _NO_FRACTION.sub(r"\1", text) for text in written]
    if pa.types.is_float32(kind) or pa.types.is_float16(kind):  # as Python's they get more digits
        written = pc.cast(column, pa.string()).to_pylist()
        return [None if text is None else text_of(float(text)) for text in written]
    return [text_of(value) for value in column.to_pylist()]


def _decoded(column: Any) -> Any:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
