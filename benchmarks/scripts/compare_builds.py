"""Times the benchmark of two builds by turns: this linear probe against that of a commit.

    python -m molkd.benchmarks.scripts.compare_builds cdbcda3 --data DIR --cache DIR

Each build has a process of its own per task, and probes one embedder after the other, with all
seeds, from cached embeddings to scores: what a worker of `bench quality` does. Processor time is
compared, since clocks of busy machines lie; scores are compared too.
"""

from __future__ import annotations

import argparse
import functools
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import molkd
from molkd.benchmarks import embedders
from molkd.benchmarks import tasks as registry
from molkd.errors import ConfigError, MolkdError
from molkd.runtime.processes import ordered_map

HERE = Path(molkd.__file__).parents[1]

WORKER = Path(__file__).with_name("probing.py")

EMBEDDERS = (
    "ecfp4,ecfp4-count,rdkit2d,ecfp4-count+rdkit2d,maccs,atom-pair,minimol,chemnet,"
    "molkd:molkd-base,molkd:molkd-small,hu-gcn-supervised-contextpred,jtvae"
)


@dataclass(frozen=True, slots=True)
class Pair:
    """One embedder on one task.

    Attributes:
        task: its name.
        embedder: its label.
        seconds: processor time of the old build and of this one.
        differences: per seed, the largest difference of a test score.
        other: seeds of which another penalty was chosen.
    """

    task: str
    embedder: str
    seconds: tuple[float, float]
    differences: tuple[float, ...]
    other: int

    @property
    def line(self) -> str:
        """A row of the table."""
        old, new = self.seconds
        return (
            f"{self.task:34s}{self.embedder:32s}{old:8.2f}{new:8.2f}{old / new:7.1f}"
            f"{max(self.differences):10.1e}{self.other:4d}"
        )


def compared(
    task: str, *, trees: Sequence[Path], start: Mapping[str, Any], rounds: int
) -> list[Pair]:
    """Probes all embedders on a task with both builds, by turns.

    Args:
        task: its name.
        trees: folders of the old build and of this one.
        start: what workers are told: embedders with their digests, folders and seeds.
        rounds: how often each is timed; the fastest counts.
    """
    workers = [_worker(tree) for tree in trees]
    try:
        for worker in workers:
            _tell(worker, {**start, "task": task})
        return [_pair(workers, task, label, rounds) for label in start["embedders"]]
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def _pair(workers: Sequence[subprocess.Popen[str]], task: str, label: str, rounds: int) -> Pair:
    answers: list[list[Any]] = [[], []]
    for _ in range(rounds):
        for worker, found in zip(workers, answers, strict=True):
            _tell(worker, label)
            found.append(json.loads(_stream(worker.stdout).readline()))
    old, new = (min(found, key=lambda one: one["seconds"]) for found in answers)
    both = list(zip(old["scores"], new["scores"], strict=True))
    return Pair(
        task,
        label,
        (old["seconds"], new["seconds"]),
        tuple(max(abs(a["test"][m] - b["test"][m]) for m in a["test"]) for a, b in both),
        sum(a["chosen"] != b["chosen"] for a, b in both),
    )


def _worker(tree: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, str(WORKER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


def _tell(worker: subprocess.Popen[str], what: object) -> None:
    stream = _stream(worker.stdin)
    stream.write(json.dumps(what) + "\n")
    stream.flush()


def _stream(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise RuntimeError("a worker without pipes")
    return pipe


def _unpacked(commit: str, folder: Path) -> Path:
    """Puts the files of a commit into a folder, without results."""
    done = subprocess.run(
        ["git", "-C", str(HERE), "archive", commit, "--", ".", ":!benchmarks/results"],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise ConfigError(f"git archive {commit}: {done.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="tar")
    return folder


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description="The linear probe of two builds, by turns.")
    parser.add_argument("commit", help="the old build")
    parser.add_argument("--data", type=Path, required=True, help="folder of benchmark data")
    parser.add_argument("--cache", type=Path, required=True, help="embeddings, all of them there")
    parser.add_argument("--weights", type=Path, help="folder of pretrained weights")
    parser.add_argument("--tasks", default="tdc-admet")
    parser.add_argument("--embedders", default=EMBEDDERS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="tasks at once")
    arguments = parser.parse_args()
    try:
        _report(arguments)
    except MolkdError as error:
        parser.error(str(error))


def _report(arguments: argparse.Namespace) -> None:
    made = [
        embedders.make(spec, weights_dir=arguments.weights)
        for spec in arguments.embedders.split(",")
    ]
    names = arguments.tasks.split(",")
    tasks = registry.load(names, own=[], data=arguments.data, download=False)
    start = {
        "data": str(arguments.data),
        "cache": str(arguments.cache),
        "seeds": arguments.seeds,
        "embedders": {each.label: list(each.digests) for each in made},
    }
    with tempfile.TemporaryDirectory(prefix="molkd-builds-") as folder:
        trees = [_unpacked(arguments.commit, Path(folder)), HERE]
        work = functools.partial(compared, trees=trees, start=start, rounds=arguments.rounds)
        asked = sorted(tasks, key=lambda task: -len(task.items))
        jobs = min(arguments.jobs, len(asked))
        pairs: list[Pair] = []
        for found in ordered_map(work, [f"{t.group}:{t.name}" for t in asked], jobs=jobs):
            pairs += found
            print("\n".join(each.line for each in found), flush=True)
    for label in start["embedders"]:
        _summary(label, [each for each in pairs if each.embedder == label])
    _summary("all", pairs)


def _summary(label: str, pairs: Sequence[Pair]) -> None:
    old, new = (sum(each.seconds[side] for each in pairs) for side in (0, 1))
    differences = [one for each in pairs for one in each.differences]
    moved = sum(one > 1e-6 for one in differences)
    print(
        f"{label:32s}{old:9.1f} s {new:9.1f} s {old / new:6.1f} times; {moved} of "
        f"{len(differences)} scores differ by more than 1e-6, {max(differences):.1e} at most; "
        f"{sum(each.other for each in pairs)} other penalties"
    )


if __name__ == "__main__":
    main()
