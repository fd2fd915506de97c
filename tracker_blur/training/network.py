"""The network: plain 3x3 convolutions, a small feature pyramid, a head at each of its strides.

Plain convolutions are what `cv2.dnn` runs fastest on any CPU (Winograd), and what CPUs with bf16
units train fastest. The pyramid follows Lin, Dollár, Girshick et al., "Feature Pyramid Networks",
CVPR 2017, arXiv 1612.03144; one guess a cell follows Ge, Liu, Wang et al., "YOLOX", 2021, arXiv
2107.08430.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from torch import Tensor, nn

STRIDES = (8, 16, 32)
"""Picture pixels a cell of each output map spans."""

MEAN, SCALE = 127.5, 1 / 64
"""Pictures are normalized to (value - MEAN) * SCALE."""

BOX_NUMBERS = 4
_PRIOR = 0.01  # the score that every cell starts with (Lin et al., arXiv 1708.02002)


@dataclass(frozen=True, slots=True)
class Shape:
    """How wide and deep the network is; a checkpoint carries it.

    classes   how many kinds of things it finds
    stem      channels at half size, then at a quarter
    body      channels at strides 8, 16 and 32
    depth     convolutions at strides 4, 8, 16 and 32 after the first one there
    neck      channels of the pyramid and of the heads
    tower     convolutions of each head
    """

    classes: int = 1
    stem: tuple[int, int] = (16, 24)
    body: tuple[int, int, int] = (48, 80, 96)
    depth: tuple[int, int, int, int] = (0, 3, 2, 2)
    neck: int = 48
    tower: int = 1

    def scaled(self, width: float) -> Shape:
        """Return the shape with `width` times as many channels, in multiples of 8."""
        half, quarter = (_eights(width * channels) for channels in self.stem)
        small, medium, large = (_eights(width * channels) for channels in self.body)
        neck = _eights(width * self.neck)
        return replace(self, stem=(half, quarter), body=(small, medium, large), neck=neck)


def _eights(channels: float) -> int:
    return 8 * max(1, round(channels / 8))


class Block(nn.Sequential):
    """Convolution, batch normalization, ReLU; export folds them into one."""

    def __init__(self, inputs: int, outputs: int, size: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
            nn.BatchNorm2d(outputs, momentum=0.03),
            nn.ReLU(inplace=True),
        )


class Residual(nn.Module):
    """A block whose input is added to its output."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block = Block(channels, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Return the features, refined; shape (N, channels, rows, columns)."""
        refined: Tensor = features + self.block(features)
        return refined


def _stage(inputs: int, outputs: int, depth: int) -> nn.Sequential:
    # A convolution of stride 2 costs four times as much as this: Winograd's method needs stride 1.
    reduced = nn.MaxPool2d(2), Block(inputs, outputs)
    return nn.Sequential(*reduced, *(Residual(outputs) for _ in range(depth)))


class Network(nn.Module):
    """Takes pictures of shape (N, 3, rows, columns), BGR, 0 to 255; both sides multiples of 32.

    Returns three maps, one a stride, of shape (N, classes + 4, rows / stride, columns / stride):
    logits of the classes, then the box: the center's x and y from the cell's own center, and the
    logarithms of width and height, all in cells.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        half, quarter = shape.stem
        small, medium, large = shape.body
        neck = shape.neck
        self.stem = nn.Sequential(Block(3, half, stride=2), _stage(half, quarter, shape.depth[0]))
        self.small = _stage(quarter, small, shape.depth[1])
        self.medium = _stage(small, medium, shape.depth[2])
        self.large = _stage(medium, large, shape.depth[3])
        self.lateral = nn.ModuleList(Block(width, neck, size=1) for width in shape.body)
        self.merge = nn.ModuleList(Block(neck, neck) for _ in STRIDES[1:])
        self.heads = nn.ModuleList(_head(shape) for _ in STRIDES)
        self._start_weights()

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the maps of strides 8, 16 and 32, as the class says."""
        return self.maps((pictures - MEAN) * SCALE)

    def maps(self, normalized: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the maps of pictures whose values are already normalized."""
        small = self.small(self.stem(normalized))
        medium = self.medium(small)
        coarse = self.lateral[2](self.large(medium))
        middle = self.merge[1](self.lateral[1](medium) + _doubled(coarse))
        fine = self.merge[0](self.lateral[0](small) + _doubled(middle))
        return self.heads[0](fine), self.heads[1](middle), self.heads[2](coarse)

    def _start_weights(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        for head in self.heads:
            output = head[-1]
            nn.init.normal_(output.weight, std=0.01)
            nn.init.zeros_(output.bias)
            bias = math.log(_PRIOR / (1 - _PRIOR))
            nn.init.constant_(output.bias[: self.shape.classes], bias)


def _head(shape: Shape) -> nn.Sequential:
    # One for each stride: normalizations that all strides share know none of them well.
    tower = (Block(shape.neck, shape.neck) for _ in range(shape.tower))
    return nn.Sequential(*tower, nn.Conv2d(shape.neck, shape.classes + BOX_NUMBERS, 1))


def _doubled(features: Tensor) -> Tensor:
    return nn.functional.interpolate(features, scale_factor=2.0, mode="nearest")
