"""Building the nodes of a bank: the states of nodes by teachers that have them, block by block."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from molkd.bank.blocks import (
    NOT_THE_ITEMS,
    Computer,
    Parse,
    Task,
    one_by_one,
    refuse_outside,
    stored,
)
from molkd.bank.cost import Work
from molkd.bank.files import TeacherFolder
from molkd.bank.folder import Stored, StoredType
from molkd.bank.node_files import HEADER, NODES, NodeFolder
from molkd.errors import ConfigError, ShapeError, StaleBankError, UnknownNameError
from molkd.runtime.registry import near
from molkd.types import Matrix, NodeEmbeddings, NodeTeacher, Rows, Teacher, starts_of


@dataclass(frozen=True, slots=True)
class NodeBlock:
    """The nodes that one teacher sees in one block.

    Attributes:
        teacher: name.
        values: shape (a, d), as they will be stored.
        counts: shape (m,), nodes of each row; 0 where it failed.
        failures: row of the bank -> reason.
    """

    teacher: str
    values: Stored
    counts: Rows
    failures: Mapping[int, str]


class NodeComputer(Computer[NodeTeacher[Any], NodeBlock]):
    """Computes the states of nodes."""

    def block_of(
        self, name: str, task: Task, parsed: Mapping[int, Any], failures: dict[int, str]
    ) -> NodeBlock:
        """Asks for the nodes of the items; see `Computer`."""
        rows = [row for row in parsed if row not in failures]
        counts = np.zeros(len(task.items), dtype=np.int64)
        values: Matrix = np.empty((0, self.teachers[name].node_dim), dtype=np.float32)
        if rows:
            embedded = _embed(self.teachers[name], [parsed[row] for row in rows])
            values = embedded.values
            counts[np.asarray(rows) - task.start] = embedded.counts
            failures |= {rows[place]: reason for place, reason in embedded.failures.items()}
        return NodeBlock(
            name,
            stored(values, self.dtypes[name], name, f"block of row {task.start}, node", 0),
            counts,
            dict(sorted(failures.items())),
        )


def node_folders(
    folders: Mapping[str, TeacherFolder],
    teachers: Sequence[NodeTeacher[Any]],
    dtype: StoredType | None,
) -> dict[str, NodeFolder]:
    """Opens or makes the folders of teachers' nodes, by the name of the teacher.

    Raises:
        StaleBankError: one holds other nodes than those of the teacher.
    """
    return {one.card.name: _folder(folders[one.card.name], one, dtype) for one in teachers}


def node_work(
    nodes: Mapping[str, NodeFolder],
    teachers: Sequence[NodeTeacher[Any]],
    errors: Mapping[int, str],
    jobs: int,
    parse: Parse | None,
) -> Work:
    """Returns what teachers' nodes lack.

    Args:
        nodes: teacher -> its folder.
        teachers: those to ask.
        errors: row -> reason for invalid items.
        jobs: processes.
        parse: turns items into what the teachers read.
    """
    named = {teacher.card.name: teacher for teacher in teachers}
    unfinished = {name: nodes[name] for name in named if not nodes[name].sealed}
    computer = NodeComputer(
        {name: named[name] for name in unfinished},
        {name: folder.dtype for name, folder in unfinished.items()},
        parse,
    )
    done = {name: len(folder.journal()[0]) for name, folder in unfinished.items()}
    failures = dict.fromkeys(done, errors)
    return Work(computer=computer, failures=failures, done=done, jobs=jobs, what="nodes")


def build_nodes(
    items: Sequence[Any],
    folders: Mapping[str, TeacherFolder],
    nodes: Mapping[str, NodeFolder],
    work: Work,
    *,
    block: int,
    progress: bool,
) -> None:
    """Fills the nodes of teachers whose rows are complete; see `molkd.bank.build`."""
    failures = {name: folders[name].failures() for name in work.done}
    work = replace(work, failures=failures)
    unfinished = {name: nodes[name] for name in work.done}
    written = {name: int(folder.journal()[0].sum()) for name, folder in unfinished.items()}
    for blocks in work.run(items, block=block, progress=progress):
        for one in blocks:
            folder = unfinished[one.teacher]
            folder.append(written[one.teacher], one.values, one.counts, one.failures)
            written[one.teacher] += len(one.values)
    for name, folder in unfinished.items():
        _finish(folder, failures[name])


def with_nodes(teachers: Sequence[Teacher[Any]], names: Sequence[str]) -> list[NodeTeacher[Any]]:
    """Returns the named teachers.

    Raises:
        UnknownNameError: a name is not among the teachers.
        ConfigError: a teacher has no states of nodes; names those that do.
    """
    named = {teacher.card.name: teacher for teacher in teachers}
    able = {name: one for name, one in named.items() if isinstance(one, NodeTeacher)}
    for name in names:
        if name not in named:
            raise UnknownNameError(
                f"nodes of teacher {name!r}, which is not among those to build "
                f"({', '.join(named)}).{near(name, named)}"
            )
        if name not in able:
            who = f"of those given, {', '.join(able)} do" if able else "none of those given does"
            raise ConfigError(
                f"teacher {name!r} has no states of nodes; {who} (graph networks such as "
                "hu-gcn-contextpred and molclr-gcn, or any teacher with `embed_nodes`)"
            )
    return [able[name] for name in dict.fromkeys(names)]


def _folder(rows: TeacherFolder, teacher: NodeTeacher[Any], dtype: StoredType | None) -> NodeFolder:
    place, card = rows.path / NODES, teacher.card
    if not (place / HEADER).exists():
        return NodeFolder.create(place, card, teacher.node_dim, dtype or "fp16", rows.count)
    folder = NodeFolder.read(place, rows.count)
    pairs = {
        "teacher": (folder.card, card.digest),
        "width": (folder.dim, teacher.node_dim),
        "dtype": (folder.dtype, dtype or folder.dtype),
    }
    differing = [
        f"{key}: {old} there, {new} now" for key, (old, new) in pairs.items() if old != new
    ]
    if differing:
        raise StaleBankError(
            f"the nodes of teacher {card.name!r} in {place.parent.parent} are others than those "
            f"asked for ({'; '.join(differing)}): delete {place} to compute them again, or use "
            "another folder"
        )
    folder.check()
    if not folder.sealed:
        folder.repair()
    return folder


def _finish(folder: NodeFolder, failures_of_rows: Mapping[int, str]) -> None:
    folder.seal()
    failures = folder.failures()
    new = [(row, why) for row, why in failures.items() if row not in failures_of_rows]
    if len(failures) == folder.count and new:
        row, reason = new[0]
        warnings.warn(
            f"teacher {folder.teacher!r} gave no nodes of any item; row {row}: {reason}",
            stacklevel=4,
        )


def _embed(teacher: NodeTeacher[Any], objects: Sequence[Any]) -> NodeEmbeddings:
    try:
        return _checked(teacher.embed_nodes(objects), teacher, len(objects))
    except NOT_THE_ITEMS:
        raise
    except Exception:  # noqa: BLE001, one by one, to find the items that cause it
        singles, failures = one_by_one(
            lambda single: [_checked(teacher.embed_nodes(single), teacher, 1)], objects
        )
    counts = np.zeros(len(objects), dtype=np.int64)
    places = [place for place in range(len(objects)) if place not in failures]
    for place, single in zip(places, singles, strict=True):
        counts[place] = len(single.values)
        if single.failures:
            failures[place] = single.failures[0]
    empty: Matrix = np.empty((0, teacher.node_dim), dtype=np.float32)
    values = np.concatenate([empty, *(single.values for single in singles)])
    return NodeEmbeddings(values, starts_of(counts), failures)


def _checked(embedded: NodeEmbeddings, teacher: NodeTeacher[Any], count: int) -> NodeEmbeddings:
    values, starts = embedded.values, embedded.starts
    name, due = teacher.card.name, f"expected (nodes, {teacher.node_dim}) of float32"
    if values.shape[1:] != (teacher.node_dim,) or values.dtype != np.float32:
        raise ShapeError(
            f"teacher {name!r} returned nodes of shape {values.shape} of {values.dtype}, {due}"
        )
    ends = len(starts) == count + 1 and (starts[0], starts[-1]) == (0, len(values))
    if not ends or (np.diff(starts) < 0).any():
        raise ShapeError(
            f"teacher {name!r} returned starts that do not divide {len(values)} nodes among "
            f"{count} items"
        )
    refuse_outside(embedded.failures, name, count)
    return _without_failed(embedded)


def _without_failed(embedded: NodeEmbeddings) -> NodeEmbeddings:
    """Takes away the nodes of failed items; an item without nodes, or with NaN, has failed."""
    counts, failures = embedded.counts.copy(), dict(embedded.failures)
    owner = np.repeat(np.arange(len(counts)), counts)
    for row in np.unique(owner[~np.isfinite(embedded.values).all(axis=1)]).tolist():
        failures.setdefault(row, "the teacher returned NaN or infinity")
    for row in np.flatnonzero(counts == 0).tolist():
        failures.setdefault(row, "the teacher returned no nodes")
    failed = np.array(sorted(failures), dtype=np.int64)
    values = embedded.values[~np.isin(owner, failed)]
    counts[failed] = 0
    return NodeEmbeddings(values, starts_of(counts), dict(sorted(failures.items())))
