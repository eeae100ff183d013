"""Texts: what a usable one is, with a reason for every other.

A text is any string with something to read in it; nothing is changed, for models have tokenizers
of their own. How long a text may be is for each model to say.
"""

from __future__ import annotations

from collections.abc import Sequence

from molkd.items.base import InvalidItemError, described, read_each


class InvalidTextError(InvalidItemError):
    """An item is not a usable text."""


def read(item: object) -> str:
    """Returns an item that is a usable text.

    Raises:
        InvalidTextError: it is no string, holds nothing but white space, or is not Unicode.
    """
    if not isinstance(item, str):
        raise InvalidTextError(f"no text but {described(item)}")
    if not item.strip():
        raise InvalidTextError("empty text")
    try:
        item.encode()
    except UnicodeEncodeError as error:
        code = ord(item[error.start])
        what = f"byte 0x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"U+{code:04X}"
        raise InvalidTextError(
            f"not UTF-8: {what} at character {error.start}: convert the text first"
        ) from error
    return item


def read_all(items: Sequence[object]) -> tuple[list[str], list[int], dict[int, str]]:
    """Returns the usable texts, their rows, and row -> reason for all others."""
    return read_each(read, items)
