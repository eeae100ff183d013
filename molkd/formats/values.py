"""Values of a file as text: what an identifier, or a column that is carried along, becomes."""

from __future__ import annotations

import json
from decimal import Decimal

_EXPONENTS = 1e21
"""From here on, a floating-point number is written with an exponent."""


def text_of(value: object) -> str | None:
    """Returns a value as a chemist would write it, with all its digits; None for a missing one.

    Bytes are UTF-8 or, where they are not, hexadecimal digits.
    """
    if value is None or value != value:  # noqa: PLR0124 - NaN, NaT
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return _text_of_bytes(value)
    if isinstance(value, bool | dict | list):
        return json.dumps(value, default=str, ensure_ascii=False)
    if isinstance(value, Decimal):
        return format(value, "f")
    return repr(value) if isinstance(value, float) else str(value)


def identifier_of(value: object) -> str | None:
    """Returns the text of an identifier: as `text_of`, but 1.0 is 1.

    A column of integers becomes one of floating-point numbers where some rows have none.
    """
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < _EXPONENTS
    else:
        whole = isinstance(value, Decimal) and value == value.to_integral_value()
    return text_of(int(value) if whole else value)  # type: ignore[call-overload]


def undecodable(text: str, what: str) -> str | None:
    """Returns why a text cannot be written as UTF-8, or None where it can.

    A byte that is not UTF-8 was read as a lone surrogate, as Python's "surrogateescape" does.
    """
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        if 0xDC80 <= code <= 0xDCFF:
            return (
                f"not UTF-8: byte 0x{code - 0xDC00:02x} at character {error.start} of the {what}: "
                "write it in UTF-8 (a text file: with 'iconv -f latin1 -t utf-8')"
            )
        return f"not Unicode: U+{code:04X} at character {error.start} of the {what}"
    return None


def writable(text: str) -> str:
    r"""Returns a text with \xe9 for a byte that is not UTF-8, and "?" for what is no character."""
    if text.isascii():
        return text
    try:
        return text.encode(errors="surrogateescape").decode(errors="backslashreplace")
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()


def _text_of_bytes(value: bytes) -> str:
    try:
        text = value.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        return value.hex()
    return text if text.isprintable() else value.hex()
