"""How the columns of a file of items are chosen."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from molkd.errors import ConfigError, InputError
from molkd.formats.chunks import Kept
from molkd.formats.values import writable
from molkd.items.base import FileConventions
from molkd.items.molecules.modality import SMILES
from molkd.runtime.registry import near

EVERY = frozenset({"all", "*"})
"""What stands for every column that is neither the items' nor the identifiers'."""

OTHERS = "others"
"""Likewise, but for those that have the name of a column of the output; for libraries."""

NO_IDS = ""
"""The column of identifiers of a file whose rows are to be numbered."""

_OWN = re.compile(r"ids?|smiles|text|image|valid|error|embedding|X|metadata|molkd_\d+")


@dataclass(frozen=True, slots=True)
class Places:
    """Positions of columns in a table.

    Attributes:
        item: that of the items.
        id: that of the identifiers, if there is one.
        kept: column that is carried to the output -> its position.
    """

    item: int
    id: int | None
    kept: Mapping[str, int] = field(default_factory=dict[str, int])

    def kept_of(self, fields: Sequence[str]) -> Kept:
        """Returns the columns of one row that are kept; an empty field is a missing value."""
        return {name: fields[place] or None for name, place in self.kept.items()}


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold the items and their identifiers, and which are carried along.

    Attributes:
        item: column, or None to take the one with a usual name.
        id: column (in an SD file: property); None to take the format's own name of an item or else
            the column with a usual name, "" to take none.
        style: the conventions by which files hold such items.
        keep: columns (in an SD file: properties) that are carried to the output; "all" alone for
            every other one, or "others", see `OTHERS`.
        first: what the first file of the source has.
    """

    item: str | None = None
    id: str | None = None
    style: FileConventions = SMILES
    keep: tuple[str, ...] = ()
    first: Agreement | None = field(default=None, compare=False, repr=False)

    @property
    def keeps_all(self) -> bool:
        """Whether every other column is carried to the output."""
        return len(self.keep) == 1 and self.keep[0] in EVERY | {OTHERS}

    def find(self, names: Sequence[str], file: str) -> Places:
        """Returns the positions of all columns that are needed.

        Raises:
            InputError: a column is missing or there are several; lists the columns of the file.
            ConfigError: a column that is kept has the name of one of the output's own.
        """
        if self.first:
            return self.first.find(self, names, file)
        item = _position(self.item, names, file) if self.item else self._usual(names, file)
        if self.id:
            identifier = _position(self.id, names, file)
        else:
            others = [name for place, name in enumerate(names) if place != item]
            usual = self.usual_id(others)
            identifier = None if usual is None else names.index(usual)
        used = {names[item]} if identifier is None else {names[item], names[identifier]}
        kept = self.kept_names(names, used, file) if self.keep else ()
        return Places(item, identifier, {name: _position(name, names, file) for name in kept})

    def usual_id(self, names: Iterable[str]) -> str | None:
        """Returns the column with a usual name for identifiers, if they may be chosen by it."""
        if self.id is not None:
            return None
        plain = {_plain(name): name for name in reversed([*names])}
        return next((plain[name] for name in self.style.ids if name in plain), None)

    def kept_names(
        self, names: Iterable[str], used: Collection[str | None], file: str
    ) -> Sequence[str]:
        """Returns the columns that are carried to the output, of those that a file or row has.

        Raises:
            ConfigError: one has the name of one of the output's own columns.
        """
        kept = [name for name in names if name not in used] if self.keeps_all else self.keep
        if self.keep == (OTHERS,):
            return [name for name in kept if not is_own(name)]
        for name in kept:
            if is_own(name):
                option = "name the columns to keep one by one" if self.keeps_all else "leave it out"
                raise ConfigError(
                    f"{file}: column {writable(name)!r} cannot be kept, for the output has a "
                    f"column of that name itself: {option}, or rename it in the input"
                )
        return kept

    def refuse(self, file: str, *, id_too: bool = False) -> None:
        """Refuses a choice of columns for a format that has none.

        Raises:
            ConfigError: a column was chosen.
        """
        if self.first:
            self.first.refuse(file)
        named = self.keep and not self.keeps_all  # every one of none is none
        if self.item or (id_too and (self.id or named)):
            option = "--column" if self.item else "--id-column" if self.id else "--keep"
            raise ConfigError(f"{file} has no columns to choose from: leave out {option}")

    def _usual(self, names: Sequence[str], file: str) -> int:
        places = [place for place, name in enumerate(names) if _plain(name) in self.style.usual]
        if len(places) == 1:
            return places[0]
        what = "several columns" if places else "no column"
        headless = (
            "put a line with their names at the beginning of a table that has none"
            if len(names) > 1
            else f"read a file without a header with --input-format {self.style.formats[0]}"
        )
        raise InputError(
            f"{file} has {what} with a usual name for {self.style.noun}: choose one with --column, "
            f"or {headless}. {listed(names)}"
        )


