"""When does a likelihood pay? Students of synthetic teachers, of whom the truth is known.

    python -m molkd.benchmarks.studies.likelihood --output DIR

Trains small students by every objective in worlds that spoil the teachers in one way each, and
writes what they kept of the truth (`results.jsonl`) and what that says (`report.md`). A study that
was stopped goes on where it was; the same seeds give the same bytes on the same machine.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from molkd.benchmarks.studies.likelihood import report
from molkd.benchmarks.studies.likelihood.conditions import CONDITIONS, make
from molkd.benchmarks.studies.likelihood.records import Record
from molkd.benchmarks.studies.likelihood.training import StudyVariant, learn
from molkd.errors import ConfigError, CorruptFileError, MolkdError
from molkd.runtime import files
from molkd.runtime.processes import ordered_map
from molkd.runtime.progress import Progress

VARIANTS: Mapping[str, StudyVariant] = {
    "mse": StudyVariant("mse"),
    "cosine": StudyVariant("cosine"),
    "mi": StudyVariant("mi"),
    "mi-free": StudyVariant("mi", {"smallest_sd": 0.0183}),
    "mi-fixed": StudyVariant("mi", {"smallest_sd": 0.99}),
    "mi-gaussian": StudyVariant("mi", density="gaussian:0.3"),
    "mi-negative-binomial": StudyVariant("mi", density="negative-binomial"),
    "mse-linear": StudyVariant("mse", {"head_layers": 0}),
    "mi-linear": StudyVariant("mi", {"head_layers": 0}),
    "mse-weighted": StudyVariant("mse", weighted=True),
    "mi-weighted": StudyVariant("mi", weighted=True),
    "unic": StudyVariant("unic"),
    "diverse": StudyVariant("diverse"),
}
"""What students are trained by."""

_ALWAYS = ("mse", "mi")
_STRONGEST = ("cosine", "mi-free")
_OTHERS = ("unic", "diverse")
_TRIED: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "clean": (_ALWAYS, (*_STRONGEST, *_OTHERS)),
    "teachers": (_ALWAYS, (*_STRONGEST, *_OTHERS)),
    "outliers": (_ALWAYS, (*_STRONGEST, *_OTHERS)),
    "bits": ((*_ALWAYS, "mi-gaussian"), ("cosine",)),
    "counts": ((*_ALWAYS, "mi-negative-binomial"), ("cosine", "mi-gaussian")),
    "copies": ((*_ALWAYS, "mse-weighted", "mi-weighted"), ()),
    "copyable": ((*_ALWAYS, "mi-free"), ("cosine", "mi-fixed", "mse-linear", "mi-linear")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StudySettings:
    """What decides the numbers, beside the seed.

    Attributes:
        rows: to learn from.
        fresh: rows beside them; on half of them a ridge regression is fitted, on half scored.
        steps: of training, of 256 rows each.
    """

    rows: int = 2048
    fresh: int = 2000
    steps: int = 200


QUICK = StudySettings(rows=256, fresh=100, steps=4)
"""To see that it works; the numbers mean nothing."""


@dataclass(frozen=True, slots=True)
class StudyJob:
    """One student: a world, what it is trained by, and the seed of both."""

    condition: str
    level: float
    variant: str
    seed: int


def jobs(seeds: int) -> list[StudyJob]:
    """Returns all students, seed by seed, so that a study that was cut has whole seeds."""
    return [
        StudyJob(condition, level, variant, seed)
        for seed in range(seeds)
        for condition, about in CONDITIONS.items()
        for level in about.levels
        for variant in tried(condition, level)
    ]


def tried(condition: str, level: float) -> tuple[str, ...]:
    """Returns what students are trained by at a level; what costs most at the strongest alone."""
    always, strongest = _TRIED.get(condition, (_ALWAYS, _STRONGEST))
    last = level == CONDITIONS[condition].levels[-1]
    return (*always, *strongest) if last else tuple(always)


def run_one(settings: StudySettings, job: StudyJob) -> Record:
    """Trains one student."""
    world = make(job.condition, job.level, rows=settings.rows, fresh=settings.fresh, seed=job.seed)
    outcome = learn(
        world,
        VARIANTS[job.variant],
        width=CONDITIONS[job.condition].width,
        steps=settings.steps,
        seed=job.seed,
    )
    return Record(**asdict(job), **asdict(outcome))


def study(
    output: Path, settings: StudySettings, *, seeds: int, jobs_at_once: int = 1
) -> list[Record]:
    """Trains all students that a folder has no result of, and writes results and report.

    Args:
        output: the folder.
        settings: of every student.
        seeds: how many; at least 2, to say how sure a difference is.
        jobs_at_once: processes.

    Returns:
        The records of all students, in order.

    Raises:
        ConfigError: too few seeds, or the folder holds a study of other settings.
        CorruptFileError: the folder's results are none.
    """
    if seeds < 2:
        raise ConfigError(f"differences between students need at least 2 seeds, not {seeds}")
    path, every = output / "results.jsonl", jobs(seeds)
    finished = read(path, settings) if path.exists() else {}
    missing = [job for job in every if job not in finished]
    _write(path, settings, finished.values())
    trained = ordered_map(partial(run_one, settings), missing, jobs=jobs_at_once, prefetch=8)
    shown = Progress("students", len(missing), unit="students", shown=bool(missing))
    with path.open("a", encoding="utf-8") as stream, shown as bar:
        for record in trained:
            stream.write(_line(record))
            stream.flush()
            finished[job_of(record)] = record
            bar.update(1)
    records = [finished[job] for job in every]
    _write(path, settings, sorted(finished.values(), key=_place))
    variants = {name: variant.text for name, variant in VARIANTS.items()}
    text = report.report(records, asdict(settings), variants)
    files.write_bytes(output / "report.md", text.encode())
    return records


def job_of(record: Record) -> StudyJob:
    """Returns the job that a record is the result of."""
    return StudyJob(record.condition, record.level, record.variant, record.seed)


def read(path: Path, settings: StudySettings) -> dict[StudyJob, Record]:
    """Reads what is known; a last line that was cut is dropped.

    Raises:
        ConfigError: the numbers were found with other settings.
        CorruptFileError: the file holds no study.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    head, *tables = list(_objects(lines)) or [{}]
    if "settings" not in head:
        raise CorruptFileError(f"{path} holds no study: choose another folder")
    if head["settings"] != asdict(settings):
        raise ConfigError(
            f"{path} was found with {head['settings']}, not {asdict(settings)}: choose another "
            "folder"
        )
    for table in tables:
        table["halves"] = tuple(table["halves"])
    return {job_of(record): record for record in (Record(**table) for table in tables)}


