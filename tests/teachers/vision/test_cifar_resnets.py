"""The residual networks of CIFAR-10 classify as their authors say, and keep the promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.utils._param_validation import InvalidParameterError

from molkd import teachers
from molkd.errors import WeightsError
from molkd.teachers.vision.cifar_resnets import SHA256, CifarResNet, CifarResNetTeacher

from . import promises


@pytest.fixture(scope="module")
def teacher(shared: Path) -> CifarResNetTeacher:
    return CifarResNetTeacher(20, weights_dir=shared / "weights")


def test_resnet20_tells_the_classes(teacher: CifarResNetTeacher, cifar: Any) -> None:
    images, classes = cifar
    values = teacher.embed(list(images)).values
    network: Any = teacher._ready()
    with torch.no_grad():
        found = network.linear(torch.from_numpy(values)).argmax(dim=1).numpy()
    assert (found == classes).mean() == pytest.approx(0.813, abs=0.001)


@pytest.mark.parametrize("layers", sorted(SHA256))
def test_every_depth_tells_the_classes(shared: Path, cifar: Any, layers: int) -> None:
    images, classes = cifar
    teacher: Any = teachers.make(f"resnet{layers}-cifar10", weights_dir=shared / "weights")
    values = torch.from_numpy(teacher.embed(list(images[:200])).values)
    scores = teacher._ready().linear(values)
    assert (scores.argmax(dim=1).numpy() == classes[:200]).mean() > 0.75


def test_equals_a_loop_over_convolutions(teacher: CifarResNetTeacher, cifar: Any) -> None:
    """The same network written out with tensors, in float64."""
    images, _ = cifar
    state = {name: value.double() for name, value in teacher._ready().state_dict().items()}
    mean = torch.tensor([0.485, 0.456, 0.406], dtype=torch.float64)
    sd = torch.tensor([0.229, 0.224, 0.225], dtype=torch.float64)
    x = ((torch.from_numpy(images[:8]).double() / 255 - mean) / sd).permute(0, 3, 1, 2)

    def step(x: torch.Tensor, place: str, number: int, stride: int) -> torch.Tensor:
        weight = state[f"{place}conv{number}.weight"]
        x = torch.nn.functional.conv2d(x, weight, stride=stride, padding=1)
        scale = state[f"{place}bn{number}.running_var"].add(1e-5).rsqrt()
        scale = scale * state[f"{place}bn{number}.weight"]
        shift = state[f"{place}bn{number}.bias"] - state[f"{place}bn{number}.running_mean"] * scale
        return x * scale[:, None, None] + shift[:, None, None]

    x = step(x, "", 1, 1).clamp(min=0)
    for stage in (1, 2, 3):
        for block in range(3):
            place, halved = f"layer{stage}.{block}.", stage > 1 and block == 0
            inner = step(x, place, 1, 2 if halved else 1).clamp(min=0)
            if halved:
                padded = torch.zeros(len(x), 2 * x.shape[1], *x.shape[2:], dtype=x.dtype)
                padded[:, x.shape[1] // 2 : -x.shape[1] // 2] = x
                x = padded[:, :, ::2, ::2]
            x = (step(inner, place, 2, 1) + x).clamp(min=0)
    expected = x.mean(dim=(2, 3)).numpy()
    assert_allclose(teacher.embed(list(images[:8])).values, expected, atol=1e-4)


def test_an_image_of_its_size_is_read_as_it_is(teacher: CifarResNetTeacher, cifar: Any) -> None:
    images, _ = cifar
    assert (teacher._prepare(None, images[0]) == images[0]).all()


def test_larger_images_are_shrunk_and_cut(teacher: CifarResNetTeacher, pictures: list[Any]) -> None:
    from PIL import Image

    tall = pictures[1]  # 48 x 32
    assert (teacher._prepare(None, tall) == tall[8:40]).all()
    wide = pictures[2]  # 20 x 64
    shrunk = Image.fromarray(wide).resize((102, 32), Image.Resampling.BICUBIC)
    assert (teacher._prepare(None, wide) == np.asarray(shrunk)[:, 35:67]).all()


def test_size_changes_what_it_sees(teacher: CifarResNetTeacher, pictures: list[Any]) -> None:
    larger = CifarResNetTeacher(20, size=64, weights_dir=teacher.weights_dir)
    assert larger._prepare(None, pictures[0]).shape == (64, 64, 3)
    assert np.abs(larger.embed(pictures).values - teacher.embed(pictures).values).max() > 0.1


def test_a_changed_parameter_loads_again(shared: Path, pictures: list[Any]) -> None:
    teacher = CifarResNetTeacher(20, weights_dir=shared / "weights")
    shallow = teacher.embed(pictures).values
    deep = CifarResNetTeacher(32, weights_dir=shared / "weights").embed(pictures).values
    np.testing.assert_array_equal(teacher.set_params(layers=32).embed(pictures).values, deep)
    assert np.abs(deep - shallow).max() > 0.1


def test_keeps_the_promises(
    teacher: CifarResNetTeacher, pictures: list[Any], tmp_path: Path
) -> None:
    promises.check_fits_the_protocol(teacher)
    promises.check_rows_line_up(teacher, pictures)
    promises.check_forms_do_not_matter(teacher, pictures, tmp_path)
    promises.check_batches_do_not_matter(teacher, pictures)
    promises.check_travels(teacher, pictures)


def test_many_images_are_decoded_in_parts(
    teacher: CifarResNetTeacher, cifar: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    items: list[Any] = [*cifar[0][:10], b"", *cifar[0][10:15]]
    whole = teacher.embed(items)
    monkeypatch.setattr("molkd.teachers.vision.network.DECODED", 4)
    parts = teacher.embed(items)
    assert parts.failures == whole.failures
    assert list(parts.failures) == [10]
    assert_allclose(parts.values, whole.values, atol=1e-5)


def test_digest() -> None:
    teacher = CifarResNetTeacher()
    promises.check_digest_ignores(teacher, device="meta", batch_size=1, weights_dir="elsewhere")
    promises.check_digest_tells(teacher, size=64)
    promises.check_digest_tells(teacher, layers=32)


def test_other_weights_are_refused(tmp_path: Path, pictures: list[Any]) -> None:
    teacher = CifarResNetTeacher(weights_dir=tmp_path)
    (name,) = teacher.card.sha256
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_bytes(b"not these")
    with pytest.raises(WeightsError, match=f"{name} is not the published file"):
        teacher.embed(pictures)


@pytest.mark.parametrize("wrong", [{"layers": 18}, {"size": 0}, {"device": 3}, {"batch_size": 0}])
def test_wrong_parameters(wrong: dict[str, Any], pictures: list[Any]) -> None:
    with pytest.raises(InvalidParameterError):
        CifarResNetTeacher().set_params(**wrong).embed(pictures)


@pytest.mark.parametrize(("layers", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85)])
def test_as_many_parameters_as_published(layers: int, millions: float) -> None:
    count = sum(parameter.numel() for parameter in CifarResNet(layers).parameters())
    assert round(count / 1e6, 2) == millions
