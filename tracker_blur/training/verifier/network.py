"""The verifier's network: plain convolutions over a crop, and one number for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from tracker_blur.classifiers.crops import SIDE_PX
from tracker_blur.errors import SettingsError
from tracker_blur.training.initial_weights import make_identity, stored_convolutions
from tracker_blur.training.network import MEAN, SCALE, ConvBlock

if TYPE_CHECKING:
    from pathlib import Path

_POOLED_AFTER = (0, 1, 3, 5)  # numbers of the blocks before a reduction to half the size
_LAST_SIDE = SIDE_PX >> len(_POOLED_AFTER)
_DROPPED_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class VerifierShape:
    """Width of the network. Checkpoints and model cards hold these field names.

    Attributes:
        channels: Channels of each of the seven convolutions.
    """

    channels: tuple[int, ...] = (16, 32, 48, 64, 80, 96, 96)

    def scaled(self, width: float) -> VerifierShape:
        """Return the shape with `width` times as many channels, in multiples of 8."""
        return VerifierShape(tuple(8 * max(1, round(width * one / 8)) for one in self.channels))


class VerifierNetwork(nn.Module):
    """Says of crops whether they show an object.

    It takes crops of shape (N, 3, 64, 64), BGR, 0 to 255, and returns answers of shape (N, 1): the
    higher, the likelier. Checkpoints hold the names of the submodules.
    """

    def __init__(self, shape: VerifierShape) -> None:
        super().__init__()
        self.shape = shape
        layers: list[nn.Module] = []
        before = 3
        for number, channels in enumerate(shape.channels):
            layers.append(ConvBlock(before, channels))
            if number in _POOLED_AFTER:
                layers.append(nn.MaxPool2d(2))
            before = channels
        self.features = nn.Sequential(*layers)
        # As a convolution that covers all that is left: `quantizing` knows no other layer.
        self.answer = nn.Sequential(nn.Dropout(_DROPPED_SHARE), nn.Conv2d(before, 1, _LAST_SIDE))

    def forward(self, crops: Tensor) -> Tensor:
        """Return the answers, shape (N, 1)."""
        return self.answers((crops - MEAN) * SCALE)

    def answers(self, normalized: Tensor) -> Tensor:
        """Return the answers to crops that are already normalized, shape (N, 1)."""
        return torch.flatten(self.answer(self.features(normalized)), 1)


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
    stored = stored_convolutions(file)
    blocks = [block for block in network.features if isinstance(block, ConvBlock)]
    last = network.answer[-1]
    modules = [*(block[0] for block in blocks), last]
    shapes = [module.weight.shape for module in modules]
    if len(stored) % len(modules) == 0:
        stored = stored[: len(modules)]
    if [weight.shape for weight, _ in stored] != shapes:
        raise SettingsError(
            f"{file}: its network has another shape: start with a file of 'trackblur train --task "
            "verify' with the same --width"
        )
    for module, (weight, _) in zip(modules, stored, strict=True):
        module.weight.copy_(weight)
    for block, (_, bias) in zip(blocks, stored, strict=False):
        make_identity(block[1], bias)
    last.bias.copy_(stored[-1][1])
