"""`molkd predict`: from measured compounds, with honest errors, to what a library may hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from molkd.cli.flags import Flag, takes_settings
from molkd.cli.options import Jobs, Overwrite, Work, embedded, place_beside, processes
from molkd.cli.output import notify, print_table
from molkd.errors import ConfigError, InputError, WeightsError
from molkd.formats.sources import STANDARD_INPUT, listed, resolved
from molkd.prediction.settings import TrialSettings
from molkd.students import shipped

if TYPE_CHECKING:
    from molkd.library import Library
    from molkd.prediction import Predictor

FLAGS = (Flag("model_of"), Flag("confidence"), Flag("repeats"), Flag("seed"))


@takes_settings(TrialSettings, FLAGS)
def predict(  # noqa: PLR0913
    *,
    settings: TrialSettings,
    measured: Annotated[
        Path | None, typer.Argument(help="Table of measured compounds: CSV, TSV, Parquet.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="Column of the measured values or classes.")
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(help="Column of SMILES in the table. Default: the one with a usual name."),
    ] = None,
    kind: Annotated[
        Literal["regression", "classification"] | None,
        typer.Option(help="What values are. Default: two different ones are classes."),
    ] = None,
    positive: Annotated[
        str | None, typer.Option(help="Class whose probability is predicted. Default: active, 1.")
    ] = None,
    library: Annotated[
        str | None,
        typer.Option("--library", "-l", help="What to predict: embeddings, or molecules."),
    ] = None,
    library_column: Annotated[
        str | None,
        typer.Option(help="Column of SMILES in the library. Default: the one with a usual name."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Predictions: .csv, .parquet, or .html with drawings."),
    ] = None,
    save: Annotated[Path | None, typer.Option(help="New folder for the fitted model.")] = None,
    load: Annotated[
        Path | None, typer.Option(help="Folder of a fitted model, in the place of a table.")
    ] = None,
    work: Work = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="Student whose embedding is tried, or was. Default: the one that made the "
            "library's embeddings, else molkd-small.",
        ),
    ] = None,
    jobs: Jobs = None,
    overwrite: Overwrite = False,
) -> None:
    """Predict a library from compounds that were measured.

    The student's embedding with a probe, a random forest on ECFP4 and descriptors, and ECFP4 by
    Tanimoto similarity are cross-validated by scaffold and at random; the best one on new scaffolds
    is fitted to all compounds. Predictions come with intervals, or sets of classes, and a
    reliability from 0 to 1.
    """
    of_table = {"--target": target, "--column": column, "--kind": kind, "--positive": positive}
    if load is not None:
        _refuse_settings(settings)
    _refuse(measured, of_table, library, output, save, load, work=work, overwrite=overwrite)
    if library is not None:
        _look_into(library, library_column)
    at_once = processes(jobs)
    if load is not None:
        from molkd.prediction import saved

        predictor = saved.load(load)
        _refuse_student(predictor, model)
    else:
        assert measured is not None  # noqa: S101  (see `_refuse`)
        assert target is not None  # noqa: S101
        tried = _tried(library, model, settings)
        predictor = _fitted(settings, measured, target, column, kind, positive, tried, at_once)
    if save is not None:
        from molkd.prediction import saved

        notify(f"model: {saved.save(predictor, save)}")
    if library is not None and output is not None:
        opened = _opened(predictor, library, library_column, work, model, at_once)
        found = predictor.predict(opened, confidence=settings.confidence, jobs=at_once)
        found.write(output)
        notify(f"{found.describe()}\n{output}")


def _refuse(
    measured: Path | None,
    of_table: Mapping[str, str | None],
    library: str | None,
    output: Path | None,
    save: Path | None,
    load: Path | None,
    *,
    work: Path | None,
    overwrite: bool,
) -> None:
    """Refuses what contradicts itself or would fail at the end, before anything is computed."""
    if (measured is None) == (load is None):
        raise ConfigError("give either a table of measured compounds or --load FOLDER")
    if measured is not None and of_table["--target"] is None:
        raise ConfigError("name the column of the measured values with --target")
    if load is not None:
        _refuse_beside_load(of_table, library, save)
    if (library is None) != (output is None):
        raise ConfigError("--library and -o belong together: what to predict, and where to")
    if library is not None:
        _refuse_library(library, work)
    if output is not None:
        from molkd.library.results import refuse_output

        refuse_output(output, overwrite=overwrite, inputs=(measured, library, work))
    if save is not None:
        from molkd.prediction import saved

        saved.check_folder(save)


def _refuse_beside_load(
    of_table: Mapping[str, str | None], library: str | None, save: Path | None
) -> None:
    if save is not None:
        raise ConfigError("--load and --save: the model is in a folder already")
    for option, value in of_table.items():
        if value is not None:
            raise ConfigError(f"--load and {option}: the model has learnt from a table already")
    if library is None:
        raise ConfigError("name what to predict with --library, and where to with -o")


def _refuse_settings(settings: TrialSettings) -> None:
    """A model that was fitted has been told all but how sure it shall be."""
    for name in ("model_of", "repeats", "seed"):
        if getattr(settings, name) != getattr(TrialSettings(), name):
            option = f"--{name.replace('_', '-')}"
            raise ConfigError(f"--load and {option}: the model was fitted already")


def _refuse_student(predictor: Predictor, model: str | None) -> None:
    from molkd.prediction.features import READS

    if model is not None and (names := READS.get(predictor.facts.model)) is not None:
        raise ConfigError(
            f"--load and --model: this model reads {' and '.join(names)}, no student's embedding"
        )


def _fitted(
    settings: TrialSettings,
    measured: Path,
    target: str,
    column: str | None,
    kind: Literal["regression", "classification"] | None,
    positive: str | None,
    tried: Tried,
    jobs: int,
) -> Predictor:
    from molkd import prediction
    from molkd.prediction import trial

    table = prediction.read_measured(
        measured,
        target,
        column=column,
        kind=kind,
        positive=positive,
        standardize=tried.standardize,
    )
    made = prediction.run(table, tried.student, settings, name=tried.name, jobs=jobs)
    print_table(trial.columns(table.kind), trial.rows(made))
    notify(trial.summary(made))
    return made.predictor


class Tried(NamedTuple):
    """The student whose embedding is tried, and what is done to molecules first."""

    student: Any
    name: str
    standardize: Any


def _tried(library: str | None, model: str | None, settings: TrialSettings) -> Tried:
    """That of the library's embeddings; of a library of molecules any."""
    from molkd import students
    from molkd.library import rows_of, student_of, table
    from molkd.prediction.features import READS

    standardize = "none"
    if library is not None and table.holds_embeddings(Path(library)):
        rows = rows_of(library)
        standardize = rows.standardize
        try:
            student = student_of(rows, model)
            return Tried(student, shipped.label_of(model or rows.model), standardize)
        except (InputError, WeightsError):
            if settings.model_of not in READS:  # which read no embedding
                raise
    name = model or shipped.DEFAULT
    return Tried(students.load(name), shipped.label_of(name), standardize)


