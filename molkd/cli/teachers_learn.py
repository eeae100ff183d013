"""`molkd teachers learn-lsa`: latent semantic analysis of a corpus, as a teacher of texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from molkd.cli.options import Column, Input, InputFormat
from molkd.cli.output import notify
from molkd.runtime.files import refuse_used


def learn_lsa(
    *,
    source: Input,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the new teacher.")],
    dim: Annotated[int, typer.Option(help="Width of the embedding.")] = 256,
    seed: Annotated[int, typer.Option(help="Of the decomposition.")] = 0,
    column: Column = None,
    input_format: InputFormat = None,
) -> None:
    """Learn latent semantic analysis from a file of texts.

    It becomes the teacher lsa:FOLDER. Texts that cannot be read are left out.
    """
    from molkd.formats.columns import Columns
    from molkd.formats.readers import read_items
    from molkd.items import TEXTS
    from molkd.teachers.text.latent_semantic import LatentSemantic

    refuse_used(output)
    items, _ = read_items(source, Columns(column, style=TEXTS.style), kind=input_format)
    checked = TEXTS.check(items, "none")
    texts = [text for row, text in enumerate(checked.items) if row not in checked.failures]
    teacher = LatentSemantic.learn(texts, output, dim=dim, seed=seed)
    notify(f"{output}: {teacher.card.dim} dimensions from {len(texts)} texts")
    typer.echo(f"lsa:{output}")
