"""A corpus of texts: WordNet's glosses and the sentences of other tables, without their labels.

    python -m molkd.benchmarks.scripts.text_corpus --wordnet /usr/share/wordnet --csv FILE --out
    FILE

WordNet's files are those of Debian's `wordnet-base`. Sentences of the tables come first, glosses
after them, each text once; labels are not read.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from molkd.errors import InputError, MolkdError
from molkd.runtime import files

_PARTS = ("noun", "verb", "adj", "adv")


def glosses(folder: Path) -> Iterator[str]:
    """Yields the definitions of WordNet's synsets, without their examples.

    Args:
        folder: holds data.noun, data.verb, data.adj and data.adv.

    Raises:
        InputError: a file is missing.
    """
    for part in _PARTS:
        path = folder / f"data.{part}"
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise InputError(
                f"cannot read {path}: {error.strerror}; 'apt install wordnet-base' brings it"
            ) from error
        for line in lines:
            if line[:8].isdigit():  # the licence is indented
                yield line.partition(" | ")[2].partition('; "')[0].strip()


def sentences(path: Path, column: str = "text") -> Iterator[str]:
    """Yields one column of a comma-separated table.

    Raises:
        InputError: the file cannot be read, or has no such column.
    """
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            yield from (row[column] for row in csv.DictReader(stream))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except KeyError as error:
        raise InputError(f"{path} has no column {column!r}") from error


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes JSON lines, one object with a text each; see the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    parser.add_argument("--csv", type=Path, action="append", default=[], help="again for more")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        texts = [text for path in options.csv for text in sentences(path)]
        texts = [text for text in dict.fromkeys([*texts, *glosses(options.wordnet)]) if text]
        lines = [json.dumps({"text": text}, ensure_ascii=False) for text in texts]
        files.write_bytes(options.out, ("\n".join(lines) + "\n").encode())
    except MolkdError as error:
        parser.exit(2, f"{error}\n")
    print(f"{options.out}: {len(texts)} texts")


if __name__ == "__main__":
    main()
