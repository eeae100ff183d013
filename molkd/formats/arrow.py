"""Columns of Arrow tables as Python strings, and made of them.

`pyarrow.array` would load pandas for any list or array, which takes longer than to embed a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from molkd.types import Mask, starts_of

_NO_FRACTION = re.compile(r"(:\d\d)\.0+(?=\D|$)")


def text_array(texts: Sequence[str | None]) -> Any:
    """Returns an array of strings, null where there is None.

    Raises:
        UnicodeEncodeError: a string holds half of a character.
    """
    raw = [b"" if text is None else text.encode() for text in texts]
    ends = starts_of(np.array([len(text) for text in raw], dtype=np.int64))
    if ends[-1] > np.iinfo(np.int32).max:
        return pa.array(texts, pa.string())  # which divides it
    known = np.array([text is not None for text in texts], dtype=np.bool_)
    starts, data = pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(b"".join(raw))
    return pa.StringArray.from_buffers(len(raw), starts, data, _bits(known))


def truth_array(values: Mask) -> Any:
    """Returns an array of truth values, none of them null."""
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, _bits(values)])


def number_array(values: npt.NDArray[np.number]) -> Any:
    """Returns an array of all numbers of a matrix, row by row, none of them null."""
    flat = np.ascontiguousarray(values).reshape(-1)
    kind = pa.from_numpy_dtype(flat.dtype)
    return pa.Array.from_buffers(kind, len(flat), [None, pa.py_buffer(flat)])


def bytes_array(values: npt.NDArray[Any], known: Mask) -> Any:
    """Returns an array of the bytes of each row of a matrix, null where nothing is known."""
    rows = np.ascontiguousarray(values)
    kind = pa.binary(rows.shape[1] * rows.itemsize)
    return pa.Array.from_buffers(kind, len(rows), [_bits(known), pa.py_buffer(rows)])


def numbers(array: Any) -> npt.NDArray[Any]:
    """Returns the numbers of an array without nulls, which they share memory with."""
    dtype = np.dtype(array.type.to_pandas_dtype())
    at = array.offset * dtype.itemsize
    return np.frombuffer(array.buffers()[1], dtype, count=len(array), offset=at)


def _bits(values: Mask) -> Any:
    return pa.py_buffer(np.packbits(values, bitorder="little"))


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
