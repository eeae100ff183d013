"""Makes a distilled student part of the package.

    python -m molkd.benchmarks.scripts.ship runs/molkd-small molkd-small-1 --scores scores.md

Copies what is needed to embed, and the model card, to which the scores on tasks are added.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from molkd import students
from molkd.errors import ConfigError, MolkdError
from molkd.runtime.files import write_bytes
from molkd.students import shipped
from molkd.students.pretrained import CARD, CONFIG, WEIGHTS

MOST = 16 * 2**20
"""Bytes of a student, at most: all of them together travel in one wheel."""


def ship(source: Path, name: str, *, scores: str = "", into: Path = shipped.FOLDER) -> Path:
    """Copies a student into the package.

    Args:
        source: folder of a distillation.
        name: with its version: "molkd-small-1". A version that is there is not replaced.
        scores: Markdown, added to the model card.
        into: folder of all students of the package.

    Returns:
        The new folder.

    Raises:
        ConfigError: the name has no version, is taken, or the student is too large.
        WeightsError, CorruptFileError: the student cannot be read.
    """
    stem, _, version = name.rpartition("-")
    if not (stem.startswith("molkd-") and version.isdigit()):
        raise ConfigError(f"expected a name like molkd-small-1, got {name!r}")
    target = into / name
    if target.exists():
        raise ConfigError(f"{name} is part of molkd already: give it another version")
    student = students.load(source)
    contents = {file: (source / file).read_bytes() for file in (WEIGHTS, *student.files, CARD)}
    size = sum(map(len, contents.values()))
    if size > MOST:
        raise ConfigError(
            f"the student has {size / 2**20:.0f} MB, at most {MOST / 2**20:.0f} are taken: distil "
            "a smaller one, or with weights_dtype=fp16"
        )
    card = contents[CARD].decode().replace("# A molkd student", f"# {name}", 1)
    parts = [part.strip("\n") for part in (card, scores) if part.strip()]
    contents[CARD] = ("\n\n".join(parts) + "\n").encode()
    for file, content in {**contents, CONFIG: (source / CONFIG).read_bytes()}.items():
        target.mkdir(parents=True, exist_ok=True)
        write_bytes(target / file, content)
    return target


def main(arguments: Sequence[str] | None = None) -> None:
    """Copies, and says where the student is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("source", type=Path)
    parser.add_argument("name")
    parser.add_argument("--scores", type=Path)
    options = parser.parse_args(arguments)
    try:
        scores = options.scores.read_text() if options.scores else ""
        print(ship(options.source, options.name, scores=scores))
    except (MolkdError, OSError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
