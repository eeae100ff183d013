"""Bytes and lines of a file or of standard input: decompressed, checked, never all at once."""

from __future__ import annotations

import codecs
import contextlib
import functools
import gzip
import io
import itertools
import sys
import zlib
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from molkd.errors import InputError
from molkd.formats.sources import STANDARD_INPUT, called
from molkd.runtime.files import is_url

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
LONGEST_LINE = 1 << 20
_READ = 1 << 16

_BOMS: Mapping[bytes, str] = {  # in this order: the first is the beginning of the third
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_ARCHIVE = "save the table as CSV in the program that wrote it, or unpack the file"
_NO_TEXT: Mapping[bytes, tuple[str, str]] = {
    b"PK\x03\x04": ("an Excel workbook (.xlsx) or another zip archive", _ARCHIVE),
    b"\xd0\xcf\x11\xe0": ("an Excel workbook (.xls)", _ARCHIVE),
    b"BZh91AY&SY": ("compressed with bzip2", "unpack it first, or compress it with gzip or zstd"),
    b"\xfd7zXZ\x00": ("compressed with xz", "unpack it first, or compress it with gzip or zstd"),
    b"PAR1": ("a Parquet file", "name its format with --input-format parquet"),
}
"""First bytes -> what such a file is, and what to do."""


class DamagedError(Exception):
    """A file ends too early or its content makes no sense; the message says how."""


DAMAGE = (DamagedError, EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError)
"""What reading a cut or damaged file raises."""


@contextlib.contextmanager
def open_bytes(path: Path | None) -> Generator[BinaryIO]:
    """Opens a file, or standard input for None; gzip and zstd are recognised by their first bytes.

    Raises:
        InputError: there is no such file, or it is empty or cannot be opened.
    """
    name = str(path) if path else STANDARD_INPUT
    with open_raw(name) as raw, decompressed(raw, called([name])) as stream:
        yield stream


@contextlib.contextmanager
def open_raw(name: str, *, glance: bool = False) -> Generator[BinaryIO]:
    """Opens a file as it is stored.

    Args:
        name: its path or URL, or "-" for standard input.
        glance: whether no more will be read than its beginning, or its end.

    Raises:
        InputError: there is no such file, or it cannot be opened.
        MissingExtraError: the package for such URLs is not installed.
    """
    if name == STANDARD_INPUT:
        yield sys.stdin.buffer
    elif is_url(name):
        from molkd.formats import stores  # it loads fsspec

        with stores.opened(name, block=_READ if glance else stores.BLOCK) as remote:
            yield remote
    else:
        try:
            file = Path(name).open("rb")  # noqa: SIM115 - closed below
        except OSError as error:
            folder = f"; name its files by a pattern in quotes, '{name.rstrip('/')}/*'"
            hint = folder if isinstance(error, IsADirectoryError) else ""
            raise InputError(f"cannot read {name}: {error.strerror}{hint}") from error
        with file:
            yield file


@contextlib.contextmanager
def decompressed(raw: BinaryIO, name: str) -> Generator[BinaryIO]:
    """Reads through gzip and zstd, which are recognised by the first bytes.

    Raises:
        InputError: the file is empty.
    """
    with contextlib.ExitStack() as stack:
        buffered = (
            raw
            if isinstance(raw, io.BufferedReader)
            else io.BufferedReader(cast("io.RawIOBase", raw))
        )
        magic = buffered.peek(4)[:4]
        if not magic:
            raise InputError(f"{name} is empty")
        if magic.startswith(GZIP):
            yield cast("BinaryIO", stack.enter_context(gzip.open(buffered)))
        elif len(magic) > 1 and ZSTD.startswith(magic):
            yield io.BufferedReader(_ZstdStream(buffered), _READ)
        else:
            yield buffered


def text_lines(stream: BinaryIO, name: str) -> Iterator[str]:
    """Yields the lines of a text with their ends: LF, CR LF or CR, even mixed.

    The text is UTF-8, or UTF-16 or UTF-32 with a byte order mark. A byte that is not UTF-8 becomes
    a lone surrogate, so that only the row that needs it fails.

    Raises:
        InputError: the file holds no text, or a line longer than `LONGEST_LINE`.
    """
    encoding = _encoding(stream, name)
    errors = "replace" if encoding in _BOMS.values() else "surrogateescape"
    text = io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="")
    read = functools.partial(text.readline, LONGEST_LINE)
    try:
        for number, line in enumerate(iter(read, ""), 1):
            if len(line) == LONGEST_LINE:
                raise InputError(
                    f"{name}, line {number}: more than {LONGEST_LINE} characters, so this is no "
                    "text of the format: name the right one with --input-format"
                )
            yield line
    finally:
        with contextlib.suppress(ValueError):  # closed already
            text.detach()  # whoever opened the stream closes it


def peeked(lines: Iterator[str], count: int) -> tuple[list[str], Iterator[str]]:
    """Returns the first lines, and all of them; damage is reported where it is reached again."""
    first: list[str] = []
    try:
        for line in itertools.islice(lines, count):
            first.append(line)  # noqa: PERF402 - what came before the damage is kept
    except DAMAGE as error:
        return first, itertools.chain(first, _raising(error))
    return first, itertools.chain(first, lines)


def seeks(stream: BinaryIO) -> bool:
    """Whether any place of a stream is as near as any other; gzip would decompress again."""
    return stream.seekable() and not hasattr(stream, "mtime")


def first_bytes(stream: BinaryIO) -> bytes:
    """Returns the beginning of a stream, which stays where it is."""
    return cast("io.BufferedReader", stream).peek(_READ)[:_READ]


def _raising(error: Exception) -> Iterator[str]:
    yield from ()
    raise error


def _encoding(stream: BinaryIO, name: str) -> str:
    """The encoding of a text.

    Raises:
        InputError: it is no text.
    """
    head = first_bytes(stream)
    for magic, (what, action) in _NO_TEXT.items():
        if head.startswith(magic):
            raise InputError(f"{name} is {what}: {action}")
    encoding = next((name for bom, name in _BOMS.items() if head.startswith(bom)), "utf-8-sig")
    if encoding == "utf-8-sig" and b"\0" in head:
        raise InputError(
            f"{name} holds bytes of zero, so this is no text in UTF-8: convert UTF-16 with 'iconv "
            "-f utf-16 -t utf-8', or name the right format with --input-format"
        )
    return encoding


class _ZstdStream(io.RawIOBase):
    """Decompresses zstd frames and raises at the end of a file that was cut.

    zstandard's own reader takes a cut frame for a finished one.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._source.fileno()

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(cast("bytearray", buffer)).cast("B")
        while not self._ready:
            if not self._advance():
                return 0
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _advance(self) -> bool:
        """Decompresses a little more; False at a proper end."""
        data = self._frame.unused_data if self._frame.eof else b""
        data = data or self._source.read(_READ // 4)
        if not data:
            if self._frame.eof:
                return False
            raise EOFError("the last zstd frame is not complete")
        if self._frame.eof:
            self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._ready = memoryview(self._frame.decompress(data))
        return True
