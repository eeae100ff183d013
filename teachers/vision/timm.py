"""Any image encoder of the library timm, as a teacher."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, ClassVar

import torch
from PIL.Image import Resampling
from torch import nn

from molkd.errors import ConfigError, MissingExtraError, UnknownNameError, WeightsError
from molkd.items.images.decoding import Picture
from molkd.runtime import devices
from molkd.runtime.registry import near
from molkd.teachers.base.card_facts import UNSTATED
from molkd.teachers.vision import pixels
from molkd.teachers.vision.network import ImageArray, ImageNetworkTeacher
from molkd.types import Matrix, TeacherCard


@dataclass(frozen=True, slots=True)
class _Ready:
    """A loaded model and how it wants its images.

    Attributes:
        model: without its classifier.
        size: pixels of each side.
        shortest: pixels of the shorter side before the centre is cut out.
        resample: a value of `PIL.Image.Resampling`.
        mean: per channel.
        sd: per channel.
    """

    model: nn.Module
    size: int
    shortest: int
    resample: int
    mean: tuple[float, ...]
    sd: tuple[float, ...]


class TimmTeacher(ImageNetworkTeacher[_Ready]):
    """What a model of timm gives without its classifier.

    An image is resized, cut and normalised as the model's own configuration says, by Pillow. The
    name with its tag ("vit_small_patch16_224.augreg_in21k") says which weights are meant; timm
    downloads them, and molkd keeps no checksum of them.

    Attributes:
        model: name in timm, with the tag of its weights.
        device: where torch computes, a name of `molkd.runtime.devices.choose`.
        batch_size: images per forward pass.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **ImageNetworkTeacher._parameter_constraints,  # noqa: SLF001
        "model": [str],
    }

    def __init__(self, model: str, *, device: str = "cpu", batch_size: int = 16) -> None:
        self.model = model
        self.device = device
        self.batch_size = batch_size

    @property
    def card(self) -> TeacherCard:
        """What the model is; builds it without weights to learn its width.

        Raises:
            InvalidParameterError: a parameter has another type or value than documented.
            MissingExtraError: timm is not installed.
            UnknownNameError: timm has no such model.
        """
        self._validate_params()
        timm = _timm()
        with torch.device("meta"):
            model = self._create(timm, pretrained=False)
        return TeacherCard(
            name=f"timm:{self.model}",
            kind="image network",
            modality="images",
            dim=int(getattr(model, "head_hidden_size", None) or model.num_features),
            support="real",
            source=f"timm {version('timm')}, model {self.model}",
            license=UNSTATED,
            limits="sees an image in the size that its configuration says",
            options={"model": self.model},
            versions={package: version(package) for package in ("timm", "pillow")},
        )

    def _create(self, timm: Any, *, pretrained: bool) -> Any:
        if not timm.is_model(self.model):
            raise UnknownNameError(
                f"timm has no model {self.model!r}.{near(self.model, timm.list_models())}"
            )
        return timm.create_model(self.model, pretrained=pretrained, num_classes=0)

    def _load(self) -> _Ready:
        timm = _timm()
        try:
            model = self._create(timm, pretrained=True)
        except (OSError, RuntimeError) as error:
            raise WeightsError(f"timm cannot load the weights of {self.model}: {error}") from error
        facts = timm.data.resolve_model_data_config(model)
        _, height, width = facts["input_size"]
        if height != width or facts.get("crop_mode", "center") != "center":
            raise ConfigError(f"{self.model} wants images that are cut in another way than squares")
        return _Ready(
            model=model.eval().requires_grad_(requires_grad=False).to(devices.choose(self.device)),
            size=height,
            shortest=max(height, int(height / facts["crop_pct"])),
            resample=Resampling[facts["interpolation"].upper()],
            mean=tuple(facts["mean"]),
            sd=tuple(facts["std"]),
        )

    def _prepare(self, loaded: _Ready, picture: Picture) -> ImageArray:
        fitted = pixels.fitted(picture, loaded.shortest, loaded.resample)
        return pixels.centred(fitted, loaded.size, loaded.size)

    def _encode(self, loaded: _Ready, batch: ImageArray) -> Matrix:
        values = pixels.normalised(batch, loaded.mean, loaded.sd)
        return (
            loaded.model(torch.from_numpy(values).to(devices.of(loaded.model)))
            .float()
            .cpu()
            .numpy()
        )


def _timm() -> Any:
    try:
        import timm  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError as error:
        raise MissingExtraError("models of timm need timm: pip install 'molkd[timm]'") from error
    return timm
