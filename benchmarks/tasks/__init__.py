"""Built-in tasks by name, read from a folder of tables; the user's own are in `tasks.table`,
those of a folder of MTEB in `tasks.mteb`.

A new benchmark is a file here with its entries, and a line in `GROUPS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from molkd.benchmarks.tasks import moleculeace, moleculenet, tdc, text, vision
from molkd.benchmarks.tasks.downloads import data_dir, find, obtain
from molkd.benchmarks.tasks.entry import Entry
from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import Task
from molkd.errors import InputError, UnknownNameError
from molkd.formats.streams import DAMAGE
from molkd.runtime.registry import near

GROUPS: Mapping[str, tuple[Entry, ...]] = {
    "tdc-admet": tdc.ADMET,
    "tdc-single": tdc.SINGLE,
    "moleculenet": moleculenet.TASKS,
    "moleculeace": moleculeace.TASKS,
    "text": text.TASKS,
    "vision": vision.TASKS,
}
"""Group -> its tasks."""


@dataclass(frozen=True, slots=True)
class Description:
    """What is known of a built-in task before its table is read.

    Attributes:
        key: "GROUP:NAME".
        kind: see `Task.kind`.
        metric: see `Task.metric`.
        rows: of its tables, all of them; None where they are not here or damaged.
    """

    key: str
    kind: Kind
    metric: str
    rows: int | None


def names() -> list[str]:
    """Returns all built-in tasks, as "GROUP:NAME"."""
    return [entry.key for entries in GROUPS.values() for entry in entries]


def load(
    selection: Sequence[str], *, data: Path | None = None, download: bool = False
) -> list[Task]:
    """Reads tasks, each once, in the order in which they are first asked for.

    Args:
        selection: groups ("tdc-admet"), tasks ("tdc-single:ames"), or names of tasks that are
            in one group only ("tox21").
        data: folder of tables; see `downloads.data_dir` for None.
        download: fetch tables that are missing into the folder.

    Raises:
        UnknownNameError: no such group or task, or a name that is in two groups.
        InputError: a table is missing (says how to get it) or makes no sense.
        CorruptFileError: a table is not what was downloaded the first time.
    """
    folder = data_dir(data)
    chosen = dict.fromkeys(entry for text in selection for entry in _entries(text))
    return [
        entry.read(entry, [obtain(file, folder, download=download) for file in entry.files])
        for entry in chosen
    ]


def describe(data: Path | None = None) -> list[Description]:
    """Returns what is known of all built-in tasks, and which of them can be read.

    Args:
        data: folder of tables; see `downloads.data_dir` for None.
    """
    folder = data_dir(data)
    return [
        Description(entry.key, entry.kind, entry.metric, _row_count(entry, folder))
        for entries in GROUPS.values()
        for entry in entries
    ]


def _entries(text: str) -> Sequence[Entry]:
    if text in GROUPS:
        return GROUPS[text]
    everything = [entry for entries in GROUPS.values() for entry in entries]
    found = [entry for entry in everything if text.lower() in {entry.key, entry.short}]
    if len(found) == 1:
        return found
    if found:
        keys = " and ".join(entry.key for entry in found)
        raise UnknownNameError(f"there are two tasks {text!r}: {keys}; name one with its group")
    known = [*GROUPS, *(name for entry in everything for name in (entry.key, entry.short))]
    raise UnknownNameError(
        f"unknown task {text!r}.{near(text, known)} Groups are {', '.join(GROUPS)}; "
        "'molkd bench tasks' shows all tasks."
    )


def _row_count(entry: Entry, folder: Path) -> int | None:
    places = [find(file, folder) for file in entry.files]
    try:
        return entry.count([place for place in places if place]) if all(places) else None
    except (InputError, *DAMAGE):
        return None
