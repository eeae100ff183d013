"""Teachers that are scarce, noise or constant, alone or beside a good one: whole distillations."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from molkd import objectives, teachers
from molkd.distillation.run import Distilled, DistillSettings, distill
from molkd.distillation.schedule import TrainSettings
from molkd.errors import ConfigError
from molkd.information.settings import EstimatorSettings
from molkd.items.molecules import chem
from molkd.objectives import OBJECTIVES
from molkd.students import GineSettings
from molkd.types import Embeddings, TeacherCard

SMILES = ["C" * n + tail for n in range(1, 25) for tail in ("O", "N", "Cl", "c1ccccc1", "C(=O)O")]

each = pytest.mark.parametrize("name", OBJECTIVES)


class _Numbers:
    """Three numbers of a molecule's length, or of its own seed; it fails where asked to."""

    def __init__(
        self, name: str, values: Callable[[str], Sequence[float]], fails: str = "never"
    ) -> None:
        self._values, self._fails = values, fails
        self.card = TeacherCard(
            name=name, kind="test", dim=3, support="real", source="", license="", limits=""
        )

    def embed(self, items, /) -> Embeddings:
        texts = [chem.canonical_smiles(item) for item in items]
        values = np.array([self._values(text) for text in texts], dtype=np.float32)
        failures = {row: "too short" for row, text in enumerate(texts) if self._fails in text}
        values[list(failures)] = np.nan
        return Embeddings(values, failures)


def _noise(text: str) -> list[float]:
    return [math.sin(1e4 * (n + 1) * zlib.crc32(text.encode())) for n in range(3)]


def _lengths(text: str) -> list[float]:
    return [len(text), text.count("C"), len(text) ** 2]


def _distilled(folder: Path, name: str, *others: object) -> Distilled:
    settings = DistillSettings(
        student=GineSettings(size="tiny", hidden=16, layers=2, embedding_dim=8),
        objective=objectives.configured(name),
        train=TrainSettings(epochs=1, batch_size=32),
        estimate=EstimatorSettings(epochs=1, hidden=16),
        valid_fraction=0.1,
    )
    made = [teachers.make("maccs"), *others]
    return distill(SMILES, made, folder, settings, device="cpu", progress=False)  # pyright: ignore[reportArgumentType]


def _is_well(result: Distilled) -> None:
    embedded = result.student.embed(["CCO", "CCCCN"]).values
    assert np.isfinite(embedded).all()
    assert (embedded[0] != embedded[1]).any()
    assert all(math.isfinite(record["valid"]) for record in result.history)


@each
def test_a_scarce_and_a_noisy_teacher_beside_a_good_one(tmp_path: Path, name: str):
    scarce, noise = _Numbers("scarce", _lengths, fails="C" * 3), _Numbers("noise", _noise)
    result = _distilled(tmp_path, name, scarce, noise)
    _is_well(result)
    assert not result.failures
    assert result.information["scarce"].rows < result.information["maccs"].rows / 3
    assert result.information["noise"].r2 < 0.3


def test_a_teacher_that_is_constant_is_refused_by_name(tmp_path: Path):
    constant = _Numbers("constant", lambda _: (1.0, 2.0, 3.0))
    with pytest.raises(ConfigError, match="all columns of teacher 'constant' are constant"):
        _distilled(tmp_path, "mi", constant)


@each
def test_one_teacher_alone(tmp_path: Path, name: str):
    result = _distilled(tmp_path, name)
    _is_well(result)
    assert set(result.information) == {"maccs"}
