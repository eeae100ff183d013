"""Built-in tasks by name, read from a folder of tables; those of the user's own by
`tasks.own`.

A new benchmark is a file here with its entries, and a line in `GROUPS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from molkd.benchmarks.tasks import moleculeace, moleculenet, tdc, text, vision
from molkd.benchmarks.tasks.downloads import data_dir, find, obtain
from molkd.benchmarks.tasks.entry import Entry
from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import Task
from molkd.errors import ConfigError, InputError, UnknownNameError
from molkd.formats.streams import DAMAGE
from molkd.runtime.registry import Registry

GROUPS: Registry[tuple[Entry, ...]] = Registry(
    "group of tasks",
    {
        "tdc-admet": tdc.ADMET,
        "tdc-single": tdc.SINGLE,
        "moleculenet": moleculenet.TASKS,
        "moleculeace": moleculeace.TASKS,
        "text": text.TASKS,
        "vision": vision.TASKS,
    },
)
"""Group -> its tasks."""

_ENTRIES = [entry for entries in GROUPS.values() for entry in entries]
_SELECTIONS: Registry[tuple[Entry, ...]] = Registry(
    "task",
    {**GROUPS, **{name: (entry,) for entry in _ENTRIES for name in (entry.key, entry.short)}},
    listing="molkd bench tasks",
)
"""What may be asked for -> its tasks."""


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
    return [entry.key for entry in _ENTRIES]


def load(
    selection: Sequence[str],
    *,
    own: Sequence[Task] = (),
    data: Path | None = None,
    download: bool = False,
) -> list[Task]:
    """Reads tasks, each once, in the order in which they are first asked for.

    Args:
        selection: groups ("tdc-admet"), tasks ("tdc-single:ames"), or names of tasks that are
            in one group only ("tox21").
        own: tasks of the user's own, to go after them; see `tasks.own`.
        data: folder of tables; see `downloads.data_dir` for None.
        download: fetch tables that are missing into the folder.

    Raises:
        UnknownNameError: no such group or task, or a name that is in two groups.
        InputError: a table is missing (says how to get it) or makes no sense.
        CorruptFileError: a table is not what was downloaded the first time.
        ConfigError: a task of the user's own has the name of another one.
    """
    folder = data_dir(data)
    chosen = dict.fromkeys(entry for text in selection for entry in _entries(text))
    tasks = [
        entry.read(entry, [obtain(file, folder, download=download) for file in entry.files])
        for entry in chosen
    ]
    for task in own:
        if task.name in {other.name for other in tasks}:
            raise ConfigError(f"{task.source} and a task of --tasks are both named {task.name!r}")
        tasks.append(task)
    return tasks


def describe(data: Path | None = None) -> list[Description]:
    """Returns what is known of all built-in tasks, and which of them can be read.

    Args:
        data: folder of tables; see `downloads.data_dir` for None.
    """
    folder = data_dir(data)
    return [
        Description(entry.key, entry.kind, entry.metric, _row_count(entry, folder))
        for entry in _ENTRIES
    ]


def _entries(text: str) -> Sequence[Entry]:
    name = text if text in GROUPS else text.lower()
    keys = [entry.key for entry in _ENTRIES if entry.short == name]
    if len(keys) > 1:
        raise UnknownNameError(
            f"there are two tasks {text!r}: {' and '.join(keys)}; name one with its group"
        )
    return _SELECTIONS[name]


def _row_count(entry: Entry, folder: Path) -> int | None:
    places = [find(file, folder) for file in entry.files]
    try:
        return entry.count([place for place in places if place]) if all(places) else None
    except (InputError, *DAMAGE):
        return None
