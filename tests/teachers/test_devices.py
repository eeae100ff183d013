"""Every teacher that runs a network takes the same devices and refuses others in the same words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from molkd import cli, teachers
from molkd.cli import options
from molkd.errors import ConfigError
from molkd.runtime import devices
from molkd.teachers.base.precision import no_tf32
from molkd.teachers.hub import known
from molkd.teachers.hub.images import HubVisionTeacher
from molkd.teachers.hub.smiles import HuggingFaceTeacher
from molkd.teachers.hub.texts import SentenceEncoder
from tests.teachers import tiny_models
from tests.teachers.text import tiny_encoders
from tests.teachers.vision import tiny_vision


def _has_device(name: str) -> bool:
    made = teachers.make(name)
    return hasattr(made, "get_params") and "device" in cast("Any", made).get_params()


OFFLINE = [name for name in teachers.names() if name not in known.KNOWN and _has_device(name)]
"""All that run a network and need no hub; of those that do there are `TINY` ones."""
TINY: dict[str, tuple[type[Any], Callable[[Path], Path]]] = {
    "smiles": (HuggingFaceTeacher, tiny_models.roberta),
    "texts": (SentenceEncoder, tiny_encoders.bert),
    "static": (SentenceEncoder, tiny_encoders.static),
    "images": (HubVisionTeacher, tiny_vision.vit),
}
ITEMS = {
    "molecules": ["CCO", "c1ccccc1O", "CC(=O)NC"],
    "texts": ["my card", "where is the cat", "lost"],
    "images": list(np.random.default_rng(0).integers(0, 256, (3, 40, 32, 3), dtype=np.uint8)),
}


@pytest.fixture(scope="module", params=[*OFFLINE, *TINY])
def teacher(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    if request.param in TINY:
        family, make = TINY[request.param]
        return family(str(make(tmp_path_factory.mktemp("device") / request.param)))
    return teachers.make(request.param, weights_dir=request.getfixturevalue("shared") / "weights")


def test_any_device_gives_the_same_rows(teacher: Any) -> None:
    items = ITEMS[teacher.card.modality]
    expected = teacher.set_params(device="cpu").embed(items)
    assert not expected.failures
    for device in ("auto", *(f"{one}{index}" for one in _accelerators() for index in ("", ":0"))):
        values = teacher.set_params(device=device).embed(items).values
        np.testing.assert_allclose(values, expected.values, rtol=1e-4, atol=1e-4)


def _accelerators() -> list[str]:
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    return [*(["cuda"] if cuda else []), *(["mps"] if mps else [])]


@pytest.mark.parametrize("device", ["nonsense", "cuda:99", "cpu:x", "meta", ""])
def test_other_devices_are_refused(teacher: Any, device: str) -> None:
    with pytest.raises(
        ConfigError,
        match=f"device '{device}' is not available here: use auto, cpu, cuda, cuda:N or mps",
    ):
        teacher.set_params(device=device).embed(ITEMS[teacher.card.modality])


def test_a_gpu_that_is_not_there_is_refused(teacher: Any) -> None:
    for device in {"cuda", "mps"} - set(_accelerators()):
        with pytest.raises(ConfigError, match=f"device '{device}' is not available here"):
            teacher.set_params(device=device).embed(ITEMS[teacher.card.modality])


def test_the_card_does_not_depend_on_the_device(teacher: Any) -> None:
    digests = {
        teacher.set_params(device=device).card.digest
        for device in ("cpu", "cpu:0", "auto", "cuda", "cuda:1", "mps")
    }
    assert len(digests) == 1


def test_the_families_with_a_device_are_found() -> None:
    assert {"molclr-gcn", "chemical-vae", "bimodal", "resnet20-cifar10"} <= set(OFFLINE)


def test_the_command_refuses_a_device_for_a_teacher_without_one(tmp_path: Path) -> None:
    (tmp_path / "in.smi").write_text("CCO\n")
    command = ["teachers", "embed", "maccs", "-i", str(tmp_path / "in.smi"), "--device", "abacus"]
    with pytest.raises(ConfigError, match="device 'abacus' is not available here"):
        cli.app([*command, "-o", str(tmp_path / "out.npz")], standalone_mode=False)


def test_auto_on_the_cpu_uses_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "usable_cores", lambda: 7)
    for there, expected in ((False, 7), (True, 1)):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
        assert options.processes(None, "auto") == expected
        assert options.processes(3, "auto") == 3


def test_the_command_takes_auto(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "in.smi").write_text("CCO\n")
    command = ["teachers", "embed", "molclr-gcn", "-i", str(tmp_path / "in.smi"), "--device"]
    output = ["-o", str(tmp_path / "out.npz"), "--weights-dir", str(shared / "weights")]
    cli.app([*command, "auto", *output], standalone_mode=False)
    assert (tmp_path / "out.npz").is_file()


def test_auto_takes_the_first_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert devices.choose("auto").type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert devices.choose("auto").type == "cuda"


@pytest.mark.parametrize("newer", [False, True])
def test_tf32_is_off_within_and_as_before_after(newer: bool) -> None:
    products: Any = torch.backends.cuda.matmul
    if newer:
        products.fp32_precision = "tf32"
    else:
        torch.set_float32_matmul_precision("high")
    try:
        with no_tf32():
            assert products.fp32_precision == "ieee"
            assert not torch.backends.cudnn.allow_tf32
            assert torch.backends.cudnn.enabled, "or convolutions are slow"
        assert products.fp32_precision == "tf32"
        assert torch.backends.cudnn.allow_tf32
    finally:
        products.fp32_precision = "none"
        torch.set_float32_matmul_precision("highest")


@pytest.mark.parametrize("family", ["smiles", "texts", "static", "images", "molclr-gcn"])
def test_every_family_computes_without_tf32(
    family: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if family in TINY:
        kind, make = TINY[family]
        teacher = kind(str(make(tmp_path / family)))
    else:
        teacher = teachers.make(family, weights_dir=request.getfixturevalue("shared") / "weights")
    seen: list[bool] = []
    original = torch.Tensor.cpu

    def cpu(tensor: torch.Tensor) -> torch.Tensor:
        seen.append(torch.backends.cuda.matmul.allow_tf32)
        return original(tensor)

    monkeypatch.setattr(torch.Tensor, "cpu", cpu)
    torch.set_float32_matmul_precision("high")
    try:
        teacher.embed(ITEMS[teacher.card.modality])
    finally:
        torch.set_float32_matmul_precision("highest")
    assert set(seen) == {False}
