"""The verifier's network: inverted residual blocks over a crop, and one number for it.

It is the first two thirds of EfficientNet-Lite0, so that its published weights, which know the
things of ImageNet, can be started with: Tan, Le, "EfficientNet: Rethinking Model Scaling for
Convolutional Neural Networks", ICML 2019, arXiv 1905.11946; Sandler, Howard, Zhu et al.,
"MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018, arXiv 1801.04381.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from tracker_blur.classifiers.crops import SIDE_PX
from tracker_blur.errors import SettingsError
from tracker_blur.training.initial_weights import make_identity, stored_convolutions
from tracker_blur.training.network import MEAN, SCALE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DROPPED_SHARE = 0.2


class _Stage(NamedTuple):
    """Blocks that follow each other.

    Attributes:
        size: Of their depthwise convolutions.
        stride: Of the first one.
        expansion: How many times as many channels they have inside.
    """

    size: int
    stride: int
    expansion: int


_STAGES = (_Stage(3, 1, 1), _Stage(3, 2, 6), _Stage(5, 2, 6), _Stage(3, 2, 6), _Stage(5, 1, 6))
_STRIDE = 16  # of all of them, with the stem


@dataclass(frozen=True, slots=True)
class VerifierShape:
    """Width and depth of the network. Checkpoints and model cards hold these field names.

    Attributes:
        stem: Channels of the first convolution.
        channels: Channels between the blocks of each stage.
        depth: Blocks of each stage.
    """

    stem: int = 32
    channels: tuple[int, ...] = (16, 24, 40, 80, 112)
    depth: tuple[int, ...] = (1, 2, 2, 3, 3)

    def scaled(self, width: float) -> VerifierShape:
        """Return the shape with `width` times as many channels, in multiples of 8."""
        stem, *channels = (
            8 * max(1, round(width * one / 8)) for one in (self.stem, *self.channels)
        )
        return VerifierShape(stem, tuple(channels), self.depth)


class ConvUnit(nn.Sequential):
    """Convolution, batch normalization and, but for projections, ReLU6; the export folds them."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int = 1,
        stride: int = 1,
        *,
        groups: int = 1,
        is_projection: bool = False,
    ) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03),
            nn.Identity() if is_projection else nn.ReLU6(inplace=True),
        )


class InvertedResidual(nn.Module):
    """A block that widens, convolves each channel alone, and projects back."""

    def __init__(self, inputs: int, outputs: int, stride: int, stage: _Stage) -> None:
        super().__init__()
        inner = inputs * stage.expansion
        widen = [ConvUnit(inputs, inner)] if stage.expansion > 1 else []
        self.units = nn.Sequential(
            *widen,
            ConvUnit(inner, inner, stage.size, stride, groups=inner),
            ConvUnit(inner, outputs, is_projection=True),
        )
        self._is_residual = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        """Return features of shape (N, outputs, rows / stride, columns / stride)."""
        refined: Tensor = self.units(features)
        return features + refined if self._is_residual else refined


class VerifierNetwork(nn.Module):
    """Says of crops whether they show an object.

    It takes crops of shape (N, 3, 64, 64), BGR, 0 to 255, and returns answers of shape (N, 1): the
    higher, the likelier. Checkpoints hold the names of the submodules.
    """

    def __init__(self, shape: VerifierShape) -> None:
        super().__init__()
        self.shape = shape
        self.stem = ConvUnit(3, shape.stem, 3, 2)
        blocks = []
        before = shape.stem
        for stage, channels, depth in zip(_STAGES, shape.channels, shape.depth, strict=True):
            for number in range(depth):
                stride = stage.stride if number == 0 else 1
                blocks.append(InvertedResidual(before, channels, stride, stage))
                before = channels
        self.blocks = nn.Sequential(*blocks)
        # As a convolution that covers all that is left: `initial_weights` knows no other layer.
        last = nn.Conv2d(before, 1, SIDE_PX // _STRIDE)
        self.answer = nn.Sequential(nn.Dropout(_DROPPED_SHARE), last)
        self.to(memory_format=torch.channels_last)  # 1.8 times as fast on processors

    def forward(self, crops: Tensor) -> Tensor:
        """Return the answers, shape (N, 1)."""
        return self.answers((crops - MEAN) * SCALE)

    def answers(self, normalized: Tensor) -> Tensor:
        """Return the answers to crops that are already normalized, shape (N, 1)."""
        features = self.stem(normalized.contiguous(memory_format=torch.channels_last))
        return torch.flatten(self.answer(self.blocks(features)), 1)

    def units(self) -> Iterator[ConvUnit]:
        """Yield all convolutions but the last one, in the order of execution."""
        return (module for module in self.modules() if isinstance(module, ConvUnit))


@torch.no_grad()
def load_verifier_weights(network: VerifierNetwork, file: Path) -> None:
    """Give the network the weights of a verifier's ONNX file; call `calibrate_normalization` next.

    Of a file that holds several networks (`joining`), it takes the newest one, whose layers come
    first.

    Raises:
        ModelError: The file was not written by `trackblur train --task verify`.
        SettingsError: Its network has another shape.
        MissingPackageError: The package onnx is missing.
    """
    units, last = list(network.units()), network.answer[-1]
    modules = [*(unit[0] for unit in units), last]
    stored = stored_convolutions(file)[: len(modules)]
    if [weight.shape for weight, _ in stored] != [module.weight.shape for module in modules]:
        raise SettingsError(
            f"{file}: its network has another shape: start with a file of 'trackblur train --task "
            "verify' with the same --width"
        )
    for module, (weight, _) in zip(modules, stored, strict=True):
        module.weight.copy_(weight)
    *biases, last_bias = (bias for _, bias in stored)
    for unit, bias in zip(units, biases, strict=True):
        make_identity(unit[1], bias)
    last.bias.copy_(last_bias)
