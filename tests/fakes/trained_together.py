"""A program that `torchrun` starts in two processes: trains, distils, and says what came out.

    python -m torch.distributed.run --standalone --nproc-per-node 2 FILE WHAT FOLDER DEVICE

WHAT is `all`, or `differ` for what must end in an error. Each process writes `RANK.json` into the
folder.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from molkd import objectives
from molkd.distillation.schedule import TrainSettings
from molkd.distillation.trainer import Distiller
from molkd.objectives import MutualInformationSettings
from molkd.runtime import devices, distributed, launch
from tests.fakes.vectors import Vectors, VectorStudent, corpus

PLAN = TrainSettings(epochs=3, batch_size=77, lr=5e-3, ema=0.9, precision="fp32")
"""The last of 540 rows is a batch of its own, in which one of two processes has nothing."""

EXACT: Mapping[str, tuple[str, dict[str, Any]]] = {
    "teachers": ("mi", {"head_hidden": 16}),
    "pairs": ("mse", {"head_hidden": 16, "average": "pairs"}),
    "rows": ("cosine", {"head_hidden": 16, "average": "rows"}),
    "diverse": ("diverse", {"query_hidden": 16, "importance": "mixture"}),
}
"""Objectives without anything random: two processes give the losses of one."""

CHAINS = ["C" * n + tail for n in range(1, 13) for tail in ("O", "N", "Cl", "c1ccccc1", "C(=O)O")]
SMILES: list[object] = [*CHAINS, "xx", None]


def distiller(
    name: str, options: dict[str, Any], device: str, *, plan: TrainSettings = PLAN, drop: float = 0
) -> Distiller[Any, Vectors, Any]:
    torch.manual_seed(plan.seed)
    student = VectorStudent(dropout=drop)
    settings = objectives.configured(name, options)
    made = settings.build(student.feature_spec, corpus().reader.specs)
    return Distiller(student, made, plan, device=device)


def random_one(device: str, minutes: float = 0.0) -> Distiller[Any, Vectors, Any]:
    """One in which students and teachers are dropped and running means are learnt."""
    plan = dataclasses.replace(PLAN, checkpoint_minutes=minutes)
    return distiller("unic", {"scaling": "ema"}, device, plan=plan, drop=0.1)


def train(folder: Path, device: str) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name, (objective, options) in EXACT.items():
        one = distiller(objective, options, device)
        said[name] = one.fit(corpus(), progress=False)
    whole = random_one(device)
    said["history"] = whole.fit(corpus(), folder=folder / "whole", progress=False)
    said["digest"] = whole.student.digest
    for run in ("here", "alone"):  # the second one is left to a process of its own
        stopped_after(13, random_one(device), corpus(), folder / run)
    resumed = random_one(device)
    said["resumed history"] = resumed.fit(corpus(), folder=folder / "here", progress=False)
    said["resumed"] = resumed.student.digest
    return said


class _StoppedError(RuntimeError):
    pass


def stopped_after(steps: int, one: Distiller[Any, Any, Any], data: Any, folder: Path) -> None:
    learn, done = one._learn, []

    def counted(*args: Any) -> None:
        if len(done) == steps:
            raise _StoppedError
        done.append(None)
        learn(*args)

    one._learn = counted
    try:
        one.fit(data, folder=folder, progress=False)
    except _StoppedError:
        return
    raise AssertionError


def differ(folder: Path, device: str) -> None:
    """The second process was given another learning rate."""
    plan = dataclasses.replace(PLAN, lr=1e-3 * (1 + launch.rank()))
    distiller("mi", {}, device, plan=plan).fit(corpus(), folder=folder, progress=False)


def distilled(folder: Path, device: str) -> dict[str, Any]:
    """Distils SMILES; the libraries of it are loaded here, for other work needs none of them."""
    from molkd import teachers
    from molkd.distillation.run import DistillSettings, distill
    from molkd.information.settings import EstimatorSettings
    from molkd.students import GineSettings

    settings = DistillSettings(
        student=GineSettings(size="tiny", hidden=16, layers=2, embedding_dim=8),
        objective=MutualInformationSettings(head_hidden=16),
        train=TrainSettings(epochs=2, batch_size=16),
        valid_fraction=0.2,
        basis="teachers",
        weights_dtype="fp16",
        estimate=EstimatorSettings(epochs=1, hidden=16),
    )
    made = [teachers.make(name) for name in ("ecfp4", "maccs")]
    result = distill(SMILES, made, folder, settings, device=device, progress=False)
    return {
        "digest": result.student.digest,
        "training": result.student.training,
        "history": [dict(record) for record in result.history],
        "failures": sorted(result.failures),
        "information": {name: known.r2 for name, known in result.information.items()},
    }


def main(what: str, place: str, device: str) -> None:
    folder = Path(place)
    with distributed.joined(devices.choose(device)):
        if what == "differ":
            differ(folder, device)
        said = {**train(folder, device), "distilled": distilled(folder / "run", device)}
    (folder / f"{launch.rank()}.json").write_text(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
