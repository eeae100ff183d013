"""Encoders of the hub: preprocessing, pooling, cards and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from sklearn.utils._param_validation import InvalidParameterError

from molkd import teachers
from molkd.errors import ConfigError, WeightsError
from molkd.teachers.hub.images import HubVisionTeacher
from molkd.teachers.hub.known import KNOWN, named
from molkd.teachers.through import ViewedTeacher

from . import promises, tiny_vision


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tiny models by name."""
    top = tmp_path_factory.mktemp("vision")
    return {name: make(top / name) for name, make in tiny_vision.MODELS.items()}


@pytest.fixture
def vit(models: dict[str, Path], tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(models["vit"], tmp_path / "vit"))


def prepared(picture: Any, facts: dict[str, Any]) -> torch.Tensor:
    """What preprocessor_config.json says, step by step in float64; shape (1, 3, h, w)."""
    image = Image.fromarray(picture)
    size, crop, percent = facts["size"], facts.get("crop_size"), facts.get("crop_pct")
    if isinstance(size, int):
        size, crop = {"height": size, "width": size}, None
    if "shortest_edge" in size:
        shortest = size["shortest_edge"]
        if percent:
            crop = {"height": shortest, "width": shortest}
            shortest = int(shortest / percent)
        scale = shortest / min(image.size)
        wide, high = (int(scale * side + 1e-9) for side in image.size)
    else:
        wide, high = size["width"], size["height"]
    image = image.resize((wide, high), Image.Resampling(facts["resample"]))
    if crop:
        left, top = (wide - crop["width"]) // 2, (high - crop["height"]) // 2
        image = image.crop((left, top, left + crop["width"], top + crop["height"]))
    values = np.asarray(image).astype(np.float64) / 255
    values = (values - facts["image_mean"]) / facts["image_std"]
    return torch.from_numpy(values.transpose(2, 0, 1)[None].astype(np.float32))


def expected(folder: Path, name: str, pictures: list[Any], pooling: str) -> Any:
    """The library's own model, one image at a time."""
    facts = json.loads((folder / "preprocessor_config.json").read_text())
    whole: Any = transformers.AutoModel.from_pretrained(folder).eval()
    model = whole.vision_model if name == "clip" else whole
    rows = []
    for picture in pictures:
        with torch.no_grad():
            output = model(pixel_values=prepared(picture, facts))
        if pooling == "features":
            rows.append(whole.visual_projection(output.pooler_output)[0].detach())
        elif pooling == "pooler":
            rows.append(output.pooler_output[0].flatten())
        elif pooling == "cls":
            rows.append(output.last_hidden_state[0, 0])
        else:
            states = output.last_hidden_state[0]
            before = {"vit": 1, "deit": 2, "dinov2": 1, "registers": 4, "beit": 1, "clip": 1}
            rows.append(
                states.mean(dim=(1, 2))
                if states.ndim == 3
                else states[before.get(name, 0) :].mean(0)
            )
    return torch.stack(rows).numpy()


USUAL = {"vit": "cls", "deit": "cls", "dinov2": "cls", "registers": "cls", "clip": "features"}


@pytest.mark.parametrize("name", tiny_vision.MODELS)
def test_equals_the_librarys_own_model(
    models: dict[str, Path], name: str, pictures: list[Any]
) -> None:
    teacher = HubVisionTeacher(str(models[name]))
    values = teacher.embed(pictures).values
    wanted = expected(models[name], name, pictures, USUAL.get(name, "pooler"))
    assert values.shape == (len(pictures), tiny_vision.WIDTHS.get(name, 24))
    np.testing.assert_allclose(values, wanted, atol=2e-4)
    assert teacher.card.options["pooling"] == USUAL.get(name, "pooler")


@pytest.mark.parametrize("pooling", ["pooler", "cls", "mean"])
@pytest.mark.parametrize("name", tiny_vision.MODELS)
def test_every_pooling(
    models: dict[str, Path], name: str, pooling: Any, pictures: list[Any]
) -> None:
    teacher = HubVisionTeacher(str(models[name]), pooling=pooling)
    if pooling == "cls" and name in {"swin", "convnext", "resnet"}:
        with pytest.raises(ConfigError, match="no class token"):
            teacher.embed(pictures[:1])
        return
    values = teacher.embed(pictures[:2]).values
    assert values.shape[1] == teacher.card.dim
    np.testing.assert_allclose(
        values, expected(models[name], name, pictures[:2], pooling), atol=2e-4
    )


