"""Training, embedding and resuming on CUDA; `pytest -m gpu` prints molecules per second with -s."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from molkd import students
from molkd.distillation.schedule import TrainSettings
from molkd.distillation.trainer import Distiller
from molkd.objectives import MutualInformationSettings
from molkd.students import GineSettings
from molkd.tensors import FeatureSpec
from tests.fakes.vectors import VectorStudent, corpus

pytestmark = pytest.mark.gpu

PLAN = TrainSettings(
    epochs=4, batch_size=64, lr=5e-3, ema=0.9, precision="fp32", checkpoint_minutes=0.0
)
TAILS = ("O", "N[C@@H](C)O", "c1ccccc1", "/C=C/F")
SMILES = ["C" * n + tail for n in range(1, 60) for tail in TAILS]


def _distiller(plan: TrainSettings = PLAN) -> Distiller:
    torch.manual_seed(0)
    settings = MutualInformationSettings(head_hidden=16)
    objective = settings.build(FeatureSpec(8), corpus().reader.specs)
    return Distiller(VectorStudent(), objective, plan, device="cuda")


@pytest.mark.parametrize("precision", ["fp32", "bf16", "auto"])
def test_training_learns_on_cuda(precision):
    distiller = _distiller(dataclasses.replace(PLAN, epochs=15, precision=precision))
    assert distiller.student.device.type == "cuda"
    history = distiller.fit(corpus(), progress=False)
    assert history[-1]["valid"] < 0.75 * history[0]["valid"]


def test_training_agrees_with_the_cpu():
    on_gpu = _distiller().fit(corpus(), progress=False)
    torch.manual_seed(0)
    objective = MutualInformationSettings(head_hidden=16).build(
        FeatureSpec(8), corpus().reader.specs
    )
    on_cpu = Distiller(VectorStudent(), objective, PLAN, device="cpu").fit(corpus(), progress=False)
    assert on_gpu[-1]["valid"] == pytest.approx(on_cpu[-1]["valid"], rel=0.02)


def test_a_run_resumes_on_cuda(tmp_path: Path):
    expected = _distiller().fit(corpus(), folder=tmp_path / "whole", progress=False)
    killed = _distiller()
    learn, done = killed._learn, []

    def counted(*args) -> None:
        if len(done) == 13:
            raise KeyboardInterrupt
        done.append(None)
        learn(*args)

    killed._learn = counted
    with pytest.raises(KeyboardInterrupt):
        killed.fit(corpus(), folder=tmp_path / "run", progress=False)
    resumed = _distiller().fit(corpus(), folder=tmp_path / "run", progress=False)
    assert resumed[-1]["valid"] == pytest.approx(expected[-1]["valid"], rel=1e-3)


@pytest.mark.parametrize("size", ["tiny", "small", "base"])
def test_embeddings_agree_with_the_cpu(size: str):
    student = students.make(GineSettings(size=size))
    on_cpu = student.embed(SMILES).values
    graphs = student.featurize(SMILES * 20)
    student.cuda()
    np.testing.assert_allclose(student.embed(SMILES).values, on_cpu, atol=1e-4)
    start = time.perf_counter()
    student.encode(graphs, batch_size=1024)
    print(f"{size}: {len(graphs) / (time.perf_counter() - start):.0f} molecules/s")  # noqa: T201
