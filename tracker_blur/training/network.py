"""The detection network.

Plain 3x3 convolutions are what processors run fastest in 8 bits, and what those with bf16 units
train fastest. The feature pyramid follows Lin, Dollár, Girshick et al., "Feature Pyramid
Networks", CVPR 2017, arXiv 1612.03144; one prediction per cell follows Ge, Liu, Wang et al.,
"YOLOX", 2021, arXiv 2107.08430.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from torch import Tensor, nn

STRIDES = (8, 16, 32)
"""Image pixels per cell of each output map."""

MEAN, SCALE = 127.5, 1 / 64
"""Images are normalized to (value - MEAN) * SCALE."""

BOX_CHANNELS = 4

_PRIOR = 0.01  # the score that every cell starts with (Lin et al., arXiv 1708.02002)


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """Width and depth of the network. Checkpoints and model cards hold these field names.

    Attributes:
        classes: Number of object classes.
        stem: Channels at strides 2 and 4.
        body: Channels at strides 8, 16 and 32.
        depth: Residual blocks at strides 4, 8, 16 and 32.
        neck: Channels of the feature pyramid and of the heads.
        tower: Convolutions of each head before its output.
    """

    classes: int = 1
    stem: tuple[int, int] = (16, 24)
    body: tuple[int, int, int] = (48, 80, 96)
    depth: tuple[int, int, int, int] = (0, 3, 2, 2)
    neck: int = 48
    tower: int = 1

    def scaled(self, width: float) -> NetworkShape:
        """Return the shape with `width` times as many channels, in multiples of 8."""
        half, quarter = (_multiple_of_8(width * channels) for channels in self.stem)
        small, medium, large = (_multiple_of_8(width * channels) for channels in self.body)
        neck = _multiple_of_8(width * self.neck)
        return replace(self, stem=(half, quarter), body=(small, medium, large), neck=neck)


def _multiple_of_8(channels: float) -> int:
    return 8 * max(1, round(channels / 8))


class ConvBlock(nn.Sequential):
    """Convolution, batch normalization, ReLU; the export folds them into one."""

    def __init__(self, inputs: int, outputs: int, size: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
            nn.BatchNorm2d(outputs, momentum=0.03),
            nn.ReLU(inplace=True),
        )


class ResidualBlock(nn.Module):
    """A block whose input is added to its output."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block = ConvBlock(channels, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Return refined features of the same shape (N, channels, rows, columns)."""
        refined: Tensor = features + self.block(features)
        return refined


def _stage(inputs: int, outputs: int, depth: int) -> nn.Sequential:
    # OpenCV, which ran the first networks, took four times as long for convolutions of stride 2.
    downsampling = nn.MaxPool2d(2), ConvBlock(inputs, outputs)
    return nn.Sequential(*downsampling, *(ResidualBlock(outputs) for _ in range(depth)))


class Network(nn.Module):
    """A single-stage detector with a feature pyramid and one head per stride.

    It takes images of shape (N, 3, rows, columns), BGR, 0 to 255; rows and columns are multiples of
    32. It returns three maps, one per stride, of shape (N, classes + 4, rows / stride,
    columns / stride): class logits, then the box as center x and y relative to the cell's center,
    and the logarithms of width and height, all in cells.

    Checkpoints hold the names of the submodules.
    """

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        half, quarter = shape.stem
        small, medium, large = shape.body
        neck = shape.neck
        self.stem = nn.Sequential(
            ConvBlock(3, half, stride=2), _stage(half, quarter, shape.depth[0])
        )
        self.small = _stage(quarter, small, shape.depth[1])
        self.medium = _stage(small, medium, shape.depth[2])
        self.large = _stage(medium, large, shape.depth[3])
        self.lateral = nn.ModuleList(ConvBlock(width, neck, size=1) for width in shape.body)
        self.merge = nn.ModuleList(ConvBlock(neck, neck) for _ in STRIDES[1:])
        self.heads = nn.ModuleList(_head(shape) for _ in STRIDES)
        self._initialize_weights()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the maps of strides 8, 16 and 32."""
        return self.maps((images - MEAN) * SCALE)

    def maps(self, normalized: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the maps of images that are already normalized."""
        small = self.small(self.stem(normalized))
        medium = self.medium(small)
        coarse = self.lateral[2](self.large(medium))
        middle = self.merge[1](self.lateral[1](medium) + _upsample(coarse))
        fine = self.merge[0](self.lateral[0](small) + _upsample(middle))
        return self.heads[0](fine), self.heads[1](middle), self.heads[2](coarse)

    def _initialize_weights(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        for head in self.heads:
            output = head[-1]
            nn.init.normal_(output.weight, std=0.01)
            nn.init.zeros_(output.bias)
            bias = math.log(_PRIOR / (1 - _PRIOR))
            nn.init.constant_(output.bias[: self.shape.classes], bias)


def _head(shape: NetworkShape) -> nn.Sequential:
    # One per stride: normalization statistics shared by all strides fit none of them.
    tower = (ConvBlock(shape.neck, shape.neck) for _ in range(shape.tower))
    return nn.Sequential(*tower, nn.Conv2d(shape.neck, shape.classes + BOX_CHANNELS, 1))


def _upsample(features: Tensor) -> Tensor:
    return nn.functional.interpolate(features, scale_factor=2.0, mode="nearest")
