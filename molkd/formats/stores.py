"""Files behind URLs: object stores and servers, by fsspec."""

from __future__ import annotations

import contextlib
import io
import logging
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, BinaryIO, cast

import fsspec
from fsspec.asyn import sync
from fsspec.core import url_to_fs
from fsspec.exceptions import FSTimeoutError
from fsspec.implementations.local import LocalFileSystem
from fsspec.utils import get_protocol

from molkd.errors import InputError, MissingExtraError, MolkdError
from molkd.runtime.registry import near

BLOCK = 1 << 22
"""Bytes that are asked for at once."""

_BLOCKS = 8
"""Blocks of a file in memory: a column of a Parquet table is read here, the next one there."""

_PATIENCE = 20.0
"""Seconds in which a store has to answer for the first time; gcsfs alone would try for fifty."""

_EXTRAS: Mapping[str, str] = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gs",
    "gcs": "gs",
    "http": "http",
    "https": "http",
}
"""Scheme of a URL -> the extra of molkd that reads it."""

_REMEDIES: Mapping[str, str] = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or for a public bucket "
    "FSSPEC_S3_ANON=true",
    "gs": "run 'gcloud auth application-default login', set GOOGLE_APPLICATION_CREDENTIALS, or for "
    "a public bucket FSSPEC_GS_TOKEN=anon",
}
"""Extra -> what lets one in."""


def local_path(url: str) -> str | None:
    """Returns the path of a file of this machine, such as file:///data/a.csv; else None."""
    with explained(url):
        system, path = _system(url)
    return path if isinstance(system, LocalFileSystem) else None


def matching(url: str) -> list[str]:
    """Returns the URLs of the files that a URL with a pattern matches, sorted; else itself.

    Raises:
        InputError: the store cannot be reached, or nobody knows such URLs.
        MissingExtraError: the package for such URLs is not installed.
    """
    with explained(url):
        system, path = _system(url)
        magic = "*" if _extra(url) == "http" else "*?["  # a question mark begins the query
        if not any(character in path for character in magic):
            return [url]
        _reach(system, path)
        if system.exists(path):
            return [url]
        found = cast("dict[str, Any]", system.glob(path, detail=True))
        names = [name for name, facts in found.items() if facts.get("type") != "directory"]
        return sorted(system.unstrip_protocol(name) for name in names)


def size_of(url: str) -> int | None:
    """Returns the bytes of a file, None where its server does not say."""
    with explained(url):
        system, path = _system(url)
        return cast("int | None", system.info(path).get("size"))


@contextlib.contextmanager
def opened(url: str, block: int = BLOCK) -> Generator[BinaryIO]:
    """Opens a file for reading, anywhere in it where its server allows.

    Args:
        url: of the file.
        block: bytes that are asked for at once.

    Raises:
        InputError: it is not there, or cannot be reached; also later, while it is read.
    """
    with explained(url):
        system, path = _system(url)
        _reach(system, path)
        in_blocks = _extra(url) != "http" or sync(system.loop, _in_ranges, system, path)
        file = system.open(
            path,
            "rb",
            block_size=block if in_blocks else 0,  # some servers send whole files only
            cache_type="blockcache",
            cache_options={"maxblocks": _BLOCKS},
        )
    with contextlib.closing(file):
        remote = _Explained(file, url, seekable=bool(in_blocks and file.seekable()))
        yield io.BufferedReader(remote, min(block, 1 << 16))


class _Explained(io.RawIOBase):
    """A file whose errors say what to do."""

    def __init__(self, file: Any, url: str, *, seekable: bool) -> None:
        self._file, self._url, self._seekable = file, url, seekable
        self._ended = False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._seekable

    def seek(self, offset: int, whence: int = 0, /) -> int:
        with explained(self._url):
            return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        if self._ended:  # aiohttp complains about those who ask again
            return 0
        with explained(self._url):
            data = self._file.read(len(view))
        self._ended = not (data or self._seekable)
        view[: len(data)] = data
        return len(data)