def _look_into(library: str, column: str | None) -> None:
    """Reads the first molecules, before anything is fitted."""
    from molkd.formats import readers
    from molkd.formats.columns import Columns
    from molkd.library import table

    if table.holds_embeddings(Path(library)):
        return
    try:
        next(iter(readers.read(library, Columns(column))), None)
    except InputError as error:  # which names the option of all commands that read one file
        raise InputError(str(error).replace("--column", "--library-column")) from error


def _refuse_library(library: str, work: Path | None) -> None:
    if library == STANDARD_INPUT:
        raise ConfigError("a library is read twice, which standard input cannot be: name a file")
    for name in listed(library):
        place = resolved(name)
        if place is not None and not place.exists():
            raise InputError(f"there is no file {name}")
    if work is None:
        place_beside(library, None)


def _opened(
    predictor: Predictor,
    source: str,
    column: str | None,
    work: Path | None,
    model: str | None,
    jobs: int,
) -> Library:
    from molkd.library import table
    from molkd.prediction import molecules
    from molkd.prediction.features import READS

    if predictor.facts.model in READS:
        return molecules.opened(source, column)
    facts = predictor.facts
    model = model or facts.reads
    return table.read(
        embedded(source, work, model, jobs, column=column, standardize=facts.standardize)
    )
