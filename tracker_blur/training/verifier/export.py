"""The file that a verifier becomes: NAME.onnx, which `tracker_blur.classifiers` runs."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from tracker_blur.classifiers.crops import CONTEXT_RATIO, SIDE_PX
from tracker_blur.training.odds import PRIOR_ODDS
from tracker_blur.training.onnx_files import traced
from tracker_blur.training.quantizing import with_small_weights
from tracker_blur.training.recipe import check_class_names
from tracker_blur.training.verifier.naming import output_name

if TYPE_CHECKING:
    from tracker_blur.training.verifier.calibration import Calibration
    from tracker_blur.training.verifier.network import VerifierNetwork


def verifier_bytes(
    network: VerifierNetwork,
    label: str,
    calibration: Calibration,
    validated_on: int,
) -> bytes:
    """Return the network as ONNX, with weights of 8 bits.

    It takes one crop, cut out and normalized as `tracker_blur.classifiers.crops` does it, and
    returns log odds, shape (1, 1).

    Metadata properties and the name of the output state its class, and the metadata how it was
    calibrated: scale and offset are folded into its last layer.

    Args:
        network: The network.
        label: Its class.
        calibration: What makes log odds of its answers.
        validated_on: Number of crops that the calibration was fitted to.

    Raises:
        SettingsError: The name of the class cannot be stored.
        MissingPackageError: The package onnx is missing.
    """
    check_class_names([label])
    plain = calibrated(network, calibration).cpu().float().eval()
    content = traced(
        _WithoutNormalization(plain),
        torch.zeros(1, 3, SIDE_PX, SIDE_PX),
        "crop",
        [output_name(label)],
        {},
    )
    return with_small_weights(
        content,
        {
            "trackblur.task": "verify",
            "trackblur.class": label,
            "trackblur.calibration": json.dumps(
                asdict(calibration) | {"crops": validated_on, "prior_odds": PRIOR_ODDS}
            ),
            "trackblur.context": str(CONTEXT_RATIO),
        },
    )


@torch.no_grad()
def calibrated(network: VerifierNetwork, calibration: Calibration) -> VerifierNetwork:
    """Return a copy of the network whose answers are log odds."""
    copied = copy.deepcopy(network)
    last = copied.answer[-1]
    last.weight.mul_(calibration.scale)
    last.bias.mul_(calibration.scale).add_(calibration.offset)
    return copied


class _WithoutNormalization(nn.Module):
    """The network for crops that are already normalized."""

    def __init__(self, network: VerifierNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> Tensor:
        return self.network.answers(crops)