@pytest.mark.parametrize("name", ["vit", "clip", "convnext"])
def test_keeps_the_promises(
    models: dict[str, Path], name: str, pictures: list[Any], tmp_path: Path
) -> None:
    teacher = HubVisionTeacher(str(models[name]))
    promises.check_fits_the_protocol(teacher)
    promises.check_rows_line_up(teacher, pictures)
    promises.check_forms_do_not_matter(teacher, pictures, tmp_path)
    promises.check_batches_do_not_matter(teacher, pictures)
    promises.check_travels(teacher, pictures)


def test_images_that_stay_of_different_sizes(vit: Path, pictures: list[Any]) -> None:
    """A network of places reads each at its own size; rows still line up."""
    folder = tiny_vision.resnet(vit.parent / "resnet")
    facts = json.loads((folder / "preprocessor_config.json").read_text())
    del facts["crop_pct"]
    facts |= {"image_processor_type": "BitImageProcessor", "do_center_crop": False}
    (folder / "preprocessor_config.json").write_text(json.dumps(facts))
    teacher = HubVisionTeacher(str(folder), batch_size=64)
    np.testing.assert_allclose(
        teacher.embed(pictures).values,
        expected(folder, "resnet", pictures, "pooler"),
        atol=2e-4,
    )


def test_lines_are_refused(models: dict[str, Path], pictures: list[Any]) -> None:
    line = np.zeros((2, 300, 3), dtype=np.uint8)
    embedded = HubVisionTeacher(str(models["vit"])).embed([pictures[0], line, pictures[1]])
    assert list(embedded.failures) == [1]
    assert "300 x 2 pixels: one side is more than 100 times the other" in embedded.failures[1]


# == Cards


def test_digest(models: dict[str, Path], vit: Path) -> None:
    teacher = HubVisionTeacher(str(vit))
    assert set(teacher.card.sha256) == {
        "config.json",
        "model.safetensors",
        "preprocessor_config.json",
    }
    before = teacher.card.digest
    promises.check_digest_ignores(teacher, device="meta", batch_size=1)
    promises.check_digest_tells(teacher, pooling="mean")
    assert HubVisionTeacher(str(models["vit"])).card.digest == before
    facts = json.loads((vit / "preprocessor_config.json").read_text())
    (vit / "preprocessor_config.json").write_text(json.dumps({**facts, "resample": 3}))
    resampled = HubVisionTeacher(str(vit)).card.digest
    tiny_vision.vit(vit, seed=1)
    assert len({before, resampled, HubVisionTeacher(str(vit)).card.digest}) == 3


def test_name_and_license_can_be_given(models: dict[str, Path]) -> None:
    card = HubVisionTeacher(str(models["vit"]), name="mine", license="MIT").card
    assert (card.name, card.license, card.source) == ("mine", "MIT", "local directory")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache and no network."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def test_named_cards_need_neither_network_nor_weights(offline: Path) -> None:
    for model in named("images"):
        name = model.name
        card = teachers.make(name).card
        assert (card.name, card.dim, card.license) == (name, model.dim, model.license)
        assert (card.modality, card.options["pooling"]) == ("images", model.options["pooling"])
        assert model.hub in card.source
        with pytest.raises(WeightsError, match=f"hf download {model.hub}"):
            teachers.make(name).embed([np.zeros((4, 4, 3), dtype=np.uint8)])


def test_widths_of_named_cards_are_those_of_their_architectures() -> None:
    """As the library builds them by default, which is what the papers call base."""
    swin = transformers.SwinConfig(embed_dim=128, depths=[2, 2, 18, 2], num_heads=[4, 8, 16, 32])
    assert KNOWN["swin-base-patch4-window7-224"].dim == swin.hidden_size
    assert KNOWN["vit-base-patch16-224-in21k"].dim == transformers.ViTConfig().hidden_size
    assert KNOWN["beit-base-patch16-224"].dim == transformers.BeitConfig().hidden_size
    assert KNOWN["dinov2-base"].dim == transformers.Dinov2Config().hidden_size
    assert KNOWN["clip-vit-base-patch32"].dim == transformers.CLIPConfig().projection_dim


