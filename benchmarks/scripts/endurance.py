"""Embeds a large library in every way that shall give the same bytes, and watches the cost.

    python -m molkd.benchmarks.scripts.endurance --from chembl.smi.gz zinc.smi.gz \
        --work build/endurance -o endurance.json

A library of `--rows` rows is made once: molecules in a changed order of atoms, 1 % of them damaged.
It is embedded in one run, in one that is killed `--kills` times and continued, in `--shards` shards
and a merge, and by other `--engines`, of which a worker is killed; before and after the first
of them its `--small` first rows alone. Files are deleted once they are compared: the disk holds one
output at a time. What is finished stays in `--work`: the same command goes on where it
stopped. It ends with an error where bytes or rows differ.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from molkd.benchmarks.scripts import endurance_library
from molkd.benchmarks.scripts import endurance_report as report
from molkd.benchmarks.scripts.endurance_library import Library
from molkd.benchmarks.scripts.endurance_report import FIRST, LAST, WHOLE
from molkd.benchmarks.scripts.watching import Watched, kill_group, kill_worker, watch, watched_of
from molkd.benchmarks.speed import machine
from molkd.embedding.engines import ENGINES
from molkd.embedding.layout import MANIFEST, RECORDS
from molkd.errors import ConfigError, MolkdError
from molkd.items import MOLECULES
from molkd.runtime import files
from molkd.runtime.processes import usable_cores

MOLKD = (sys.executable, "-c", "from molkd.cli import main; main()")

_LATEST = 0.95
"""Share of the rows after which no kill is meant to fall: the run might be over."""

Stage = dict[str, Any]
"""What a stage leaves: "runs" that were watched, "sha256" of its files, and more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is done.

    Attributes:
        model: a student.
        rows: of the library.
        small: of them in the runs that are compared with the whole.
        rows_per_file: of the output.
        jobs: processes of each command.
        kills: of the run that is killed.
        shards: of the run in shards.
        seed: of the library and of the moments.
    """

    model: str
    rows: int
    small: int
    rows_per_file: int
    jobs: int
    kills: int
    shards: int
    seed: int

    @property
    def fewest(self) -> int:
        """Rows of which every process gets some, and hardly any has work."""
        return min(self.small, MOLECULES.chunk * self.jobs + 1)


@dataclass(frozen=True, slots=True)
class Work:
    """A folder in which stages leave what they found."""

    folder: Path
    plan: Plan
    library: Library

    def stage(self, name: str, make: Callable[[Path], Stage]) -> Stage:
        """Returns what a stage has found; it is done unless it was, and starts from nothing."""
        path = self.folder / f"{name.replace(' ', '-')}.json"
        if path.exists():
            return files.read_json(path)
        print(f"{name} ...", file=sys.stderr, flush=True)
        output = path.with_suffix("")
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir()
        found = make(output)
        files.write_json(path, found)
        shutil.rmtree(output)
        return found

    def embed(self, source: Path, output: Path, *more: str, **struck: Any) -> Watched:
        """Runs `molkd embed`, or goes on with it."""
        plan = self.plan
        command = [*MOLKD, "embed", source, "-o", output, "-m", plan.model, "-j", str(plan.jobs)]
        command += ["--rows-per-file", str(plan.rows_per_file), *more]
        log = output.with_suffix(".log")
        found = watch(command, log, functools.partial(self.done, output), **struck)
        if found.code and not found.struck:
            raise MolkdError(f"molkd embed ended with code {found.code}; {log} says why")
        return found

    def done(self, output: Path) -> int:
        """Returns how many rows are in files, and about how many in parts of unfinished ones."""
        every = self.plan.rows_per_file
        whole = {path.name for path in output.glob("*.parquet")}
        parts = [
            path
            for path in output.glob(f"{RECORDS}/*.parts/part-*.arrow")
            if path.parent.name.removesuffix(".parts") not in whole
        ]
        return len(whole) * every + len(parts) * min(every, MOLECULES.chunk)


def digests(output: Path) -> dict[str, str]:
    """Returns file -> sha256, of all embeddings and of the manifest."""
    paths = [*sorted(output.glob("*.parquet")), output / MANIFEST]
    return {path.name: files.sha256_of(path) for path in paths}


def small(work: Work, output: Path) -> Stage:
    """Embeds the first rows alone, and before that so few that it is all start-up."""
    runs: list[dict[str, Any]] = []
    for rows in (work.plan.fewest, work.plan.small):
        source = work.folder / "small.smi"
        with work.library.path.open("rb") as stream:
            source.write_bytes(b"".join(itertools.islice(stream, rows)))
        shutil.rmtree(output, ignore_errors=True)
        runs.append({**asdict(work.embed(source, output)), "rows": rows})
    return {"runs": runs}


def whole(work: Work, output: Path) -> Stage:
    """Embeds all in one run, and compares every row with the library."""
    found = work.embed(work.library.path, output)
    checked = endurance_library.checked(work.library, sorted(output.glob("*.parquet")))
    return {
        "runs": [asdict(found)],
        "sha256": digests(output),
        "checked": checked,
        "manifest": {
            name: files.read_json(output / MANIFEST)[name]
            for name in ("rows", "invalid", "reasons")
        },
    }


def killed(work: Work, output: Path, expected: Watched) -> Stage:
    """Embeds all in a run that is killed at random moments, with all its processes.

    The first kill falls into the start, the others into equal parts of the rows.
    """
    plan = work.plan
    draw = np.random.default_rng([plan.seed, plan.kills])
    shares = np.minimum((np.arange(plan.kills) + draw.random(plan.kills)) / plan.kills, _LATEST)
    started = expected.trace[0][1] if expected.trace else expected.seconds
    late = np.full(plan.kills, (1 - _LATEST) / 2 * expected.seconds)
    shares[0], late[0] = 0.0, started
    moments = zip(
        (shares * plan.rows).tolist(), (late * draw.random(plan.kills)).tolist(), strict=True
    )
    runs: list[dict[str, Any]] = []
    for moment in (*moments, None):
        at = {} if moment is None else {"strike": kill_group, "at": moment[0], "after": moment[1]}
        found = work.embed(work.library.path, output, **at)
        runs.append({**asdict(found), "done": work.done(output)})
        if not found.struck:
            break
    return {"runs": runs, "kills": len(runs) - 1, "sha256": digests(output)}


def sharded(work: Work, output: Path) -> Stage:
    """Embeds all in shards, one after the other, and merges them."""
    of = work.plan.shards
    runs = [
        asdict(work.embed(work.library.path, output, "--shard", f"{number}/{of}"))
        for number in range(1, of + 1)
    ]
    command = [*MOLKD, "merge", output, "-j", str(work.plan.jobs)]
    merged = watch(command, output.with_suffix(".log"), lambda: 0)
    if merged.code:
        raise MolkdError(f"molkd merge ended with code {merged.code}; see {output}.log")
    return {"runs": [*runs, asdict(merged)], "sha256": digests(output)}


def by_engine(work: Work, output: Path, engine: str) -> Stage:
    """Embeds all with another engine, of which one worker is killed."""
    strike = functools.partial(kill_worker, name=f"{engine}::")
    found = work.embed(
        work.library.path, output, "--engine", engine, at=work.plan.rows // 2, strike=strike
    )
    if found.code:
        raise MolkdError(f"--engine {engine} ended with {found.code}; see {output}.log")
    return {"runs": [asdict(found)], "kills": int(found.struck), "sha256": digests(output)}


def stages(work: Work, engines: Sequence[str]) -> dict[str, Stage]:
    """Does all stages that are not finished, and returns what each has found."""
    found = {FIRST: work.stage(FIRST, functools.partial(small, work))}
    found[WHOLE] = work.stage(WHOLE, functools.partial(whole, work))
    found[LAST] = work.stage(LAST, functools.partial(small, work))
    expected = watched_of(found[WHOLE]["runs"][0])
    found["killed"] = work.stage("killed", lambda output: killed(work, output, expected))
    found["shards"] = work.stage("shards", functools.partial(sharded, work))
    for engine in engines:
        if engine != "local":
            make = functools.partial(by_engine, work, engine=engine)
            found[engine] = work.stage(engine, make)
    return found


def within(work: Work, whole: Stage) -> dict[str, float | None]:
    """Returns what a row cost at the beginning, in all and at the end, in microseconds."""
    plan, one = work.plan, watched_of(whole["runs"][0])
    rows, small = plan.rows, plan.small
    settled = min(small // 2, 4 * plan.jobs * MOLECULES.chunk)  # chunks are read ahead at first
    last = rows - plan.rows_per_file  # of which nothing tells when it is finished
    bounds = {
        f"{settled:,} to {small:,}": (settled, small),
        f"{settled:,} to {last:,}": (settled, last),
        f"{last - last // 10:,} to {last:,}": (last - last // 10, last),
    }
    found = {name: one.between(*pair) for name, pair in bounds.items()}
    return {name: None if cost is None else 1e6 * cost for name, cost in found.items()}


def _opened(options: argparse.Namespace) -> Work:
    """Makes the library, in a folder that was begun with the same options.

    Raises:
        ConfigError: it was begun with others, or an option makes no sense.
    """
    plan = Plan(**{name: getattr(options, name) for name in Plan.__slots__})
    for name in ("rows", "small", "rows_per_file", "jobs", "kills", "shards"):
        if getattr(plan, name) < 1:
            raise ConfigError(f"{name} must be at least 1, not {getattr(plan, name)}")
    for engine in options.engines:
        ENGINES[engine]
    about = {**asdict(plan), "sources": [str(path) for path in options.source]}
    begun = options.work / "plan.json"
    options.work.mkdir(parents=True, exist_ok=True)
    if begun.exists() and files.read_json(begun) != about:
        raise ConfigError(f"{options.work} was begun with other options: give another --work")
    files.write_json(begun, about)
    print("library ...", file=sys.stderr, flush=True)
    path = options.work / "library.smi"
    made = endurance_library.make(
        path, options.source, rows=plan.rows, seed=plan.seed, jobs=plan.jobs
    )
    return Work(options.work, plan, made)


def main(arguments: Sequence[str] | None = None) -> None:
    """Makes the library, embeds it in all ways, and says what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--from", dest="source", type=Path, nargs="+", required=True)
    parser.add_argument("--work", type=Path, required=True, help="folder; stages stay there")
    parser.add_argument("-o", "--output", type=Path, required=True, help="JSON of all figures")
    parser.add_argument("--model", "-m", default="molkd-static")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--small", type=int, default=50_000)
    parser.add_argument("--rows-per-file", type=int, default=50_000)
    parser.add_argument("--jobs", "-j", type=int, default=usable_cores())
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--engines", type=lambda text: text.split(","), default=["local"])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        work = _opened(options)
        found = stages(work, options.engines)
        said = list(report.sentences(found, work.plan.rows, within(work, found[WHOLE])))
        about = {"machine": machine.facts("cpu"), "plan": asdict(work.plan), "said": said}
        files.write_json(options.output, {**about, "stages": report.content(found)})
    except MolkdError as error:
        parser.error(str(error))
    print("\t".join(report.COLUMNS))
    for row in report.rows(found):
        print("\t".join(row))
    print(*said, sep="\n")
    if wrong := report.wrong(found):
        parser.exit(1, "".join(f"{sentence}\n" for sentence in wrong))


if __name__ == "__main__":
    main()
