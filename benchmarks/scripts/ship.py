"""Makes a distilled student part of the package.

    python -m molkd.benchmarks.scripts.ship runs/molkd-small molkd-small-1 --scores scores.md

Copies what is needed to embed, and the model card, to which the scores on tasks are added; with
`--adaptors` also what predicts the teachers.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from molkd import students
from molkd.errors import ConfigError, MolkdError
from molkd.information import adaptors as adaptors_
from molkd.runtime.files import write_bytes
from molkd.students import shipped
from molkd.students.familiarity import FILE, Familiarity
from molkd.students.pretrained import CARD, CONFIG, WEIGHTS

MOST = 16 * 2**20
"""Bytes of a student, at most: all of them together travel in one wheel."""

MOST_OF_ADAPTORS = 12 * 2**20
"""Bytes of all adaptors of a student, at most."""


def ship(
    source: Path,
    name: str,
    *,
    scores: str = "",
    adaptors: bool = False,
    into: Path = shipped.FOLDER,
) -> Path:
    """Copies a student into the package.

    Args:
        source: folder of a distillation.
        name: with its version: "molkd-small-1". A version that is there is not replaced.
        scores: Markdown, added to the model card.
        adaptors: whether to copy the student's adaptors, too.
        into: folder of all students of the package.

    Returns:
        The new folder.

    Raises:
        ConfigError: the name has no version, is taken, the student or its adaptors are too large,
            or it has none.
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
    _refuse_larger(contents, MOST, "the student has", "distil a smaller one")
    beside = _adaptors_of(source, student.digest) if adaptors else {}
    if (source / FILE).is_file():
        Familiarity.read(source / FILE, student.digest)  # refuses another student's
        beside[FILE] = (source / FILE).read_bytes()
    card = contents[CARD].decode().replace("# A molkd student", f"# {name}", 1)
    card = card.replace("path/to/this/folder", name)
    parts = [part.strip("\n") for part in (card, scores) if part.strip()]
    contents[CARD] = ("\n\n".join(parts) + "\n").encode()
    contents = {**beside, **contents, CONFIG: (source / CONFIG).read_bytes()}
    for file, content in contents.items():
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        write_bytes(target / file, content)
    return target


def _adaptors_of(source: Path, student: str) -> dict[str, bytes]:
    """File -> content; checks that they can be read and are those of the student."""
    folder = source / adaptors_.FOLDER
    adaptors_.load(folder, student)
    files = sorted(path for path in folder.iterdir() if path.is_file())
    contents = {f"{adaptors_.FOLDER}/{path.name}": path.read_bytes() for path in files}
    remedy = "name fewer teachers in keep_adaptors"
    _refuse_larger(contents, MOST_OF_ADAPTORS, "its adaptors have", remedy)
    return contents


def _refuse_larger(contents: Mapping[str, bytes], most: int, what: str, remedy: str) -> None:
    size = sum(map(len, contents.values()))
    if size > most:
        raise ConfigError(
            f"{what} {size / 2**20:.1f} MB, at most {most / 2**20:.0f} are taken: {remedy}, or "
            "distil with weights_dtype=fp16"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Copies, and says where the student is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("source", type=Path)
    parser.add_argument("name")
    parser.add_argument("--scores", type=Path)
    parser.add_argument("--adaptors", action="store_true")
    options = parser.parse_args(arguments)
    try:
        scores = options.scores.read_text() if options.scores else ""
        print(ship(options.source, options.name, scores=scores, adaptors=options.adaptors))
    except (MolkdError, OSError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