def _objects(lines: Sequence[str]) -> Iterator[dict[str, Any]]:
    for text in lines:
        try:
            yield cast("dict[str, Any]", json.loads(text))
        except ValueError:
            return


def _write(path: Path, settings: StudySettings, records: Any) -> None:
    head = {
        "settings": asdict(settings),
        "versions": {name: version(name) for name in ("torch", "numpy", "scikit-learn")},
    }
    files.write_bytes(path, (json.dumps(head) + "\n" + "".join(map(_line, records))).encode())


def _place(record: Record) -> tuple[int, int, float, int]:
    """Seeds, conditions and levels in order, and what was tried in the order of `VARIANTS`."""
    condition = list(CONDITIONS).index(record.condition)
    level = CONDITIONS[record.condition].levels.index(record.level)
    return record.seed, condition, level, list(VARIANTS).index(record.variant)


def _line(record: Record) -> str:
    return json.dumps(asdict(record), allow_nan=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the study and says where the report is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="few steps, to see that it works")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args(arguments)
    settings = QUICK if options.quick else StudySettings()
    try:
        study(options.output, settings, seeds=options.seeds, jobs_at_once=options.jobs)
    except MolkdError as error:
        parser.error(str(error))
    sys.stdout.write(f"{options.output / 'report.md'} written\n")


if __name__ == "__main__":
    main()
