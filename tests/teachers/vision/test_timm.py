"""Models of timm: with a stand-in for the library, and what is said where it is not installed."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from molkd import teachers
from molkd.errors import ConfigError, MissingExtraError, UnknownNameError
from molkd.teachers.vision.timm import TimmTeacher

from . import promises

FACTS = {
    "input_size": (3, 28, 28),
    "interpolation": "bicubic",
    "mean": (0.5, 0.4, 0.3),
    "std": (0.2, 0.3, 0.4),
    "crop_pct": 0.875,
    "crop_mode": "center",
}


class Tiny(nn.Module):
    """Means of halves of each channel."""

    num_features = 6

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        upper, lower = pixels.chunk(2, dim=2)
        return torch.cat([upper.mean(dim=(2, 3)), lower.mean(dim=(2, 3))], dim=1) * self.scale


@pytest.fixture
def timm(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A library with one model, whose facts a test may change."""
    facts = dict(FACTS)

    def create(name: str, *, pretrained: bool, num_classes: int) -> nn.Module:
        assert (name, num_classes) == ("tiny.tag", 0)
        del pretrained
        return Tiny()

    library = SimpleNamespace(
        is_model=lambda name: name == "tiny.tag",
        list_models=lambda: ["tiny.tag"],
        create_model=create,
        data=SimpleNamespace(resolve_model_data_config=lambda _: facts),
    )
    monkeypatch.setitem(sys.modules, "timm", library)  # type: ignore[arg-type]
    monkeypatch.setattr("molkd.teachers.vision.timm.version", lambda name: f"{name} 9")
    return facts


@pytest.mark.skipif(find_spec("timm") is not None, reason="timm is installed")
def test_without_timm() -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'molkd\[timm\]'"):
        _ = teachers.make("timm:tiny").card


def test_equals_its_steps(timm: dict[str, Any], pictures: list[Any]) -> None:
    rows = []
    for picture in pictures:
        image = Image.fromarray(picture)
        wide, high = (side * 32 // min(image.size) for side in image.size)
        image = image.resize((wide, high), Image.Resampling.BICUBIC)
        left, top = (wide - 28) // 2, (high - 28) // 2
        cut = np.asarray(image.crop((left, top, left + 28, top + 28))) / 255
        cut = (cut - FACTS["mean"]) / FACTS["std"]
        rows.append(np.concatenate([cut[:14].mean(axis=(0, 1)), cut[14:].mean(axis=(0, 1))]))
    values = TimmTeacher("tiny.tag").embed(pictures).values
    np.testing.assert_allclose(values, rows, atol=1e-5)


def test_keeps_the_promises(timm: dict[str, Any], pictures: list[Any], tmp_path: Any) -> None:
    teacher: Any = teachers.make("timm:tiny.tag")
    assert teacher.card.name == "timm:tiny.tag"
    promises.check_fits_the_protocol(teacher)
    promises.check_rows_line_up(teacher, pictures)
    promises.check_forms_do_not_matter(teacher, pictures, tmp_path)
    promises.check_batches_do_not_matter(teacher, pictures)
    promises.check_travels(teacher, pictures)
    promises.check_digest_ignores(teacher, device="meta", batch_size=1)


def test_unknown_model(timm: dict[str, Any]) -> None:
    with pytest.raises(UnknownNameError, match=r"no model 'tiny\.tga'.*'tiny\.tag'"):
        _ = TimmTeacher("tiny.tga").card


@pytest.mark.parametrize("odd", [{"input_size": (3, 20, 30)}, {"crop_mode": "border"}])
def test_other_ways_of_cutting(
    timm: dict[str, Any], odd: dict[str, Any], pictures: list[Any]
) -> None:
    timm.update(odd)
    with pytest.raises(ConfigError, match="cut in another way"):
        TimmTeacher("tiny.tag").embed(pictures)
