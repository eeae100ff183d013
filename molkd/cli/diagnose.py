"""`molkd bench diagnose`: what a student knows about its teachers, without labels."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from molkd.cli.options import (
    AsJson,
    Column,
    Device,
    InputFormat,
    Jobs,
    MaybeInput,
    Model,
    SampleSeed,
    WeightsDir,
    processes,
    several,
)
from molkd.cli.output import notify, print_json, print_table
from molkd.errors import ConfigError

if TYPE_CHECKING:  # torch is imported when the command runs
    from molkd.bank import Bank
    from molkd.benchmarks.diagnostics import Diagnosis
    from molkd.items import Modality
    from molkd.types import Rows, Teacher


def diagnose(  # noqa: PLR0913
    *,
    model: Model,
    teachers: Annotated[
        list[str] | None,
        typer.Option("--teachers", "-t", help="Names. Default: the student's own."),
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
    seed: SampleSeed = 0,
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
    modality, jobs = MODALITIES[student.modality], processes(jobs, device)
    names = several(teachers)
    with ExitStack() as stack:
        if source is None and bank is not None:
            answers, rows = _from_bank(bank, names, sample, seed)
            items = _items_of(answers, rows, modality)
        else:
            drawn = samples.from_source(
                source, column, input_format, modality, count=sample, seed=seed
            )
            notify(str(drawn))
            own = _teachers(names, model, weights_dir, device)
            answers = stack.enter_context(samples.banked(drawn, own, folder=bank, jobs=jobs))
            rows, items = samples.choice(len(answers), count=len(answers), seed=seed), drawn.items
        blank = None
        if untrained:
            fresh = students.untrained_like(student, seed=seed).to(student.device)
            blank = samples.embed(fresh, items, jobs=jobs)
        diagnosis = diagnostics.diagnose(
            samples.embed(student, items, jobs=jobs),
            answers,
            rows,
            untrained=blank,
            seed=seed,
            progress=True,
        )
    if as_json:
        print_json({"model": model, **asdict(diagnosis)})
    else:
        _print(diagnosis)


def _from_bank(path: Path, names: list[str], sample: int, seed: int) -> tuple[Bank, Rows]:
    from molkd import teachers as registry
    from molkd.bank import Bank
    from molkd.benchmarks.diagnostics import samples

    bank = Bank.open(path, teachers=registry.parse_names(",".join(names)) if names else None)
    notify(f"items of {path}: if the student was trained on them, the figures flatter it")
    return bank, samples.choice(len(bank), count=sample, seed=seed)


def _items_of(bank: Bank, rows: Rows, modality: Modality) -> list[str]:
    """Returns items of a bank, which holds their keys alone.

    Raises:
        ConfigError: a key is not enough to read the item.
    """
    if not modality.readable_keys:
        raise ConfigError(
            f"a bank does not hold the {modality.name} themselves: give them by --input"
        )
    return [bank.items[int(row)] for row in rows]


def _teachers(
    names: list[str], model: str, weights_dir: Path | None, device: str
) -> list[Teacher[Any]]:
    """Makes the teachers that were named, or those that the student names."""
    from molkd import teachers as registry
    from molkd.benchmarks.embedders.sources import teachers_of

    names = registry.parse_names(",".join(names)) if names else teachers_of(model)
    if not names:
        raise ConfigError(
            f"name the teachers with --teachers: neither settings.toml nor the card of {model} does"
        )
    return [registry.make(name, weights_dir=weights_dir, device=device) for name in names]


def _print(diagnosis: Diagnosis) -> None:
    header = ["teacher", "linear R2", "mutual information", "CKA", "neighbours"]
    before = ["R2 untrained", "CKA untrained", "neighbours untrained"]
    lines: list[list[str]] = []
    for name, trained in diagnosis.trained.items():
        line = [f"{trained.r2:.2f}", f"{diagnosis.mutual_information[name]:.1f}"]
        line += [f"{trained.cka:.2f}", f"{trained.overlap:.2f}"]
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
    sentences = [
        f"The embedding uses about {facts.effective_rank:.0f} of its {facts.dim} dimensions.",
        f"Unrelated embeddings would have {diagnosis.chance:.3f} of their neighbours in common.",
    ]
    unlearnt = [
        name
        for name, blank in diagnosis.untrained.items()
        if diagnosis.trained[name].r2 <= blank.r2
    ]
    if unlearnt:
        sentences.append(
            f"Of {', '.join(unlearnt)} it knows no more, linearly, than before its training."
        )
    below = [name for name, nats in diagnosis.mutual_information.items() if nats < 0]
    if below:
        sentences.append(
            f"The mutual information of {', '.join(below)} came out below 0, which there is not: "
            "the densities met values that are rare in the sample. Read its R2, or take more items."
        )
    left_out = diagnosis.items - diagnosis.compared
    if left_out:
        sentences.append(
            f"{left_out} of {diagnosis.items} items were left out for all: the student or "
            "a teacher could not embed them."
        )
    return sentences
