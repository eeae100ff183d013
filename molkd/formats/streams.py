"""Bytes and lines of a file or of standard input: decompressed, checked, never all at once."""

from __future__ import annotations

import contextlib
import gzip
import io
import sys
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from molkd.errors import InputError
from molkd.items.base import FileConventions
from molkd.items.molecules.modality import SMILES

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
LONGEST_LINE = 1 << 20
_READ = 1 << 16


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
    with contextlib.ExitStack() as stack:
        raw = stack.enter_context(_open(path)) if path else sys.stdin.buffer
        buffered = (
            raw
            if isinstance(raw, io.BufferedReader)
            else io.BufferedReader(cast("io.RawIOBase", raw))
        )
        magic = buffered.peek(4)[:4]
        if not magic:
            raise InputError(f"{path or 'standard input'} is empty")
        if magic.startswith(GZIP):
            yield cast("BinaryIO", stack.enter_context(gzip.open(buffered)))
        elif magic == ZSTD:
            yield io.BufferedReader(_ZstdStream(buffered), _READ)
        else:
            yield buffered


def text_lines(stream: BinaryIO, name: str, style: FileConventions = SMILES) -> Iterator[str]:
    """Yields the lines of UTF-8 text with their ends: LF, CR LF or CR, even mixed.

    In prose, a byte that is not UTF-8 becomes a lone surrogate, so that only its item fails.

    Raises:
        InputError: a line is not UTF-8 or longer than `LONGEST_LINE`; names it.
    """
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    number = 0
    try:
        while line := text.readline(LONGEST_LINE):
            number += 1
            if not line.isascii() or len(line) == LONGEST_LINE:
                _refuse_other_text(line, number, name, style)
            yield line
    finally:
        with contextlib.suppress(ValueError):  # closed already
            text.detach()  # whoever opened the stream closes it


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _refuse_other_text(line: str, number: int, name: str, style: FileConventions) -> None:
    if len(line) == LONGEST_LINE:
        raise InputError(
            f"{name}, line {number}: more than {LONGEST_LINE} characters, so this is no text of "
            "the format: name the right one with --input-format"
        )
    if style.prose:
        return
    try:
        line.encode()
    except UnicodeEncodeError as error:
        byte = ord(line[error.start]) - 0xDC00
        raise InputError(
            f"{name}, line {number}: byte 0x{byte:02x} is not UTF-8: convert the file, for example "
            "with 'iconv -f latin1 -t utf-8'"
        ) from error


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
