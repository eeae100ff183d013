"""Where the rows of a source go: into one file, or into files of so many rows each."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from molkd.errors import ConfigError, OutputError
from molkd.formats.readers import EVERY_ROW

RECORDS = "_records"
"""Folder beside files named by their rows; readers of tables pass over a leading underscore."""

ROWS_PER_FILE = 1_000_000
FINISHED = "finished.toml"
MANIFEST = "_manifest.json"

_SHARD = re.compile(r"([0-9]+)/([0-9]+)")
_NAMED_BY_ROWS = re.compile(r"([0-9]{12,})-([0-9]{12,})\.parquet(?:\.parts)?")


@dataclass(frozen=True, order=True)
class Shard:
    """One of several jobs that share a source: every `of`-th file is its own.

    Attributes:
        number: from 1.
        of: how many there are.
    """

    number: int = 1
    of: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise ConfigError(
                f"shard {self.number}/{self.of}: expected I/N with I from 1 to N, such as 3/16"
            )

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @classmethod
    def of_text(cls, text: str) -> Shard:
        """Reads "I/N".

        Raises:
            ConfigError: it is something else.
        """
        found = _SHARD.fullmatch(text.strip())
        if not found:
            raise ConfigError(f"shard {text!r}: expected I/N with I from 1 to N, such as 3/16")
        return cls(int(found[1]), int(found[2]))


@dataclass(frozen=True, slots=True)
class Place:
    """An output file.

    Attributes:
        output: the file.
        beside: the folder of what belongs to it: its settings, and parts until it is whole.
        start: the first row of the source that goes there.
        rows: as many rows of the source go there at most; None for all.
    """

    output: Path
    beside: Path
    start: int = 0
    rows: int | None = None

    @property
    def parts(self) -> Path:
        """The folder of finished parts."""
        return self.beside / f"{self.output.name}.parts"

    @property
    def settings(self) -> Path:
        """The settings, and the record of the run."""
        return settings_path(self.beside / self.output.name)


@dataclass(frozen=True)
class Layout:
    """Which rows go to which file.

    Attributes:
        output: the file, or where there are several the folder.
        rows_per_file: how many rows of the source go to each; None for all to one.
        shard: which of them this job writes.
    """

    output: Path
    rows_per_file: int | None = None
    shard: Shard = Shard()

    def __post_init__(self) -> None:
        if self.rows_per_file is not None and self.rows_per_file < 1:
            raise ConfigError(f"rows_per_file must be at least 1, not {self.rows_per_file}")

    @property
    def single(self) -> bool:
        """Whether all goes to one file."""
        return self.rows_per_file is None

    @property
    def records(self) -> Path:
        """The folder of records, where there are several files."""
        return self.output / RECORDS

    @property
    def held(self) -> Path:
        """The folder that a job locks."""
        if self.single:
            return self.place(0).parts
        return self.records / f"shard-{self.shard.number}-of-{self.shard.of}"

    @property
    def finished(self) -> Path:
        """The record that this shard has written all its files."""
        return self.held / FINISHED

    @property
    def claims(self) -> Iterator[Path]:
        """What says that all files are there, and no longer does while this shard writes one.

        Records of shards of the same number of jobs stand: they are of other files.
        """
        yield self.output / MANIFEST
        yield self.finished
        for path in self.records.glob(f"shard-*-of-*/{FINISHED}"):
            if not path.parent.name.endswith(f"-of-{self.shard.of}"):
                yield path

    def owns(self, path: Path) -> bool:
        """Whether a file is one of several of this folder, or a record of them."""
        if self.records.resolve() in path.parents:
            return True
        return path.parent == self.output.resolve() and bool(_NAMED_BY_ROWS.fullmatch(path.name))

    def refuse_others(self) -> None:
        """Refuses a folder with tables of others, or files of another number of rows each.

        Raises:
            OutputError: it has some, or parts of some.
        """
        for path in (*self.output.glob("*.parquet"), *self.records.glob("*.parts")):
            found = _NAMED_BY_ROWS.fullmatch(path.name)
            if not found:
                raise OutputError(
                    f"{self.output} holds {path.name}, which would count as one of its files: move "
                    "it away, or give another folder"
                )
            size = int(found[2]) - int(found[1])
            if size != self.rows_per_file:
                raise OutputError(
                    f"{self.output} was begun with files of {size} rows each: give "
                    f"rows_per_file {size} to go on, or another folder, or remove this one"
                )

    def place(self, row: int) -> Place:
        """Returns where a row of the source goes."""
        if self.rows_per_file is None:
            return Place(self.output, self.output.parent)
        start = row - row % self.rows_per_file
        name = file_name(start, start + self.rows_per_file)
        return Place(self.output / name, self.records, start, self.rows_per_file)

    @property
    def spans(self) -> Iterable[range]:
        """The rows of this shard, a range for each of its files; without end."""
        every, shard = self.rows_per_file, self.shard
        if every is None:
            return EVERY_ROW
        files = itertools.count(shard.number - 1, shard.of)
        return (range(number * every, (number + 1) * every) for number in files)

    def share(self, rows: int) -> int:
        """Returns how many of the rows of a source go to this shard."""
        every, shard = self.rows_per_file, self.shard
        if every is None:
            return rows if shard.number == 1 else 0
        whole, rest = divmod(rows, every)
        mine = len(range(shard.number - 1, whole, shard.of)) * every
        return mine + rest * (whole % shard.of == shard.number - 1)


def file_name(start: int, stop: int) -> str:
    """Returns the name of the file of a range of rows."""
    return f"{start:012d}-{stop:012d}.parquet"


def settings_path(output: Path) -> Path:
    """Returns the file of settings that belongs to an output."""
    return output.with_name(f"{output.name}.settings.toml")
