"""`molkd teachers noise`: how much of a teacher's embedding is the draw of its conformers."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated, Any

import typer

from molkd.cli.options import (
    AsJson,
    Column,
    Device,
    InputFormat,
    MaybeInput,
    SampleSeed,
    WeightsDir,
    several,
)
from molkd.cli.output import notify, print_json, print_table
from molkd.errors import ConfigError

HEADER = (
    "teacher",
    "conformers",
    "dims",
    "whole",
    "mean",
    "median",
    "9 of 10 below",
    "failed",
    "/s",
)


def noise(  # noqa: PLR0913
    *,
    names: Annotated[list[str], typer.Argument(help="Names of teachers, by commas or spaces.")],
    source: MaybeInput = None,
    sample: Annotated[int, typer.Option(help="Rows to draw.")] = 300,
    draws: Annotated[int, typer.Option(help="Embeddings of each molecule.")] = 5,
    conformers: Annotated[int, typer.Option(help="Conformers averaged in each of them.")] = 1,
    column: Column = None,
    input_format: InputFormat = None,
    seed: SampleSeed = 0,
    weights_dir: WeightsDir = None,
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """Measure how much of an embedding is the draw of conformers.

    Shares of the variance over molecules and draws that is variance over draws: of all dimensions
    as they are, and the mean over dimensions, which is that of the standardised embedding. A
    student cannot learn this share. The rate is per second of one core's time.
    """
    from molkd import teachers
    from molkd.benchmarks.diagnostics import noise_floor, samples
    from molkd.items import MOLECULES

    chosen: list[Any] = []
    for name in teachers.parse_names(",".join(several(names))):
        teacher: Any = teachers.make(name, weights_dir=weights_dir, device=device)
        if "conformers" not in (teacher.get_params() if hasattr(teacher, "get_params") else {}):
            raise ConfigError(f"{name} reads no conformers, so that there is no noise to measure")
        chosen.append(teacher.set_params(conformers=conformers))
    drawn = samples.from_source(source, column, input_format, MOLECULES, count=sample, seed=seed)
    notify(str(drawn))
    found: dict[str, dict[str, float]] = {}
    for teacher in chosen:
        teacher.embed(["C"])  # so that loading does not count
        started = time.process_time()
        rows = noise_floor.draw(teacher, drawn.items, draws=draws, progress=True)
        rate = draws * len(drawn.items) / (time.process_time() - started)
        floor = noise_floor.noise_floor(rows)
        found[teacher.card.name] = {**asdict(floor), "conformers": conformers, "per_second": rate}
    if as_json:
        print_json(found)
        return
    shares = ("whole", "mean", "median", "worst")
    print_table(
        HEADER,
        [
            (
                name,
                f"{about['conformers']}",
                f"{about['dims']}",
                *(f"{about[share]:.3f}" for share in shares),
                f"{about['failed']}",
                f"{about['per_second']:.1f}",
            )
            for name, about in found.items()
        ],
    )
