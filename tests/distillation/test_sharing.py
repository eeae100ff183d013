"""Two processes of torchrun train what one does, resume, and end together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from molkd import students
from molkd.distillation.sharing import Part
from molkd.runtime import distributed
from tests.fakes import trained_together as together
from tests.fakes.vectors import corpus

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow  # every start of torch takes seconds, three times
PROGRAM = ROOT / "tests" / "fakes" / "trained_together.py"


def started(
    *arguments: object, typed: str = "", limit: float = 200
) -> subprocess.CompletedProcess[str]:
    """What two processes of torchrun said."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=limit,
    )


def said(folder: Path, device: str = "cpu") -> list[dict[str, Any]]:
    """What each of two processes wrote."""
    done = started(PROGRAM, "all", folder, device)
    assert done.returncode == 0, done.stderr
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


def same(two: list[dict[str, float]], one: list[dict[str, float]], tolerance: float = 1e-4) -> None:
    assert len(two) == len(one)
    for left, right in zip(two, one, strict=True):
        exact = {name: value for name, value in right.items() if not name.endswith("balance")}
        assert {name: left[name] for name in exact} == pytest.approx(exact, rel=tolerance)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """The folder of what two processes trained, and what they said; tests read them."""
    folder = tmp_path_factory.mktemp("trained")
    return folder, said(folder)


Trained = tuple[Path, list[dict[str, Any]]]


@pytest.mark.parametrize("name", together.EXACT)
def test_two_processes_have_the_losses_of_one_with_teachers_that_fail(trained: Trained, name: str):
    objective, options = together.EXACT[name]
    one = together.distiller(objective, options, "cpu").fit(corpus(), progress=False)
    same(trained[1][0][name], one)


def test_all_processes_end_with_the_same_bits(trained: Trained):
    assert trained[1][0] == trained[1][1]


def test_a_run_of_two_resumes_to_the_same_bits(trained: Trained):
    (first, _) = trained[1]
    assert first["resumed"] == first["digest"]
    assert first["resumed history"] == first["history"]


def test_the_first_process_alone_writes_the_metrics(trained: Trained):
    folder, (first, _) = trained
    lines = (folder / "whole" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == first["history"]


def test_a_run_of_two_is_finished_by_one(trained: Trained):
    folder, (first, _) = trained
    history = together.random_one("cpu").fit(corpus(), folder=folder / "alone", progress=False)
    assert history[0] == first["history"][0]
    assert len(history) == together.PLAN.epochs


def test_an_error_of_one_ends_both_and_says_why(tmp_path: Path):
    done = started(PROGRAM, "differ", tmp_path, "cpu")
    assert done.returncode == 1
    assert "ConfigError: this process trains something else than process 0" in done.stderr
    assert "rank      : 1" in done.stderr.partition("Root Cause")[2]
    assert not list(tmp_path.glob("*.json"))


def test_a_distillation_by_two_is_that_by_one(trained: Trained, tmp_path: Path):
    folder, (first, _) = trained
    two = first["distilled"]
    assert not two["training"]
    assert students.load(folder / "run").digest == two["digest"]
    one = together.distilled(tmp_path, "cpu")
    assert two["failures"] == one["failures"] == [60, 61]
    same(two["history"], one["history"])
    assert two["information"] == pytest.approx(one["information"], abs=0.05)


def test_the_command_reads_a_pipe_once(tmp_path: Path):
    source, output = "\n".join([*together.CHAINS, "xx"]) + "\n", tmp_path / "run"
    options = "-t maccs --student tiny --epochs 1 --device cpu -j 1 --set estimate.epochs=1"
    done = started(
        *(
            "-m",
            "molkd",
            "distill",
            "-i",
            "-",
            "--input-format",
            "smi",
            "-o",
            output,
            *options.split(),
        ),
        typed=source,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("60 of 61 molecules used") == 1
    assert done.stdout.count("maccs") == 1
    assert len((output / "metrics.jsonl").read_text().splitlines()) == 1
    assert students.load(output).embed(["CCO"]).values.shape == (1, 128)


def test_a_part_has_a_row_even_where_none_is_left(monkeypatch: pytest.MonkeyPatch):
    batch = np.arange(10, 13)
    assert Part.of(batch).rows.tolist() == [10, 11, 12]
    shares: Mapping[int, tuple[list[int], float]] = {
        0: ([10], 0.0),
        1: ([10], 1 / 3),
        2: ([11], 1 / 3),
        3: ([12], 1 / 3),
    }
    monkeypatch.setattr(distributed, "_PATIENT", [None])
    monkeypatch.setenv("WORLD_SIZE", "4")
    for rank, (rows, share) in shares.items():
        monkeypatch.setenv("RANK", str(rank))
        part = Part.of(batch)
        assert part.rows.tolist() == rows
        assert part.share == pytest.approx(share)
        assert part.count == 3


@pytest.mark.gpu
def test_two_gpus_have_the_losses_of_a_cpu(tmp_path: Path):
    if torch.cuda.device_count() < 2:
        pytest.skip("one CUDA device only")
    first, second = said(tmp_path, "cuda")
    assert first == second
    assert first["resumed history"][-1]["valid"] == pytest.approx(
        first["history"][-1]["valid"], rel=1e-3
    )
    one = together.distiller(*together.EXACT["teachers"], "cpu").fit(corpus(), progress=False)
    same(first["teachers"], one, tolerance=0.02)
