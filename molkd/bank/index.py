"""The index of a bank: the item of each row, which rows are invalid, and the digests of both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from molkd.errors import CorruptFileError, IncompleteBankError, StaleBankError
from molkd.runtime import files, versions

FORMAT = 1
"""Changes whenever a bank written before could not be read any more."""

_PACKAGES = ("pyarrow", "rdkit")
"""RDKit writes some keys, and its releases write some of them differently."""

_HEADER = "bank.json"
_ITEMS = "items.parquet"


@dataclass(frozen=True, slots=True)
class Header:
    """What `bank.json` says.

    Attributes:
        count: items, valid or not.
        block: rows per block; fixed for the life of the bank, so that a teacher whose numbers
            depend on the batch in the last bits ends with the same ones after a resumption.
        standardization: level to which the items were standardised; "preparation" in the file.
        items: digest of the items in order.
        errors: digest of the rows that are invalid.
        versions: packages that wrote the bank; for the record, and for messages.
    """

    count: int
    block: int
    standardization: str
    items: str
    errors: str
    versions: Mapping[str, str]


def create(
    folder: Path,
    items: Sequence[str],
    errors: Mapping[int, str],
    *,
    standardization: str,
    block: int,
) -> Header:
    """Writes the index of a new bank; the header comes last and makes it one.

    Raises:
        OutputError: the folder cannot be written.
    """
    header = Header(
        len(items),
        block,
        standardization,
        digest_items(items),
        digest_items(map(str, sorted(errors))),
        versions.installed(_PACKAGES),
    )
    table = pa.table(
        {
            "row": pa.array(range(len(items)), pa.int64()),
            "item": pa.array(items, pa.string()),
            "valid": pa.array([row not in errors for row in range(len(items))], pa.bool_()),
            "error": pa.array([errors.get(row) for row in range(len(items))], pa.string()),
        }
    )
    with files.atomic_path(folder / _ITEMS) as temporary:
        pq.write_table(table, temporary)
    fields = {
        "preparation" if name == "standardization" else name: getattr(header, name)
        for name in Header.__slots__
    }
    files.write_json(folder / _HEADER, {"format": FORMAT, **fields})
    return header


def exists(folder: Path) -> bool:
    """Returns whether the folder holds a bank, finished or not."""
    return (folder / _HEADER).exists()


def read(folder: Path) -> Header:
    """Reads the header.

    Raises:
        IncompleteBankError: there is no bank in the folder.
        StaleBankError: it was written in a format that this version does not read.
        CorruptFileError: the header is not readable.
    """
    if not exists(folder):
        raise IncompleteBankError(f"{folder} holds no bank (no {_HEADER}): build it first")
    raw = files.read_json(folder / _HEADER)
    if raw.get("format") != FORMAT:
        raise StaleBankError(
            f"{folder} has bank format {raw.get('format')}, this version reads {FORMAT}: "
            "build it again in another folder"
        )
    try:
        header = Header(
            int(str(raw["count"])),
            int(str(raw["block"])),
            str(raw["preparation"]),
            str(raw["items"]),
            str(raw["errors"]),
            {str(key): str(value) for key, value in dict(raw["versions"]).items()},  # pyright: ignore[reportArgumentType, reportCallIssue]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptFileError(
            f"{folder / _HEADER} is not the header of a bank: {error}"
        ) from error
    if header.count < 1 or header.block < 1:
        raise CorruptFileError(
            f"{folder / _HEADER} is not the header of a bank: {header.count} items in blocks of "
            f"{header.block}"
        )
    return header


def read_items(folder: Path, header: Header) -> tuple[list[str], dict[int, str]]:
    """Reads the items, and row -> reason for the invalid ones.

    Raises:
        CorruptFileError: the file does not hold what the header says.
    """
    path = folder / _ITEMS
    try:
        table = pq.read_table(path, columns=["item", "error"])
    except (OSError, pa.ArrowException) as error:
        raise CorruptFileError(f"cannot read {path}: {error}") from error
    items: list[str] = table["item"].to_pylist()
    reasons: list[str | None] = table["error"].to_pylist()
    errors = {row: reason for row, reason in enumerate(reasons) if reason is not None}
    digests = digest_items(items), digest_items(map(str, errors))
    if digests != (header.items, header.errors):
        raise CorruptFileError(f"{path} does not hold the items that {_HEADER} names")
    return items, errors


def refuse_other_items(folder: Path, header: Header, items: Sequence[str]) -> None:
    """Checks that the bank holds exactly these items, in this order.

    Raises:
        StaleBankError: it does not; names the first row that differs.
    """
    if digest_items(items) == header.items:
        return
    stored, _ = read_items(folder, header)
    row, old, new = next(
        (row, old, new) for row, (old, new) in enumerate(zip_longest(stored, items)) if old != new
    )
    writers = versions.differences(header.versions)
    writers = writers and f" ({writers})"
    raise StaleBankError(
        f"{folder} was built for other items ({len(stored)}, now {len(items)}): row {row} is "
        f"{_shown(old)} there and {_shown(new)} now{writers}; "
        "use another folder"
    )


def refuse_other_errors(folder: Path, header: Header, errors: Mapping[int, str]) -> None:
    """Checks that exactly these rows are invalid in the bank.

    Raises:
        StaleBankError: they are not; names the first row that differs.
    """
    if digest_items(map(str, sorted(errors))) == header.errors:
        return
    _, stored = read_items(folder, header)
    row = min(stored.keys() ^ errors.keys())
    raise StaleBankError(
        f"{folder} was built with other invalid rows: row {row} is "
        f"{stored.get(row, 'valid')} there and {errors.get(row, 'valid')} now; use another folder"
    )


def digest_items(items: Iterable[str]) -> str:
    """Returns the sha256 of strings in order; no two sequences share one by concatenation."""
    digest = hashlib.sha256()
    for item in items:
        digest.update(json.dumps(item).encode() + b"\n")
    return digest.hexdigest()


def _shown(item: str | None) -> str:
    return "missing" if item is None else repr(item[:80])
