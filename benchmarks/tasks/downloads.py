"""Tables of the benchmarks: found in a folder, or downloaded into it, with a checksum either way.

The publishers of these tables name no sha256, so a download is trusted once: its checksum is
written beside it, as `sha256sum` writes it, and the table is verified against it from then on.
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from molkd.errors import CorruptFileError, InputError
from molkd.runtime.files import atomic_path, remove_leftovers, sha256_of, write_bytes

FOLDER_VARIABLE = "MOLKD_DATA_DIR"

_OTHER = (
    "Another folder of tables is named by --data, data= or the environment variable "
    f"{FOLDER_VARIABLE}."
)


@dataclass(frozen=True, slots=True)
class DataFile:
    """A published table.

    Attributes:
        path: place inside the data folder, with forward slashes.
        url: address; empty where it is published nowhere in this form.
        archive: for a table inside a published archive, the archive, whose address is `url`.
        member: name of the table inside that archive.
        aliases: other places inside the data folder where it is taken from if it is there.
    """

    path: str
    url: str
    archive: str = ""
    member: str = ""
    aliases: tuple[str, ...] = field(default_factory=tuple)


def data_dir(folder: Path | None = None) -> Path:
    """Returns the folder of tables: `folder`, else MOLKD_DATA_DIR, else a cache of the user's.

    The cache is under MOLKD_HOME where that is set.
    """
    if folder is not None:
        return folder.expanduser()
    named, home = os.environ.get(FOLDER_VARIABLE), os.environ.get("MOLKD_HOME")
    if named:
        return Path(named).expanduser()
    return (Path(home) if home else platformdirs.user_cache_path("molkd")) / "data"


def find(file: DataFile, folder: Path) -> Path | None:
    """Returns where a table is in a folder, or None; reads nothing."""
    places = (folder / path for path in (file.path, *file.aliases))
    return next((place for place in places if place.is_file()), None)


def obtain(file: DataFile, folder: Path, *, download: bool = False) -> Path:
    """Returns the place of a verified table.

    Args:
        file: what is wanted.
        folder: where tables are.
        download: fetch what is missing.

    Raises:
        InputError: it is missing; says how to get it. Or it cannot be downloaded.
        CorruptFileError: it is not what was downloaded the first time.
        OutputError: the folder cannot be written.
    """
    place = find(file, folder)
    if place is not None:
        verify(place)
        return place
    target = folder / file.path
    if not file.url:
        raise InputError(f"{target} is not there, and cannot be downloaded: put it there. {_OTHER}")
    if not download:
        raise InputError(_missing(file, folder))
    if file.archive:
        archive = obtain(DataFile(file.archive, file.url), folder, download=True)
        _extract(archive, file.member, target)
    else:
        _download(file, target)
    return target


def verify(path: Path, content: Path | None = None) -> None:
    """Compares a table with the checksum beside it, if there is one.

    Args:
        path: place of the table.
        content: where its content is, if not there yet.

    Raises:
        CorruptFileError: they differ.
    """
    note = _note(path)
    if not note.is_file():
        return
    expected = note.read_text(encoding="utf-8", errors="replace").partition(" ")[0]
    checksum = sha256_of(content or path)
    if checksum != expected:
        raise CorruptFileError(
            f"{path} is not what was downloaded the first time: expected sha256 {expected}, got "
            f"{checksum}; delete it and {note.name} to download it again, or only {note.name} if "
            "the change is wanted"
        )


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _remember(path: Path, content: Path) -> None:
    """Writes the checksum before the table is in its place: no table is ever without one."""
    verify(path, content)
    write_bytes(_note(path), f"{sha256_of(content)}  {path.name}\n".encode())


def _download(file: DataFile, target: Path) -> None:
    from molkd.teachers.base import weights  # torch comes with it

    try:
        remove_leftovers(target)
        with atomic_path(target) as temporary:
            weights.fetch(file.url, temporary, label=target.name)
            with temporary.open("rb") as stream:
                if stream.read(1) in {b"", b"<"}:
                    raise InputError(f"{file.url} sent no table but an empty or a web page")
            _remember(target, temporary)
    except weights.UnreachableError as error:
        raise InputError(f"{error}. {_remedy(file, target.parent)}") from error


def _extract(archive: Path, member: str, target: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as opened:
            content = opened.read(member)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise CorruptFileError(
            f"{archive} does not hold {member}: {error}; delete it and download it again"
        ) from error
    with atomic_path(target) as temporary:
        temporary.write_bytes(content)
        _remember(target, temporary)


def _missing(file: DataFile, folder: Path) -> str:
    return (
        f"{folder / file.path} is not there. Download it with --download (download=True), or: "
        f"{_remedy(file, (folder / file.path).parent)} {_OTHER}"
    )


def _remedy(file: DataFile, folder: Path) -> str:
    inside = f", which holds it as {file.member}," if file.archive else ""
    return (
        f"Fetch {file.url}{inside} where there is a network and put the table at "
        f"{folder / Path(file.path).name}."
    )
