"""Results of a training: NAME.onnx, which `tracker_blur.detectors.onnx` runs, and its model card.

Validation is here, too: it runs a network as the detector will.
"""

from __future__ import annotations

import copy
import math
import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from tracker_blur.detectors.onnx import from_content, network_input
from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.files.atomic import replacing
from tracker_blur.training.card import CardFacts, common_settings, model_card
from tracker_blur.training.data import load_image
from tracker_blur.training.evaluation.detecting import detect_images
from tracker_blur.training.evaluation.measure import score_detections
from tracker_blur.training.network import STRIDES, Network
from tracker_blur.training.onnx_files import traced
from tracker_blur.training.quantizing import INPUTS, quantized
from tracker_blur.training.recipe import (
    GeometricAugmentation,
    Plan,
    TrainingData,
    check_class_names,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tracker_blur.training.checkpoints import TrainingState
    from tracker_blur.training.datasets import AnnotatedImage
    from tracker_blur.training.loop import Validate

_TRACED_PX = 64

_SMALLEST_VALIDATED_PX = 8.0
_MAX_VALIDATED = 300  # validation must not take longer than training


def onnx_bytes(network: Network, classes: Sequence[str]) -> bytes:
    """Return the network as ONNX; it takes normalized images whose sides are multiples of 32.

    The reader of the images normalizes them by a table, while it would take two passes over the
    image in the network. Batch normalizations are folded into the convolutions.

    The names of the outputs carry what a detector must know: "trackblur2/STRIDE/CLASS+CLASS".

    Raises:
        SettingsError: A class name cannot be stored, or their number is not the network's.
    """
    check_class_names(classes)
    if len(classes) != network.shape.classes:
        raise SettingsError(f"{len(classes)} class names: the network has {network.shape.classes}")
    names = [f"trackblur2/{stride}/{'+'.join(classes)}" for stride in STRIDES]
    plain = copy.deepcopy(network).cpu().float().eval()
    image = torch.zeros(1, 3, _TRACED_PX, _TRACED_PX)
    return traced(
        _WithoutNormalization(plain),
        image,
        "picture",
        names,
        {name: {2: "rows", 3: "columns"} for name in ("picture", *names)},
    )


class _WithoutNormalization(nn.Module):
    """The network for images that are already normalized."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.network.maps(images)


def evenly_spread(images: Sequence[AnnotatedImage], count: int) -> Sequence[AnnotatedImage]:
    """Return at most so many of the images, evenly spread."""
    return images[:: max(1, math.ceil(len(images) / count))]


def make_validator(
    images: Sequence[AnnotatedImage], classes: Sequence[str], geometry: GeometricAugmentation
) -> Validate[Network]:
    """Return a function that returns a network's "ap50", averaged over the classes.

    Images are widened by the middle of the range by which training widens them.
    """
    sample = evenly_spread(images, _MAX_VALIDATED)
    widening = math.sqrt(math.prod(geometry.widened))

    def validate(network: Network) -> dict[str, float]:
        detector = from_content("the network", onnx_bytes(network, classes))
        detections = list(detect_images(detector, sample, 1.0, widening))
        precisions = [
            score_detections(sample, detections, label, _SMALLEST_VALIDATED_PX).ap50
            for label in classes
        ]
        known = not np.isnan(precisions).all()
        return {"ap50": float(np.nanmean(precisions)) if known else 0.0}

    return validate


def network_file(plan: Plan) -> Path:
    """Return where the network is written; the card is next to it."""
    return plan.folder / f"{plan.name}.onnx"


def check_results(plan: Plan, resumes: bool) -> None:
    """Check that results may be written.

    Args:
        plan: Name and folder of the results.
        resumes: Whether there is a checkpoint of this name: existing results are its own then.

    Raises:
        SinkError: There are files of this name that no training wrote.
        SettingsError: The network would replace the file with the initial weights.
    """
    network = network_file(plan)
    start = plan.initial_weights
    if start and os.path.realpath(start) == os.path.realpath(network):
        raise SettingsError(f"{start}: the result would replace it: choose another --name")
    for path in (network, network.with_suffix(".md")):
        if not resumes and os.path.lexists(path):
            raise SinkError(
                f"{path}: already exists, and there is no checkpoint to resume from: choose "
                "another --name, or move it away"
            )


def write_results(
    plan: Plan,
    data: TrainingData,
    state: TrainingState,
    network: Network,
    images: Sequence[AnnotatedImage],
    processes: int,
) -> None:
    """Write the network, of 8 bits, and its card, replacing those of an earlier run.

    Args:
        plan: What was trained and how.
        data: The images of the plan.
        state: The state at the end.
        network: The averaged network.
        images: Images to train on, with pseudo-labels.
        processes: Number of processes that trained together.

    Raises:
        SinkError: A file cannot be written.
        SourceError: An image cannot be read.
        MissingPackageError: The package onnx is missing.
    """
    path = network_file(plan)
    classes = ", ".join(data.classes)
    content = quantized(
        onnx_bytes(network, data.classes),
        (network_input(load_image(image.path)[0]) for image in evenly_spread(images, INPUTS)),
        {"trackblur.task": "detect", "trackblur.classes": classes},
    )
    with replacing(path, overwrite=True) as file:
        file.write_bytes(content)
    start = plan.initial_weights
    facts = CardFacts(
        plan.name,
        f"Detects: {', '.join(data.classes)}",
        sum(parameter.numel() for parameter in network.parameters()),
        _recipe(plan, state, processes),
        images,
        data.val,
        _metrics(plan, data, state, network),
        plan.licences,
        (start.name, state.made_from["weights to start with"]) if start else None,
    )
    with replacing(path.with_suffix(".md"), overwrite=True) as file:
        file.write_text(model_card(facts, content), encoding="utf-8")


def _metrics(
    plan: Plan, data: TrainingData, state: TrainingState, network: Network
) -> dict[str, float]:
    """Return figures on the validation images, of the last validation or of one made now."""
    if not data.val:
        return {}
    last = state.history[-1] if state.history else {}
    if last.get("step") == state.step and "ap50" in last:
        ap50 = last["ap50"]
    else:  # it resumed from a checkpoint at its end
        ap50 = make_validator(data.val, data.classes, plan.augmentation.geometry)(network)["ap50"]
    return {f"AP50 (objects of {_SMALLEST_VALIDATED_PX:g} px and more)": ap50}


def _recipe(plan: Plan, state: TrainingState, processes: int) -> dict[str, object]:
    return common_settings(plan, state, processes) | {
        "side of a canvas, in pixels": plan.augmentation.side_px,
        "poses": asdict(plan.augmentation.geometry),
    }
