"""What a table of text looks like: its delimiter, its header, the place of its SMILES."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import cast

from rdkit import Chem, rdBase

from molkd.errors import ConfigError, InputError
from molkd.formats.columns import Columns

DELIMITERS = (",", ";", "\t", "|")

JUDGED = 100
"""Lines by which the order of columns is judged."""

_MANY, _FEW = 0.9, 0.1


def delimiter_of(header: str, columns: Columns, *, own: str = "") -> str | None:
    """Returns what separates the fields of a table with a header; None where nothing does.

    Args:
        header: first line of the table, with the names of its columns.
        columns: those that the table must have.
        own: the delimiter of the format, which is tried first.
    """
    for delimiter in dict.fromkeys((*own, *DELIMITERS)):
        try:
            fields = next(csv.reader([header], delimiter=delimiter, strict=True), [])
            columns.find([name.strip() for name in fields], "")
        except (InputError, csv.Error):
            continue
        except ConfigError:  # of a column that cannot be kept: the reader says so
            return delimiter
        if len(fields) > 1 or delimiter == own:
            return delimiter
    return None


def names_of(line: str) -> list[str]:
    """Returns the words of a line as names of columns, without quotes and the mark of a comment."""
    return [word.strip("\"'") for word in line.lstrip("# \t").split()]


def refuse_other_order(lines: Sequence[str], name: str) -> None:
    """Refuses a SMILES file whose lines begin with something else, while SMILES follow.

    Raises:
        InputError: hardly any first word is a SMILES, but nearly every word of another column is.
    """
    rows = [words for words in map(str.split, lines) if words]
    if _share(words[0] for words in rows) > _FEW:
        return
    rest = rows[1:] or rows  # the first may hold names of columns
    for place in range(1, max(map(len, rest), default=0)):
        if _share(words[place] if place < len(words) else "" for words in rest) >= _MANY:
            raise InputError(
                f"{name}: in the first {len(rows)} lines hardly any first word is a SMILES, but "
                f"nearly all words {place + 1} are. Write the SMILES first, or put a line with the "
                "names of the columns at the beginning: 'id smiles' if the SMILES are in the "
                "second, 'smiles name' if the first words are meant as SMILES"
            )
    for delimiter in ",;|":
        _refuse_delimiter(delimiter, [words[0].split(delimiter) for words in rest], name)


def _refuse_delimiter(delimiter: str, rows: Sequence[Sequence[str]], name: str) -> None:
    for place in range(min(map(len, rows), default=0)):
        fields = [fields[place].strip('"') for fields in rows]
        if min(map(len, rows)) > 1 and _share(fields) >= _MANY:
            raise InputError(
                f"{name} is a table whose fields are separated by {delimiter!r}, without a "
                "header: put a line with the names of the columns at the beginning, with 'smiles' "
                f"for column {place + 1}, and give --input-format csv"
            )


def is_smiles(word: str) -> bool:
    """Whether a word has the syntax of a SMILES, chemically possible or not."""
    if not word.isascii():
        return False
    with rdBase.BlockLogs():
        mol = cast("Chem.Mol | None", Chem.MolFromSmiles(word, sanitize=False))
        return mol is not None and mol.GetNumAtoms() > 0


def _share(words: Iterable[str]) -> float:
    """Share of the words that have the syntax of a SMILES; 0 where there are none."""
    found = [is_smiles(word) for word in words]
    return sum(found) / len(found) if found else 0.0