def test_a_cached_model_is_known_by_its_commit(offline: Path, models: dict[str, Path]) -> None:
    top = offline / "models--someone--eye"
    snapshot = top / "snapshots" / ("a" * 40)
    shutil.copytree(models["vit"], snapshot)
    (top / "refs").mkdir()
    (top / "refs" / "main").write_text("a" * 40)
    card = HubVisionTeacher("someone/eye").card
    assert (card.name, card.options["revision"], card.sha256) == ("eye", "a" * 40, {})
    picture = np.zeros((8, 8, 3), dtype=np.uint8)
    np.testing.assert_array_equal(
        HubVisionTeacher("someone/eye").embed([picture]).values,
        HubVisionTeacher(str(models["vit"])).embed([picture]).values,
    )


# == What is refused


def test_a_pooler_without_weights(tmp_path: Path, pictures: list[Any]) -> None:
    folder = tiny_vision.vit(tmp_path / "bare", pooler=False)
    assert np.isfinite(HubVisionTeacher(str(folder)).embed(pictures).values).all()
    with pytest.raises(WeightsError, match="no weights of its pooler"):
        HubVisionTeacher(str(folder), pooling="pooler").embed(pictures)


def test_no_preprocessing(vit: Path, pictures: list[Any]) -> None:
    (vit / "preprocessor_config.json").unlink()
    with pytest.raises(WeightsError, match=r"preprocessor_config\.json"):
        HubVisionTeacher(str(vit)).embed(pictures)


def test_pickled_weights(vit: Path, pictures: list[Any]) -> None:
    (vit / "model.safetensors").rename(vit / "pytorch_model.bin")
    with pytest.raises(WeightsError, match="loads no pickled weights"):
        HubVisionTeacher(str(vit)).embed(pictures)


def test_a_model_with_code_of_its_own(vit: Path, pictures: list[Any]) -> None:
    config = json.loads((vit / "config.json").read_text())
    config |= {"model_type": "seer", "auto_map": {"AutoModel": "code.Seer"}}
    (vit / "config.json").write_text(json.dumps(config))
    (vit / "code.py").write_text(f"open({str(vit / 'ran')!r}, 'w')")
    with pytest.raises(WeightsError, match="runs no code that comes with a checkpoint"):
        HubVisionTeacher(str(vit)).embed(pictures)
    assert not (vit / "ran").exists()


def test_preprocessing_with_code_of_its_own(vit: Path, pictures: list[Any]) -> None:
    own = {"image_processor_type": "Own", "auto_map": {"AutoImageProcessor": "code.Own"}}
    (vit / "preprocessor_config.json").write_text(json.dumps(own))
    (vit / "code.py").write_text(f"open({str(vit / 'ran')!r}, 'w')\nclass Own: pass")
    with pytest.raises(WeightsError, match="how images are prepared"):
        HubVisionTeacher(str(vit)).embed(pictures)
    assert not (vit / "ran").exists()


def test_no_directory() -> None:
    with pytest.raises(WeightsError, match="no directory /nowhere/eye"):
        _ = HubVisionTeacher("/nowhere/eye").card


def test_features_of_a_model_without_texts(models: dict[str, Path], pictures: list[Any]) -> None:
    with pytest.raises(ConfigError, match="was not trained with texts"):
        HubVisionTeacher(str(models["vit"]), pooling="features").embed(pictures)


def test_a_model_that_hides_patches(tmp_path: Path, pictures: list[Any]) -> None:
    config = transformers.ViTMAEConfig(hidden_size=24, num_hidden_layers=1, num_attention_heads=2)
    config.save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match="hides patches at random"):
        HubVisionTeacher(str(tmp_path)).embed(pictures)


def test_wrong_pooling(models: dict[str, Path]) -> None:
    with pytest.raises(InvalidParameterError, match="pooling"):
        _ = HubVisionTeacher(str(models["vit"]), pooling="max").card  # type: ignore[arg-type]


# == By name


def test_prefixes(models: dict[str, Path]) -> None:
    teacher: Any = teachers.make(f"hf-vision:{models['vit']}", device="cpu")
    assert teacher.card.name == "vit"
    viewed: Any = teachers.make(f"depict:hf-vision:{models['clip']}")
    assert isinstance(viewed, ViewedTeacher)
    assert viewed.view.size == 224
    embedded = viewed.embed(["CCO", "xx", "c1ccccc1"])
    assert list(embedded.failures) == [1]
    assert np.abs(embedded.values[0] - embedded.values[2]).max() > 1e-3
