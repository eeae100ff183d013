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
        InputError: a table is missing (says how to get it, and of a group how many are) or makes
            no sense.
        CorruptFileError: a table is not what was downloaded the first time.
        ConfigError: a task of the user's own has the name of another one.
    """
    folder = data_dir(data)
    chosen = dict.fromkeys(entry for text in selection for entry in _entries(text))
    if not download:
        _refuse_holes(selection, folder)
    tasks = [
        entry.read(entry, [obtain(file, folder, download=download) for file in entry.files])
        for entry in chosen
    ]
    for task in own:
        if task.name in {other.name for other in tasks}:
            raise ConfigError(f"{task.source} and a task of --tasks are both named {task.name!r}")
        tasks.append(task)
    return tasks


def present(selection: Sequence[str], *, data: Path | None = None) -> tuple[list[str], list[str]]:
    """Takes of every group the tasks whose tables are here; tasks that are named stay named.

    Args:
        selection: see `load`.
        data: folder of tables; see `downloads.data_dir` for None.

    Returns:
        A selection for `load`, and the tasks of groups that are not in it, as "GROUP:NAME".

    Raises:
        UnknownNameError: no such group or task.
        InputError: no table of a group is here.
    """
    folder = data_dir(data)
    kept: list[str] = []
    absent: list[str] = []
    for asked in selection:
        entries = _entries(asked)
        here = [entry.key for entry in entries if not _is_group(asked) or _is_here(entry, folder)]
        if not here:
            raise InputError(
                f"no table of {asked} is in {folder}: name the folder with --data, or get them "
                "with --download"
            )
        kept += here
        absent += [entry.key for entry in entries if entry.key not in here]
    return kept, [key for key in dict.fromkeys(absent) if key not in kept]


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


def _is_group(text: str) -> bool:
    return text.lower() in GROUPS


def _is_here(entry: Entry, folder: Path) -> bool:
    return all(find(file, folder) for file in entry.files)


def _refuse_holes(selection: Sequence[str], folder: Path) -> None:
    """Says of a group of which some tables are missing and others not how many, and what to do."""
    for asked in selection:
        entries = _entries(asked)
        holes = [entry for entry in entries if not _is_here(entry, folder)]
        if _is_group(asked) and 0 < len(holes) < len(entries):
            names = ", ".join(entry.files[0].path for entry in holes)
            raise InputError(
                f"{len(holes)} of {len(entries)} tasks of {asked} have no table in {folder} "
                f"({names}): get them with --download, or take the others alone with --present"
            )


def _row_count(entry: Entry, folder: Path) -> int | None:
    places = [find(file, folder) for file in entry.files]
    try:
        return entry.count([place for place in places if place]) if all(places) else None
    except (InputError, *DAMAGE):
        return None
