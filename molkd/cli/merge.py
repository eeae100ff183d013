"""`molkd merge`: whether the files of all shards are there, and one file of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from molkd.cli.options import Jobs, Overwrite, processes
from molkd.cli.output import notify
from molkd.formats import WRITERS

_SHOWN = 5


def merge(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="What molkd embed --rows-per-file was given as -o."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help=f"One file of all rows besides: .{', .'.join(WRITERS)}."
        ),
    ] = None,
    jobs: Jobs = None,
    overwrite: Overwrite = False,
) -> None:
    """Verify the files of all shards, and make one file of them.

    A shard that has not finished, a file that is missing, damaged, of another model, of other
    settings or of other rows is named, and nothing is written.
    """
    from molkd.embedding import joining, merging
    from molkd.errors import OutputError

    if output is not None:
        joining.refuse_misplaced(folder, output)
        if output.exists() and not overwrite:
            raise OutputError(f"{output} exists: give --overwrite to replace it")
    manifest = merging.merge(folder, jobs=processes(jobs))
    content = manifest.content
    rows, invalid = content["rows"], content["invalid"]
    notify(
        f"{rows - invalid} of {rows} embedded by {content['model']}, {len(manifest.paths)} files, "
        f"none missing: {folder / merging.MANIFEST}"
    )
    reasons = sorted(content["reasons"].items(), key=lambda pair: (-pair[1], pair[0]))
    for reason, count in reasons[:_SHOWN]:
        notify(f"  {count} {reason}")
    if output is not None:
        joining.join(manifest, output)
        notify(f"in one file: {output}")
