"""Results that draw themselves in a notebook; some are a table in a file, and a page, too."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import pyarrow.csv as pc
import pyarrow.parquet as pq

from molkd.errors import ConfigError, OutputError
from molkd.formats import sources
from molkd.library import cards
from molkd.library.cards import Section
from molkd.runtime import files

SUFFIXES = (".csv", ".parquet", ".html")
"""What a result can be written as."""

_ON_A_PAGE, _IN_A_NOTEBOOK = 2000, 40
"""Molecules that are drawn at most: some 20 MB, and what one scrolls through."""

_FACTS, _LONGEST = 12, 120
"""Columns that stand below a molecule at most, and letters of a value."""


class Shown(ABC):
    """What a notebook draws, and what is one line of text elsewhere.

    A dataclass of this kind has `repr=False`, lest it print all that it holds.

    Attributes:
        notes: what else there is to say, in sentences.
    """

    notes: tuple[str, ...] = ()

    @abstractmethod
    def __str__(self) -> str: ...

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"

    def describe(self) -> str:
        """Returns what there is to say, a sentence a line."""
        return "\n".join([str(self), *self.notes])

    def sections(self, most: int) -> list[Section]:  # noqa: ARG002
        """Returns what is drawn: up to `most` molecules."""
        return []

    def drawn_here(self, sections: Sequence[Section]) -> list[str]:  # noqa: ARG002
        """Returns how much of all is drawn, in a sentence, where it is not all."""
        return []

    def _repr_html_(self) -> str:
        sections = self.sections(_IN_A_NOTEBOOK)
        return cards.fragment([self.describe(), *self.drawn_here(sections)], sections)


class ResultTable(Shown):
    """What a search or a choice gives, or a score for every row of a library.

    Attributes:
        title: what it is, as the heading of a page.
    """

    title: ClassVar[str]

    @cached_property
    @abstractmethod
    def table(self) -> Any:
        """An Arrow table."""

    def to_pandas(self) -> Any:
        """Returns the table as a pandas data frame."""
        return self.table.to_pandas()

    def write(self, path: str | Path) -> None:
        """Writes a table, .csv or .parquet, or an HTML page with drawn molecules.

        Raises:
            ConfigError: the suffix names none of these.
            OutputError: the file cannot be written.
        """
        path = Path(path)
        refuse_suffix(path, SUFFIXES)
        files.remove_leftovers(path)
        with files.atomic_path(path) as temporary:
            if path.suffix == ".parquet":
                pq.write_table(self.table, temporary, compression="zstd")
            elif path.suffix == ".csv":
                pc.write_csv(self.table, temporary)
            else:
                temporary.write_text(self.page(), encoding="utf-8")

    def page(self, most: int = _ON_A_PAGE) -> str:
        """Returns an HTML page that needs nothing beside itself, with up to `most` molecules."""
        sections = self.sections(most)
        return cards.page(self.title, [self.describe(), *self.drawn_here(sections)], sections)

    def drawn_here(self, sections: Sequence[Section]) -> list[str]:
        """See `Shown`."""
        drawn = sum(len(section.cards) for section in sections)
        every = len(self.table) - self.table["smiles"].null_count
        said = f"{drawn:,} of {every:,} molecules are drawn here; a table has all of them."
        return [said] if drawn < every else []


def refuse_output(
    path: Path,
    *,
    overwrite: bool,
    inputs: Iterable[str | Path | None] = (),
    suffixes: Collection[str] = SUFFIXES,
) -> None:
    """Refuses a file that a result cannot be written to, before any work is done.

    Args:
        path: of the result.
        overwrite: whether a file that is there may be replaced.
        inputs: what the command reads, files and patterns; none of them is ever replaced.
        suffixes: that name a format.

    Raises:
        ConfigError: its suffix names no format, or it is one of the inputs.
        OutputError: it is a folder, or is there and not to be replaced.
    """
    refuse_suffix(path, suffixes)
    files.refuse_folder(path, f"result{next(iter(suffixes))}")
    if not path.exists():
        return
    for name in (name for given in inputs if given for name in sources.listed(given)):
        place = sources.resolved(name)
        if place is not None and place.resolve() == path.resolve():
            raise ConfigError(f"{path} is what the command reads: give the output another name")
    if not overwrite:
        raise OutputError(f"{path} exists: give --overwrite to replace it")


def refuse_suffix(path: Path, suffixes: Collection[str]) -> None:
    """Raises ConfigError where a name has none of some suffixes."""
    if path.suffix not in suffixes:
        raise ConfigError(f"{path}: this is written as {', '.join(suffixes)}")


def carried(columns: Mapping[str, Any], places: Any, *, taken: Collection[str]) -> dict[str, Any]:
    """Returns columns of a library for the rows of a result.

    One with the name of a column of the result has "library_" before it.

    Args:
        columns: name -> Arrow array.
        places: an Arrow array: for each row the place of its value, or null.
        taken: names that the result has.
    """
    return {
        f"library_{name}" if name in taken else name: column.take(places)
        for name, column in columns.items()
    }


def values_of(columns: Mapping[str, Any], place: int) -> list[tuple[str, str]]:
    """Returns name and value of one row of columns, as a page shows them; not the missing ones.

    Of many columns the first, of a long text its beginning: a card is no table.
    """
    pairs = [(name, column[place].as_py()) for name, column in columns.items()]
    there = [(name, shown(value)) for name, value in pairs if value is not None]
    more = len(there) - _FACTS
    return [*there[:_FACTS], *([("", f"and {more} more")] if more > 0 else [])]


def shown(value: Any) -> str:
    """Returns a value as a page shows it."""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
