"""Whether files named by their rows are all there, what they hold together, and one file of them.

Every shard leaves a record of each of its files, and one of its end. They are compared here with
each other and with the files; what holds is written as a manifest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from molkd.embedding.layout import FINISHED, MANIFEST, Layout, Place
from molkd.errors import CorruptFileError, InputError
from molkd.runtime import files, settings
from molkd.runtime.processes import ordered_map
from molkd.types import digest_of

_SHARD = re.compile(r"shard-([0-9]+)-of-([0-9]+)")
_SAME = ("model", "model_digest", "versions", "storage")
_RECORD: Mapping[str, type] = {
    "model": str,
    "model_digest": str,
    "versions": dict,
    "storage": str,
    "start": int,
    "rows": int,
    "invalid": int,
    "named": bool,
    "items": str,
    "reasons": dict,
    "sha256": str,
}
"""What the record of a file says, as far as it is read here."""

_ENOUGH = 5


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder of files named by their rows holds.

    Attributes:
        folder: where it lies.
        content: as in the file; "files" has an entry for each in order.
    """

    folder: Path
    content: Mapping[str, Any]

    @property
    def paths(self) -> list[Path]:
        """The files in order."""
        return [self.folder / str(entry["name"]) for entry in self.content["files"]]


def merge(folder: Path, *, jobs: int = 1) -> Manifest:
    """Compares the files of a folder with the records of the shards that wrote them.

    Args:
        folder: as given to `embed_file` with `rows_per_file`.
        jobs: processes that read the files.

    Returns:
        The manifest, which lies in the folder.

    Raises:
        InputError: a shard has not finished, a file is missing, damaged, of another model, of other
            settings or of other rows than its name says, or belongs to none; names them.
        OutputError: the manifest cannot be written, or the folder is a URL.
    """
    files.refuse_url(folder)
    rows, layout = _finished(folder)
    places = [layout.place(start) for start in range(0, rows, layout.rows_per_file or rows)]
    _refuse_gaps(folder, places)
    records = [settings.read_record(place.settings) for place in places]
    _refuse_lost(places, records)
    tables = [settings.read_table(place.settings) for place in places]
    _refuse_others(places, records, tables)
    _refuse_wrong_rows(places, records, rows)
    _refuse_damaged(places, records, jobs)
    content = _content(places, records, tables[0], layout)
    if not _says(folder, content):
        files.write_json(folder / MANIFEST, content | {"sha256": digest_of(content)})
    return Manifest(folder, content)


def read_manifest(folder: Path) -> Manifest:
    """Reads what `merge` has written.

    Raises:
        InputError: there is none, or it has been changed since.
    """
    path = folder / MANIFEST
    try:
        content = dict(files.read_json(path))
    except CorruptFileError as error:
        raise InputError(f"{error}: run molkd merge {folder} to write it") from error
    said = content.pop("sha256", None)
    if said != digest_of(content):
        raise InputError(f"{path} was edited: run molkd merge {folder} to write it anew")
    return Manifest(folder, content)


def _says(folder: Path, content: Mapping[str, Any]) -> bool:
    """Whether that is in the folder already, which may be one that only others can write."""
    try:
        return read_manifest(folder).content == content
    except InputError:
        return False


def _finished(folder: Path) -> tuple[int, Layout]:
    """Returns the rows of the source, as all shards say, and how they lie in files."""
    ends: dict[int, dict[int, tuple[int, int]]] = {}
    for path in Layout(folder, 1).records.glob(f"shard-*-of-*/{FINISHED}"):
        found, record = _SHARD.fullmatch(path.parent.name), settings.read_record(path)
        rows, every = record.get("rows"), record.get("rows_per_file")
        if found and isinstance(rows, int) and isinstance(every, int) and rows > 0 < every:
            ends.setdefault(int(found[2]), {})[int(found[1])] = rows, every
    if not ends:
        raise InputError(
            f"no shard has finished in {folder}: run the same molkd embed again, or name the "
            "folder that one with --rows-per-file has written"
        )
    of = min(ends, key=lambda count: (count - len(ends[count]), count))
    missing = sorted({*range(1, of + 1)} - ends[of].keys())
    if missing:
        raise InputError(
            f"{folder}: not finished: {_listed([f'{one}/{of}' for one in missing])}; run the same "
            "molkd embed for each of these shards"
        )
    said = {*ends[of].values()}
    if len(said) > 1:
        raise InputError(
            f"{folder}: shards were of different sources or files: "
            + _listed(
                [
                    f"{number}/{of} of {rows} rows, {every} to a file"
                    for number, (rows, every) in sorted(ends[of].items())
                ]
            )
            + "; run the same molkd embed for each of them"
        )
    rows, every = said.pop()
    return rows, Layout(folder, every)


