"""`molkd truncate`: a student with a shorter embedding, from one that was trained for it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated

import typer

from molkd.cli.output import notify
from molkd.errors import MolkdError
from molkd.runtime.files import refuse_used


def truncate(
    *,
    model: Annotated[str, typer.Argument(help="Folder of a student, or its hub name.")],
    length: Annotated[int, typer.Option("--dim", "-d", help="Dimensions to keep.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the new student.")],
) -> None:
    """Truncate a student's embedding to its first dimensions.

    It becomes a smaller network in a new folder. Worth it at the lengths that the student was
    trained to be truncated to.
    """
    from molkd import students
    from molkd.students.pretrained import CARD

    whole = students.load(model)
    short = whole.truncate(length)
    refuse_used(output)
    folder = whole.folder or Path(model)
    warn_of_untrained(folder, length)
    card = folder / CARD
    note = f"> The first {length} of {whole.embedding_dim} dimensions of the student below.\n\n"
    text = note + card.read_text(encoding="utf-8") if card.is_file() else None
    short.save_pretrained(output, card=text)
    notify(f"{output}: {length} of {whole.embedding_dim} dimensions")


def warn_of_untrained(folder: Path, length: int) -> None:
    """Says where a student was not trained for the first so many dimensions."""
    trained = _trained_for(folder)
    if length not in trained:
        lengths = ", ".join(map(str, trained)) or "none"
        notify(f"not trained for {length} dimensions (matryoshka_dims: {lengths}): test it")


def _trained_for(folder: Path) -> tuple[int, ...]:
    """The lengths that a student was trained for, as far as its folder says."""
    from molkd.distillation.settings import DistillSettings
    from molkd.runtime import settings

    try:
        with warnings.catch_warnings():  # the folder may be one of a molkd with other names
            warnings.simplefilter("ignore", FutureWarning)
            return settings.load(DistillSettings, folder / "settings.toml").prefixes
    except MolkdError:  # another molkd's, or none
        return ()