class Agreement:
    """Which columns the first file of a source has: all others are read as it is.

    Names that are looked for without a file's name, to see what a file is like, decide nothing.
    """

    def __init__(self) -> None:
        self._file = ""
        self._columns: Columns | None = None

    @property
    def kept(self) -> tuple[str, ...] | None:
        """Columns that are carried to the output; None of a source that has none, or not yet."""
        return self._columns.keep if self._columns else None

    def find(self, columns: Columns, names: Sequence[str], file: str) -> Places:
        """Returns the positions in a file of the columns that the first file has.

        Raises:
            InputError: a column is missing, or there is one more of those that would be read.
            ConfigError: as of `Columns.find`, for the first file.
        """
        wanted = self._columns or dataclasses.replace(columns, first=None)
        try:
            places = wanted.find(names, file)
        except InputError as error:
            raise InputError(f"{error}{self._reminder()}") from error
        if self._columns:
            self._refuse_more(columns, names, places, file)
        elif file:
            identifier = NO_IDS if places.id is None else names[places.id]
            kept = tuple(places.kept)
            self._file = file
            self._columns = dataclasses.replace(
                wanted, item=names[places.item], id=identifier, keep=kept
            )
        return places

    def refuse(self, file: str) -> None:
        """Refuses a file without columns where the first has some.

        Raises:
            InputError: it has.
        """
        if self._columns:
            raise InputError(f"{file} has no line with the names of its columns.{self._reminder()}")

    def _refuse_more(
        self, columns: Columns, names: Sequence[str], places: Places, file: str
    ) -> None:
        used = {names[place] for place in (places.item, places.id) if place is not None}
        others = [name for name in names if name not in used]
        more = {*others} - {*places.kept} if columns.keeps_all else set[str]()
        identifier = columns.usual_id(others) if places.id is None else None
        found = min(more, default=identifier)
        if found:
            raise InputError(
                f"{file} has a column {writable(found)!r}, which would be read too."
                f"{self._reminder()}"
            )

    def _reminder(self) -> str:
        if self._columns is None:
            return ""
        names = (self._columns.item, self._columns.id, *self._columns.keep)
        read = ", ".join(repr(writable(name)) for name in names if name)
        return (
            f" Of {self._file}, the first of the files, {read} are read, and all must have the "
            "same: choose columns that all have with --column, --id-column or --keep, or embed "
            "these files apart"
        )


def listed(names: Collection[str], shown: int = 30, *, what: str = "Columns") -> str:
    """Returns a sentence that lists the columns of a file."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    some = ", ".join(repr(writable(name)) for name in [*names][:shown])
    return f"{what}: {some or 'none'}{more}."


@functools.cache
def is_own(name: str) -> bool:
    """Whether a file of embeddings has a column of that name itself."""
    return bool(_OWN.fullmatch(name))


def _plain(name: str) -> str:
    """A name as usual ones are listed: "Canonical SMILES" is canonical_smiles."""
    return re.sub(r"[\s-]+", "_", name.strip().lower())


def _position(column: str, names: Sequence[str], file: str) -> int:
    if names.count(column) == 1:
        return names.index(column)
    count = names.count(column)
    what, meant = (f"{count} columns", "") if count else ("no column", near(column, names))
    raise InputError(f"{file} has {what} {writable(column)!r}.{meant} {listed(names)}")
