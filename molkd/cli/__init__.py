"""The command line: its root, and what becomes of errors.

Exit codes: 0 done; 1 another error that molkd foresees; 2 wrong usage, settings or names; 3 input
that cannot be used; 4 output that cannot be written; 130 interrupted. Errors that molkd does not
foresee keep their traceback.
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable
from typing import Annotated, Any

import typer

from molkd import __version__
from molkd.cli import (
    bench,
    check,
    distill,
    embed,
    maps,
    merge,
    pick,
    predict,
    report,
    search,
    teachers,
    teachers_compare,
    teachers_learn,
    teachers_noise,
    truncate,
)
from molkd.cli.options import Root
from molkd.errors import (
    ConfigError,
    InputError,
    ItemError,
    MissingExtraError,
    MolkdError,
    OutputError,
    UnknownNameError,
)
from molkd.runtime import launch

INTERRUPTED = 130

EXIT_CODES: tuple[tuple[type[MolkdError], int], ...] = (
    (ConfigError, 2),
    (UnknownNameError, 2),
    (MissingExtraError, 2),
    (InputError, 3),
    (ItemError, 3),
    (OutputError, 4),
    (MolkdError, 1),
)
"""Kind of error -> exit code; the first that fits counts."""

app = typer.Typer(
    cls=Root,
    help="Distil frozen encoders (of molecules, texts or images) into one small student, and embed "
    "with it.",
    no_args_is_help=True,
    rich_markup_mode=None,  # its tables cut the names of options
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("distill")(distill.distill)
app.command("embed")(embed.embed)
app.command("merge")(merge.merge)
app.command("search")(search.search)
app.command("pick")(pick.pick)
app.command("map")(maps.draw_map)
app.command("report")(report.report)
app.command("check")(check.check)
app.command("predict")(predict.predict)
app.command("truncate")(truncate.truncate)
teachers.app.command("embed")(embed.embed_with_teacher)
teachers.app.command("compare")(teachers_compare.compare)
teachers.app.command("noise")(teachers_noise.noise)
teachers.app.command("learn-lsa")(teachers_learn.learn_lsa)
app.add_typer(teachers.app, name="teachers")
app.add_typer(bench.app, name="bench")


def main() -> None:
    """Runs the command line and exits; see the module for the codes."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = functools.partial(_warn, warnings.showwarning)
            app(prog_name="molkd")
    except MolkdError as error:
        message = error.strerror if isinstance(error, OutputError) and error.strerror else error
        typer.echo(": ".join(filter(None, ["molkd", launch.label(), str(message)])), err=True)
        sys.exit(next(code for kind, code in EXIT_CODES if isinstance(error, kind)))
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            typer.echo("molkd: interrupted; the same command goes on where it stopped", err=True)
        raise


def _warn(show: Callable[..., None], message: Warning, kind: type, *place: Any) -> None:
    """Shows what molkd says of its own names in one line; other warnings as they are."""
    if kind is FutureWarning and str(message).endswith("release of molkd"):
        typer.echo(f"molkd: {message}", err=True)
    else:
        show(message, kind, *place)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"molkd {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    """Distil frozen encoders (of molecules, texts or images) into one small student."""
    _ = version  # its callback has acted