def _refuse_gaps(folder: Path, places: Sequence[Place]) -> None:
    expected = {place.output for place in places}
    missing = sorted(path.name for path in expected if not path.exists())
    if missing:
        raise InputError(f"{folder} lacks {_listed(missing)}: run the same molkd embed again")
    others = sorted(path.name for path in folder.glob("*.parquet") if path not in expected)
    if others:
        raise InputError(
            f"{folder} holds files that overlap or belong to none of the shards: "
            f"{_listed(others)}; move them away, or give another folder"
        )


def _refuse_lost(places: Sequence[Place], records: Sequence[Mapping[str, object]]) -> None:
    """Refuses files whose record is not there, was damaged, or is of another molkd."""
    for place, record in zip(places, records, strict=True):
        if not _is_whole(record):
            raise InputError(
                f"nothing says how {place.output} was made: {place.settings} is missing, damaged "
                "or of another molkd; remove both and run the same molkd embed again"
            )


def _is_whole(record: Mapping[str, Any]) -> bool:
    """Whether a record says all that it should, and its numbers add up."""
    if any(type(record.get(name)) is not kind for name, kind in _RECORD.items()):
        return False
    counts = [*record["reasons"].values()]
    return all(type(count) is int for count in counts) and sum(counts) == record["invalid"]


def _refuse_others(
    places: Sequence[Place],
    records: Sequence[Mapping[str, object]],
    tables: Sequence[Mapping[str, object]],
) -> None:
    """Refuses files of another model, other versions or other settings than the first."""
    for place, record, table in zip(places, records, tables, strict=True):
        said = [{name: one.get(name) for name in _SAME} for one in (records[0], record)]
        said = [one | dict(extra) for one, extra in zip(said, (tables[0], table), strict=True)]
        differences = [
            f"{name} is {said[1].get(name)!r} there, {said[0].get(name)!r} in the first"
            for name in {**said[0], **said[1]}
            if said[0].get(name) != said[1].get(name)
        ]
        if differences:
            raise InputError(
                f"{place.output} was made otherwise than the first file: {'; '.join(differences)}; "
                "remove it and run the same molkd embed as for the others"
            )


def _refuse_wrong_rows(
    places: Sequence[Place], records: Sequence[Mapping[str, object]], rows: int
) -> None:
    for place, record in zip(places, records, strict=True):
        due = min(place.rows or rows, rows - place.start)
        if record.get("rows") != due or record.get("start") != place.start:
            raise InputError(
                f"{place.output} was made of {record.get('rows')} rows from row "
                f"{record.get('start')}, and not of {due} from row {place.start}: the source has "
                "changed; remove the file and run the same molkd embed again"
            )


def _refuse_damaged(
    places: Sequence[Place], records: Sequence[Mapping[str, object]], jobs: int
) -> None:
    paths = [place.output for place in places]
    sums = ordered_map(files.sha256_of, paths, jobs=min(jobs, len(paths)))
    damaged = [
        path.name
        for path, record, found in zip(paths, records, sums, strict=True)
        if record.get("sha256") != found
    ]
    if damaged:
        raise InputError(
            f"damaged, or not what the shards wrote: {_listed(damaged)}; remove it and run the "
            "same molkd embed again"
        )


def _content(
    places: Sequence[Place],
    records: Sequence[Mapping[str, Any]],
    table: Mapping[str, object],
    layout: Layout,
) -> dict[str, Any]:
    reasons = Counter[str]()
    for record in records:
        reasons.update(record["reasons"])
    listed: list[dict[str, Any]] = [
        {
            "name": place.output.name,
            **{name: record[name] for name in ("start", "rows", "invalid", "named", "items")},
            "sha256": record["sha256"],
        }
        for place, record in zip(places, records, strict=True)
    ]
    return {
        **{name: records[0][name] for name in _SAME},
        "settings": dict(table),
        "rows": sum(entry["rows"] for entry in listed),
        "invalid": sum(entry["invalid"] for entry in listed),
        "reasons": dict(sorted(reasons.items())),
        "rows_per_file": layout.rows_per_file,
        "items": digest_of([entry["items"] for entry in listed]),
        "files": listed,
    }


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _ENOUGH} more" if len(names) > _ENOUGH else ""
    return ", ".join(names[:_ENOUGH]) + more
