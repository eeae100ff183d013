"""Training by the real distiller, with a fake clock around it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from molkd import students
from molkd.benchmarks.speed.interleaved import Limits
from molkd.benchmarks.speed.training import VALID, training
from molkd.benchmarks.tasks.modalities import BENCHMARKED, BenchmarkModality
from molkd.distillation.trainer import Corpus, Distiller
from molkd.errors import InputError
from molkd.items.images import decoding
from tests.fakes.clocks import RDKIT, FakeClock

SMILES = [f"{'C' * (1 + n % 6)}{'O' * (n // 6 % 3)}{'N' * (n // 18 % 2)}" for n in range(36)]
LIMITS = Limits(repeats=2, seconds=1000)


@pytest.fixture
def fitted(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> list[Corpus]:
    """The corpora of all epochs; each epoch costs 20 ms per training row of the fake clock."""
    seen: list[Corpus] = []
    fit = Distiller.fit

    def slow_fit(self: Distiller, corpus: Corpus, **options: object) -> object:
        seen.append(corpus)
        clock.spend(0.020 * len(corpus.train))
        assert self.settings.epochs == 1
        history = fit(self, corpus, **options)  # pyright: ignore[reportArgumentType]
        assert history[0]["train"] == history[0]["train"], "a loss, not NaN"
        return history

    monkeypatch.setattr(Distiller, "fit", slow_fit)
    return seen


def test_a_round_is_an_epoch_without_reading(
    clock: FakeClock, modality: BenchmarkModality, fitted: list[Corpus]
) -> None:
    student = students.make(students.GineSettings(size="tiny"))
    before = student.digest
    found = training(lambda: student, [*SMILES, "bad"], LIMITS, modality, clock=clock)
    rows = len(SMILES) - VALID
    assert found.count == rows
    assert found.rounds["total"] == pytest.approx([0.020 * rows] * 2)
    assert found.ratios() == pytest.approx([0.020 / RDKIT] * 2)
    assert found.per_second == pytest.approx(50)
    assert (found.failed, found.reason) == (1, "SMILES syntax error")
    assert [len(corpus.train) for corpus in fitted] == [rows] * 4  # trial, memory, two rounds
    assert set(fitted[0].reader.specs) == {"ecfp4", "maccs"}
    assert student.digest == before, "copies are trained"
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("size", ["static-base", "vit-tiny"])
def test_students_of_texts_and_images_are_trained_too(size: str) -> None:
    settings = students.sized(size)
    modality = BENCHMARKED[settings.modality]
    items = {
        "texts": [f"number {n} of many" for n in range(16)],
        "images": [decoding.stored(np.full((8, 8, 3), n, np.uint8)) for n in range(16)],
    }[settings.modality]
    made = students.make(settings, items=items)
    found = training(lambda: made, items, Limits(repeats=1, seconds=1), modality)
    assert (found.count, found.failed) == (16 - VALID, 0)


def test_too_few_molecules_are_refused() -> None:
    student = students.make(students.GineSettings(size="tiny"))
    with pytest.raises(InputError, match=r"on 16 molecules or more, not on 3: .*--no-training"):
        training(lambda: student, ["C", "CC", "CCC", "bad"], LIMITS, BENCHMARKED["molecules"])
