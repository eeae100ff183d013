"""Building a bank: every teacher embeds every item once, block by block, resumably."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from molkd.bank import index
from molkd.bank.blocks import Parse, RowComputer
from molkd.bank.cost import Work, tell
from molkd.bank.files import CARD, TeacherFolder, folder_name
from molkd.bank.folder import StoredType
from molkd.bank.index import Header
from molkd.bank.nodes import build_nodes, node_folders, node_work, with_nodes
from molkd.bank.reading import Bank
from molkd.errors import ConfigError, StaleBankError
from molkd.runtime import locks
from molkd.runtime.engines import MAPS
from molkd.types import StoreAs, Support, Teacher, TeacherCard


def build(  # noqa: PLR0913
    path: Path,
    items: Sequence[Any],
    teachers: Sequence[Teacher[Any]],
    *,
    keys: Sequence[str] | None = None,
    errors: Mapping[int, str] | None = None,
    standardization: str = "none",
    dtype: StoreAs = "auto",
    jobs: int = 1,
    engine: str = "local",
    block: int = 1024,
    parse: Parse | None = None,
    nodes: Sequence[str] = (),
    progress: bool = True,
) -> Bank:
    """Builds a bank, resumes an interrupted one, or adds teachers or their nodes to one.

    Nodes cost a second pass through their teachers and much disk: 100,000 items of 23 nodes
    with 300 numbers of 2 bytes each take 1.4 GB per teacher, those of 4 bytes 2.8 GB.

    Args:
        path: folder of the bank.
        items: what `parse`, or else the teachers, read; picklable where `jobs` > 1.
        keys: one string per item, equal for equal items, by which the bank identifies it; None
            where the items themselves are such strings.
        teachers: those the bank shall hold at the end; others already in it stay.
        errors: row -> reason for invalid items; no teacher embeds them.
        standardization: level to which the items were standardised; one bank holds one level.
        dtype: type of the stored values; "auto" takes fp16 for bits and counts, fp32 for real
            values and fp16 for nodes, and for what is already in the bank the type it has.
        jobs: processes, for teachers on the CPU; those on a GPU compute in this one. The bits do
            not depend on it.
        engine: where these processes are: "local" here, "ray" on a Ray cluster; the bits do not
            depend on it either.
        block: rows per block of a new bank; an existing one keeps its own.
        parse: turns items into what the teachers read; picklable where `jobs` > 1.
        nodes: names of the teachers whose states of nodes the bank shall hold too.
        progress: whether to say before the work what it will cost, as `molkd.bank.cost` measures
            it, and to show a progress bar.

    Returns:
        The bank, opened with these teachers and nodes.

    Raises:
        ConfigError: a setting is out of range, there are no items, or a teacher has no nodes.
        UnknownNameError: `nodes` names none of the teachers, or there is no such engine.
        MissingExtraError: the engine's library is not installed.
        StaleBankError: the folder holds a bank of other items or of another teacher by this name.
        CorruptFileError: the folder holds a bank that is damaged.
        ShapeError: a teacher's array has not the shape or type of its card.
        OutputError: the disk is full; run again to resume.
        WorkerDiedError: a worker process died; run again to resume.
    """
    errors = dict(errors or {})
    keys = items if keys is None else keys
    if len(keys) != len(items):
        raise ConfigError(f"{len(keys)} keys for {len(items)} items")
    _refuse_bad_settings(items, teachers, errors, jobs, block)
    MAPS.resolve(engine)  # raises before anything is written
    node_teachers = with_nodes(teachers, nodes)
    with locks.held(path):
        header = _index(path, keys, errors, standardization, block)
        cards = [teacher.card for teacher in teachers]
        folders = {card.name: _folder(path, card, dtype, len(items)) for card in cards}
        states = node_folders(folders, node_teachers, None if dtype == "auto" else dtype)
        works: list[tuple[Work, Work]] = []
        for on_gpu in (True, False):
            processes = 1 if on_gpu else jobs
            some = [teacher for teacher in teachers if _on_gpu(teacher) is on_gpu]
            with_states = [teacher for teacher in node_teachers if _on_gpu(teacher) is on_gpu]
            rows = _work(folders, some, errors, processes, parse)
            its_nodes = node_work(states, with_states, errors, processes, parse)
            place = "local" if on_gpu else engine
            works.append((replace(rows, engine=place), replace(its_nodes, engine=place)))
        if progress:
            tell(items, list(itertools.chain(*works)), block=header.block)
        for rows, its_nodes in works:
            _fill(items, folders, rows, block=header.block, progress=progress)
            build_nodes(items, folders, states, its_nodes, block=header.block, progress=progress)
    return Bank.open(path, teachers=list(folders), nodes=nodes)


def _work(
    folders: Mapping[str, TeacherFolder],
    teachers: Sequence[Teacher[Any]],
    errors: Mapping[int, str],
    jobs: int,
    parse: Parse | None,
) -> Work:
    """Returns the rows that teachers lack."""
    named = {teacher.card.name: teacher for teacher in teachers}
    unfinished = {name: folders[name] for name in named if not folders[name].sealed}
    computer = RowComputer(
        {name: named[name] for name in unfinished},
        {name: folder.dtype for name, folder in unfinished.items()},
        parse,
    )
    done = {name: folder.journal()[0] for name, folder in unfinished.items()}
    return Work(computer=computer, failures=dict.fromkeys(done, errors), done=done, jobs=jobs)


def _fill(
    items: Sequence[Any],
    folders: Mapping[str, TeacherFolder],
    work: Work,
    *,
    block: int,
    progress: bool,
) -> None:
    """Embeds the rows that teachers lack, and seals their folders."""
    for blocks in work.run(items, block=block, progress=progress):
        for one in blocks:
            folders[one.teacher].append(one.start, one.values, one.failures)
    for name in work.done:
        _finish(folders[name])


def _finish(folder: TeacherFolder) -> None:
    folder.seal()
    failures = folder.failures()
    if len(failures) == folder.count:
        row, reason = next(iter(failures.items()))
        warnings.warn(
            f"teacher {folder.card.name!r} failed on all {folder.count} items; row {row}: {reason}",
            stacklevel=4,
        )


def _on_gpu(teacher: Teacher[Any]) -> bool:
    """Whether a teacher, or one inside it, runs elsewhere than on the CPU."""
    params = cast("Any", teacher).get_params() if hasattr(teacher, "get_params") else {}
    names = [str(value) for key, value in params.items() if key.rpartition("__")[2] == "device"]
    return any(map(_is_gpu, names or [str(getattr(teacher, "device", "cpu"))]))


def _is_gpu(name: str) -> bool:
    if name == "auto":
        from molkd.runtime import devices  # it loads torch, which most teachers need not

        return devices.choose(name).type != "cpu"
    return not name.startswith("cpu")


def _refuse_bad_settings(
    items: Sequence[Any],
    teachers: Sequence[Teacher[Any]],
    errors: Mapping[int, str],
    jobs: int,
    block: int,
) -> None:
    if not len(items):
        raise ConfigError("a bank needs at least one item, there are none")
    if not teachers:
        raise ConfigError("a bank needs at least one teacher, there are none")
    names = [teacher.card.name for teacher in teachers]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"two teachers are called {twice[0]!r}: give each its own name")
    outside = [row for row in errors if not 0 <= row < len(items)]
    if outside:
        raise ConfigError(f"errors names row {outside[0]}, but there are {len(items)} items")
    for setting, value in (("jobs", jobs), ("block", block)):
        if value < 1:
            raise ConfigError(f"{setting} must be at least 1, not {value}")


def _index(
    path: Path, items: Sequence[str], errors: Mapping[int, str], standardization: str, block: int
) -> Header:
    if not index.exists(path):
        return index.create(path, items, errors, standardization=standardization, block=block)
    header = index.read(path)
    index.refuse_other_items(path, header, items)
    index.refuse_other_errors(path, header, errors)
    if header.standardization != standardization:
        raise StaleBankError(
            f"{path} was built with standardization {header.standardization!r}, not "
            f"{standardization!r}: use another folder"
        )
    return header


def _folder(path: Path, card: TeacherCard, dtype: StoreAs, count: int) -> TeacherFolder:
    place = path / folder_name(card.name)
    if not (place / CARD).exists():
        return TeacherFolder.create(place, card, _stored_type(dtype, card.support), count)
    folder = TeacherFolder.read(place, count)
    differences = _differences(folder.card, card)
    if dtype not in ("auto", folder.dtype):
        differences.append(f"dtype: {folder.dtype} there, {dtype} now")
    if differences:
        raise StaleBankError(
            f"teacher {card.name!r} in {path} is another one than the one given "
            f"({'; '.join(differences)}): delete {place} to compute it again, or use another folder"
        )
    folder.check()
    if not folder.sealed:
        folder.repair()
    return folder


def _stored_type(dtype: StoreAs, support: Support) -> StoredType:
    if dtype == "auto":
        return "fp32" if support == "real" else "fp16"
    return dtype


def _differences(stored: TeacherCard, current: TeacherCard) -> list[str]:
    if stored.digest == current.digest:
        return []
    old, new = stored.as_json(), current.as_json()
    return [
        f"{key}: {old.get(key)!r} there, {new.get(key)!r} now"
        for key in {**old, **new}
        if old.get(key) != new.get(key)
    ]
