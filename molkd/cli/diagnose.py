"""`molkd bench diagnose`: what a student knows about its teachers, without labels."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from molkd.cli.embed import Column, Device, InputFormat, Jobs
from molkd.cli.teachers import AsJson, WeightsDir, print_json, print_table
from molkd.cli.teachers_compare import MaybeInput, Seed, jobs_for, plain, sample_of
from molkd.errors import ConfigError

if TYPE_CHECKING:  # torch is imported when the command runs
    from molkd.bank import Bank
    from molkd.benchmarks.diagnostics import Diagnosis
    from molkd.items import Modality
    from molkd.types import Rows, Teacher


def diagnose(  # noqa: PLR0913
    *,
    model: Annotated[
        str, typer.Option("--model", "-m", help="Folder of a student, or its hub name.")
    ],
    teachers: Annotated[
        str | None,
        typer.Option("--teachers", "-t", help="Names, by commas. Default: the student's own."),
    ] = None,
    source: MaybeInput = None,
    bank: Annotated[
        Path | None,
        typer.Option(
            help="Bank of teacher embeddings: read as it is where no --input is given, else the "
            "folder to keep those of the sample in."
        ),
    ] = None,
    sample: Annotated[int, typer.Option(help="Rows to draw.")] = 5000,
    untrained: Annotated[
        bool, typer.Option(help="Compare with the same network before training.")
    ] = True,
    column: Column = None,
    input_format: InputFormat = None,
    seed: Seed = 0,
    weights_dir: WeightsDir = None,
    device: Device = "cpu",
    jobs: Jobs = None,
    as_json: AsJson = False,
) -> None:
    """Say what a student knows about each teacher, without labels.

    R2 of a linear map and mutual information (nats) are read on items they were not fitted on; CKA
    and neighbours say how alike student and teacher see the items. What the same network knows
    before training stands beside it. Take items that the student was not trained on.
    """
    from molkd import students
    from molkd.benchmarks import diagnostics
    from molkd.benchmarks.diagnostics import samples
    from molkd.items import MODALITIES
    from molkd.runtime import devices

    student = students.load(model).to(devices.choose(device))
    modality, processes = MODALITIES[student.modality], jobs_for(jobs, device)
    with ExitStack() as stack:
        if source is None and bank is not None:
            found, rows = _from_bank(bank, teachers, sample, seed)
            items = _items_of(found, rows, modality)
        else:
            drawn = sample_of(source, column, input_format, modality, count=sample, seed=seed)
            typer.echo(str(drawn), err=True)
            made = _made(_names(teachers, model), weights_dir, device)
            asked = samples.asked(drawn, made, folder=bank, jobs=processes)
            found = stack.enter_context(asked)
            rows = samples.choice(len(found), count=len(found), seed=seed)
            items = drawn.items
        fresh = (
            students.untrained_like(student, seed=seed).to(student.device) if untrained else None
        )
        diagnosis = diagnostics.diagnose(
            samples.embed(student, items, jobs=processes),
            found,
            rows,
            untrained=samples.embed(fresh, items, jobs=processes) if fresh else None,
            seed=seed,
            progress=True,
        )
    if as_json:
        print_json(plain({"model": model, **asdict(diagnosis)}))
    else:
        _print(diagnosis)


def _from_bank(path: Path, names: str | None, sample: int, seed: int) -> tuple[Bank, Rows]:
    from molkd import teachers as registry
    from molkd.bank import Bank
    from molkd.benchmarks.diagnostics import samples

    found = Bank.open(path, teachers=registry.parse_names(names) if names else None)
    typer.echo(
        f"items of {path}: if the student was trained on them, the figures flatter it", err=True
    )
    return found, samples.choice(len(found), count=sample, seed=seed)


def _items_of(found: Bank, rows: Rows, modality: Modality) -> list[str]:
    """Returns items of a bank, which holds their keys alone.

    Raises:
        ConfigError: a key is not enough to read the item.
    """
    if not modality.readable_keys:
        raise ConfigError(
            f"a bank does not hold the {modality.name} themselves: give them by --input"
        )
    return [found.items[int(row)] for row in rows]


def _names(names: str | None, model: str) -> Sequence[str]:
    """The teachers that were named, or those that the student's folder names."""
    from molkd import teachers as registry
    from molkd.benchmarks.embedders import teachers_of

    if names:
        return registry.parse_names(names)
    own, problem = teachers_of(Path(model))
    if not own:
        raise ConfigError(f"name the teachers with --teachers: {problem}")
    return own


def _made(names: Sequence[str], weights_dir: Path | None, device: str) -> list[Teacher[Any]]:
    from molkd import teachers as registry

    return [registry.make(name, weights_dir=weights_dir, device=device) for name in names]


def _print(diagnosis: Diagnosis) -> None:
    header = ["teacher", "linear R2", "mutual information", "CKA", "neighbours"]
    before = ["R2 untrained", "CKA untrained", "neighbours untrained"]
    lines: list[list[str]] = []
    for name, known in diagnosis.trained.items():
        line = [f"{known.r2:.2f}", f"{diagnosis.mutual_information[name]:.1f}"]
        line += [f"{known.cka:.2f}", f"{known.overlap:.2f}"]
        if name in diagnosis.untrained:
            blank = diagnosis.untrained[name]
            line += [f"{blank.r2:.2f}", f"{blank.cka:.2f}", f"{blank.overlap:.2f}"]
        lines.append([name, *line])
    print_table([*header, *(before if diagnosis.untrained else [])], lines)
    typer.echo("")
    for sentence in _in_words(diagnosis):
        typer.echo(sentence)


def _in_words(diagnosis: Diagnosis) -> list[str]:
    """Says what else there is to say about the student as a whole."""
    facts = diagnosis.student
    said = [
        f"The embedding uses about {facts.effective_rank:.0f} of its {facts.dim} dimensions.",
        f"Unrelated embeddings would have {diagnosis.chance:.3f} of their neighbours in common.",
    ]
    unlearnt = [
        name
        for name, blank in diagnosis.untrained.items()
        if diagnosis.trained[name].r2 <= blank.r2
    ]
    if unlearnt:
        said.append(
            f"Of {', '.join(unlearnt)} it knows no more, linearly, than before its training."
        )
    below = [name for name, nats in diagnosis.mutual_information.items() if nats < 0]
    if below:
        said.append(
            f"The mutual information of {', '.join(below)} came out below 0, which there is not: "
            "the densities met values that are rare in the sample. Read its R2, or take more items."
        )
    left_out = diagnosis.items - diagnosis.compared
    if left_out:
        said.append(
            f"{left_out} of {diagnosis.items} items were left out for all: the student or "
            "a teacher could not embed them."
        )
    return said