@contextlib.contextmanager
def explained(url: str) -> Generator[None]:
    """Turns whatever a store raises into an error of one line that says what to do.

    Raises:
        InputError: the file or its store cannot be read.
        MissingExtraError: the package for such URLs is not installed.
    """
    try:
        yield
    except MolkdError:
        raise
    except ImportError as error:
        extra = _extra(url)
        command = f"pip install 'molkd[{extra}]'" if extra in _EXTRAS.values() else str(error)
        raise MissingExtraError(f"{url} needs another package: {command}") from error
    except Exception as error:  # every store has errors of its own
        raise InputError(f"cannot read {url}: {_reason(error, url)}") from error


def _system(url: str) -> tuple[Any, str]:
    protocol = get_protocol(url)
    known = fsspec.available_protocols()
    if protocol not in known:
        raise InputError(
            f"{url}: nobody knows URLs that begin with {protocol}://.{near(protocol, _EXTRAS)} "
            "Files are read from s3://, gs://, https://, file:// and others of fsspec"
        )
    options: dict[str, Any] = {}
    if _extra(url) == "http":
        import aiohttp

        # Its own limit of five minutes is one of the whole file where a server knows no ranges.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_PATIENCE, sock_read=60)
        options = {"client_kwargs": {"timeout": timeout}}
    for library in ("gcsfs", "s3fs"):  # what they would print is in the error
        logging.getLogger(library).addHandler(logging.NullHandler())
    return cast("tuple[Any, str]", url_to_fs(url, **options))


def _reach(system: Any, path: str) -> None:
    """Asks a store for what a path begins with, so that one out of reach is known in seconds.

    What is answered does not count here.
    """
    if not system.async_impl:
        return
    before = re.split(r"[*?\[]", path)[0]
    folder = before if before == path else before.rpartition("/")[0]
    with contextlib.suppress(FileNotFoundError, PermissionError):
        look: Callable[[str], object] = system._info  # noqa: SLF001 - the way to set a limit
        sync(system.loop, look, folder, timeout=_PATIENCE)


async def _in_ranges(system: Any, url: str) -> bool:
    """Whether a server sends parts of a file; some, of few lines, know whole files only."""
    session = await system.set_session()
    async with session.get(system.encode_url(url), headers={"Range": "bytes=0-0"}) as answer:
        return bool(answer.status == 206)


def _extra(url: str) -> str:
    protocol = get_protocol(url)
    return _EXTRAS.get(protocol, protocol)


def _reason(error: BaseException, url: str) -> str:
    causes = [*_causes(error)]
    kinds = " ".join(type(one).__name__ for one in causes)
    said = " ".join(str(causes[-1]).split()) or type(causes[-1]).__name__
    extra = _extra(url)
    remedy = _REMEDIES.get(extra, "give the rights that its server asks for")
    if "Credential" in kinds or "GoogleAuth" in kinds:
        return f"no credentials: {remedy}"
    if re.search("Connect|Timeout|gaierror|Unreachable", kinds):
        said = f"in {_PATIENCE:.0f} seconds" if isinstance(error, FSTimeoutError) else f"({said})"
        own = ", and for a store of your own at AWS_ENDPOINT_URL" if extra == "s3" else ""
        return (
            f"its server does not answer {said}: look at the network and the name of the server"
            f"{own}, then run the same command again"
        )
    if isinstance(error, PermissionError) or getattr(causes[-1], "status", 0) in {401, 403}:
        return f"access is refused ({said}): {remedy}"
    if isinstance(error, FileNotFoundError):
        return "there is no such file, or no such bucket: look at the spelling"
    return f"{said}; run the same command again"


def _causes(error: BaseException) -> Iterator[BaseException]:
    yield error
    below = error.__cause__ or error.__context__
    if below is not None:
        yield from _causes(below)
