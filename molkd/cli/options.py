"""Options that several commands share, several values of one option, and former spellings."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from molkd.embedding.engines import ENGINES
from molkd.errors import ConfigError
from molkd.formats import READERS, WRITERS
from molkd.runtime.processes import usable_cores

_INPUT = (
    "File of molecules, texts or images, plain, gzip or zstd; a pattern in quotes ('part-*.csv'); "
    "a URL (s3://, gs://, https://); a folder of images; - for a pipe. "
    "May be repeated."
)

Input = Annotated[
    list[str],
    typer.Option(
        "--input",
        "-i",
        help=_INPUT,
    ),
]
Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE]...",
        help="What --input takes; the shorter way to say it. Rows of several count as those of one "
        "file.",
        show_default=False,
    ),
]
OrFile = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        "-i",
        help=_INPUT,
    ),
]
MaybeInput = Annotated[
    str | None,
    typer.Option(
        "--input",
        "-i",
        help="File of molecules, texts or images. Default: 2,000 molecules of ChEMBL, built in.",
    ),
]
InputFormat = Annotated[
    str | None, typer.Option(help=f"{', '.join(READERS)}. Default: what the suffix says.")
]
Column = Annotated[
    str | None,
    typer.Option(help="Column of SMILES, texts or images. Default: the one with a usual name."),
]
Output = Annotated[
    Path, typer.Option("--output", "-o", help=f"File of embeddings: .{', .'.join(WRITERS)}.")
]
RowsPerFile = Annotated[
    int | None,
    typer.Option(
        help="Write a folder of Parquet files of so many rows each, named by these rows, and a "
        "manifest. Default: all in one file."
    ),
]
ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        help="Write every N-th of these files, from the I-th, so that N jobs share a source; then "
        "run molkd merge. Under torchrun: one shard per process. Files have 1,000,000 rows unless "
        "told otherwise.",
    ),
]
EngineOption = Annotated[
    str, typer.Option("--engine", help=f"Where the work is done: {', '.join(ENGINES)}.")
]
Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="A student of the package, a folder, or a hub name.",
    ),
]
SampleSeed = Annotated[int, typer.Option("--seed", help="Of the sample and of its split.")]
WeightsDir = Annotated[
    Path | None, typer.Option(help="Folder of pretrained weights.", envvar="MOLKD_WEIGHTS_DIR")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", help="Processes. Default: one per usable core.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an existing output.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

LibraryFile = Annotated[
    str,
    typer.Argument(
        metavar="LIBRARY",
        help="File or folder of embeddings, or molecules, which are embedded first.",
    ),
]
SmilesColumn = Annotated[
    str | None,
    typer.Option(
        "--column",
        help="Column of SMILES in a library of molecules. Default: the one with a usual name.",
    ),
]
Work = Annotated[
    Path | None,
    typer.Option(
        help="Parquet file for the embeddings of a file of molecules. Default: beside it, named "
        "after it and the student; used again where it is there."
    ),
]
MadeBy = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        help="The student that embeds molecules. Default: the one that made the library's "
        "embeddings, else molkd-small.",
    ),
]
Result = Annotated[
    Path, typer.Option("--output", "-o", help="File: .csv, .parquet, or .html with drawings.")
]


def source_of(files: Sequence[str] | None, source: Sequence[str] | None) -> Sequence[str]:
    """Returns the files that were given.

    "-i part-*.csv" without quotes becomes an input and further files: they belong together.

    Raises:
        ConfigError: there is none.
    """
    given = [*(source or ()), *(files or ())]
    if not given:
        raise ConfigError("expected a file to embed, got none: molkd embed library.smi -o ...")
    return given


def embedded(
    source: str,
    work: Path | None,
    model: str | None,
    jobs: int,
    *,
    column: str | None = None,
    standardize: str = "none",
) -> Path:
    """Returns the file of a library's embeddings: its own, or that of its molecules, made now."""
    from molkd.library import embedded_file

    work = work or place_beside(source, model, standardize)
    return embedded_file(
        source, work=work, model=model, column=column, standardize=standardize, jobs=jobs
    )


def place_beside(source: str, model: str | None, standardize: str = "none") -> Path:
    """Returns the file for the embeddings of a library's molecules where --work names none.

    Raises:
        ConfigError: the library is no single file of this machine.
    """
    from molkd.formats.sources import listed, resolved
    from molkd.students import shipped

    label = shipped.label_of(model or shipped.DEFAULT).replace("/", "-")
    first, *others = listed(source)
    if others or resolved(first) is None:
        raise ConfigError(
            f"{source} is embedded first: say with --work FILE.parquet where to keep that"
        )
    done = "" if standardize == "none" else f".{standardize}"
    return Path(first).with_name(f"{Path(first).name}.{label}{done}.parquet")


DEPRECATED: Mapping[str, str] = {
    "cut": "truncate",
    "--density": "--densities",
    "--max-invalid-frac": "--max-invalid-fraction",
    "--prefixes": "--matryoshka-dims",
    "--smiles-column": "--column",
    "--task": "--table",
}
"""Former spelling of a command or an option -> the present one; understood for one release."""


def deprecated_option(argument: str) -> str:
    """Returns what was typed in its present spelling, and says so where it is a former one."""
    name, equals, value = argument.partition("=")
    if name not in DEPRECATED:
        return argument
    present = DEPRECATED[name]
    typer.echo(f"DeprecationWarning: {name} is now {present}, and will be refused.", err=True)
    return present + equals + value


ALONE: Mapping[str, str] = {"--keep-adaptors": "true"}
"""Option that may stand alone -> its value where it does: the library knows no such option."""


class Root(TyperGroup):
    """The root of the command line, which still understands the former spellings."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the command, or `DEPRECATED` for it, and what follows."""
        present = [
            deprecated_option(text) if text.startswith("--") or not place else text
            for place, text in enumerate(args)
        ]
        followed = [*(text.startswith("-") for text in present[1:]), True]
        present = [
            f"{text}={ALONE[text]}" if text in ALONE and alone else text
            for text, alone in zip(present, followed, strict=False)
        ]
        return super().parse_args(ctx, present)


def several(texts: Sequence[str] | None) -> list[str]:
    """Returns what an option names that may be repeated and takes commas: "a,b" "c" -> a, b, c."""
    return [part for part in parts(texts or ()) if part]


def parts(texts: Iterable[str]) -> list[str]:
    """Returns what stands between commas, a row of CSV each: a name in quotes may hold some.

    Raises:
        ConfigError: a text is no row.
    """
    try:
        rows = [next(csv.reader([text], skipinitialspace=True), [""]) for text in texts]
    except csv.Error as error:
        raise ConfigError(f"names with commas between were expected: {error}") from error
    return [part.strip() for row in rows for part in row or [""]]


def whole_numbers(texts: Sequence[str] | None, option: str) -> list[int]:
    """Returns the numbers that an option names; see `several`.

    Raises:
        ConfigError: something is no whole number; names it.
    """
    numbers: list[int] = []
    for text in several(texts):
        if not text.isdecimal():
            raise ConfigError(f"{option}: {text!r} is no whole number; write them as 10,30,100")
        numbers.append(int(text))
    return numbers


def processes(jobs: int | None, device: str = "cpu") -> int:
    """Returns the processes that were asked for; by default one has a GPU, all cores work.

    Raises:
        ConfigError: there is no such device here.
    """
    on_cpu = True
    if device != "cpu":
        from molkd.runtime import devices  # it loads torch

        on_cpu = devices.choose(device).type == "cpu"
    if jobs is not None:
        return jobs
    return usable_cores() if on_cpu else 1
