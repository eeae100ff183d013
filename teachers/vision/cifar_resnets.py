"""Residual networks of 20 to 56 layers that were trained to tell the ten classes of CIFAR-10.

Source: He et al. 2016, https://arxiv.org/abs/1512.03385, section 4.2; weights of Yerlan Idelbayev,
https://github.com/akamaster/pytorch_resnet_cifar10.
"""

from __future__ import annotations

import os
from numbers import Integral
from typing import Any, ClassVar, cast

import PIL
import torch
from PIL.Image import Resampling
from sklearn.utils._param_validation import Interval, Options
from torch import Tensor, nn

from molkd.items.images.decoding import Picture
from molkd.runtime import devices
from molkd.teachers.base.weights import WeightFile, load_torch
from molkd.teachers.vision import pixels
from molkd.teachers.vision.network import ImageArray, ImageNetworkTeacher
from molkd.types import Matrix, TeacherCard

COMMIT = "d5489e8"
REPOSITORY = "akamaster/pytorch_resnet_cifar10"
SHA256 = {
    20: "12fca82f0bebc4135bf1f32f6e3710e61d5108578464b84fd6d7f5c1b04036c8",
    32: "d509ac1820d7f25398913559d7e81a13229b1e7adc5648e3bfa5e22dc137f850",
    44: "014dd6541728a1c700b1642ab640e211dc6eb8ed507d70697458dc8f8a0ae2e4",
    56: "4bfd97631478d6b638d2764fd2baff3edb1d7d82252d54439343b6596b9b5367",
}
"""Layers -> checksum, of which a file's name holds the beginning."""
WIDTHS = (16, 32, 64)
"""Channels of the three stages; each but the first halves height and width."""
CLASSES = 10


class Block(nn.Module):
    """Two convolutions beside a shortcut, which has no weights.

    Where channels grow, the shortcut takes every other pixel and adds channels of zeros on both
    sides.
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.grown = after - before
        stride = 2 if self.grown else 1
        self.conv1 = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)

    def forward(self, states: Tensor) -> Tensor:
        """Returns the next states; shape (b, after, h', w')."""
        inner = self.bn2(self.conv2(self.bn1(self.conv1(states)).relu()))
        if self.grown:
            both = (self.grown // 2, self.grown // 2)
            states = nn.functional.pad(states[:, :, ::2, ::2], (0, 0, 0, 0, *both))
        return cast("Tensor", inner + states).relu()


class CifarResNet(nn.Module):
    """The network; it reads images of any size, for it ends with the mean over all places."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTHS[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        blocks = (layers - 2) // 6
        self.layer1 = _stage(WIDTHS[0], WIDTHS[0], blocks)
        self.layer2 = _stage(WIDTHS[0], WIDTHS[1], blocks)
        self.layer3 = _stage(WIDTHS[1], WIDTHS[2], blocks)
        self.linear = nn.Linear(WIDTHS[2], CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        """Embeds normalised images.

        Args:
            pixels: shape (b, 3, h, w).

        Returns:
            Shape (b, 64); `linear` of it are the scores of the classes.
        """
        states = self.bn1(self.conv1(pixels)).relu()
        return cast("Tensor", self.layer3(self.layer2(self.layer1(states)))).mean(dim=(2, 3))


def _stage(before: int, after: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(*(Block(after if index else before, after) for index in range(blocks)))


class CifarResNetTeacher(ImageNetworkTeacher[CifarResNet]):
    """A residual network of CIFAR-10: the mean over all places before its classifier.

    An image is resized so that its shorter side has `size` pixels (bicubic), and its centre is
    cut out.

    Attributes:
        layers: 20, 32, 44 or 56.
        size: pixels of each side of what the network reads. It was trained on 32 and reads any.
        weights_dir: folder that holds the weights; None leaves the search to
            `molkd.teachers.base.weights.locate`.
        device: where the network runs, a name of `molkd.runtime.devices.choose`.
        batch_size: images per forward pass.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **ImageNetworkTeacher._parameter_constraints,  # noqa: SLF001
        "layers": [Options(Integral, set(SHA256))],
        "size": [Interval(Integral, 4, 1024, closed="both")],
        "weights_dir": [str, os.PathLike, None],
    }

    def __init__(
        self,
        layers: int = 20,
        *,
        size: int = 32,
        weights_dir: str | os.PathLike[str] | None = None,
        device: str = "cpu",
        batch_size: int = 16,
    ) -> None:
        self.layers = layers
        self.size = size
        self.weights_dir = weights_dir
        self.device = device
        self.batch_size = batch_size

    @property
    def weights(self) -> WeightFile:
        """The published file.

        Raises:
            InvalidParameterError: no such number of layers, or another parameter is wrong.
        """
        self._validate_params()
        checksum = SHA256[self.layers]
        name = f"resnet{self.layers}-{checksum[:8]}.th"
        return WeightFile(
            path=f"resnet-cifar10/{name}",
            sha256=checksum,
            url=f"https://github.com/{REPOSITORY}/raw/{COMMIT}/pretrained_models/{name}",
        )

    @property
    def card(self) -> TeacherCard:
        """What the teacher is; needs no weights."""
        weights = self.weights
        return TeacherCard(
            name=f"resnet{self.layers}-cifar10",
            kind="image network",
            modality="images",
            dim=WIDTHS[-1],
            support="real",
            source=f"arXiv:1512.03385; https://github.com/{REPOSITORY} at {COMMIT}",
            license="BSD-2-Clause",
            limits="sees what remains of an image at 32 x 32 pixels, unless a size is given",
            sha256={weights.path: weights.sha256},
            options={"size": self.size},
            versions={"pillow": PIL.__version__},
        )

    def _load(self) -> CifarResNet:
        network = CifarResNet(self.layers)
        archive = cast("dict[str, Any]", load_torch(self.weights, self.weights_dir))
        states = {
            name.removeprefix("module."): value for name, value in archive["state_dict"].items()
        }
        network.load_state_dict(states)
        network.eval().requires_grad_(requires_grad=False).to(devices.choose(self.device))
        return network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def _prepare(self, loaded: CifarResNet, picture: Picture) -> ImageArray:  # noqa: ARG002
        fitted = pixels.fitted(picture, self.size, Resampling.BICUBIC)
        return pixels.centred(fitted, self.size, self.size)

    def _encode(self, loaded: CifarResNet, batch: ImageArray) -> Matrix:
        values = pixels.normalised(batch, pixels.IMAGENET_MEAN, pixels.IMAGENET_SD)
        return loaded(torch.from_numpy(values).to(devices.of(loaded))).cpu().numpy()
