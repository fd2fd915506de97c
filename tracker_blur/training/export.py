"""Results of a training: NAME.onnx, which `tracker_blur.detectors.onnx` runs, and its model card.

Cards follow Mitchell, Wu, Zaldivar et al., "Model Cards for Model Reporting", FAT* 2019, arXiv
1810.03993. Validation is here, too: it runs a network as the detector will.
"""

from __future__ import annotations

import copy
import hashlib
import io
import math
import os
import warnings
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from tracker_blur.detectors.onnx import from_content
from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.files.atomic import replacing
from tracker_blur.training.evaluation.measure import detect_images, score_detections
from tracker_blur.training.network import STRIDES, Network
from tracker_blur.training.recipe import (
    GeometricAugmentation,
    Plan,
    TrainingData,
    check_class_names,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tracker_blur.training.checkpoints import TrainingState
    from tracker_blur.training.datasets import AnnotatedImage
    from tracker_blur.training.loop import Validate

_OPSET = 12  # what OpenCV 4.10 reads without exception
_TRACED_PX = 64

_SMALLEST_VALIDATED_PX = 8.0
_MAX_VALIDATED = 300  # validation must not take longer than training


def onnx_bytes(network: Network, classes: Sequence[str]) -> bytes:
    """Return the network as ONNX; it takes normalized images whose sides are multiples of 32.

    Whoever reads the images normalizes them: OpenCV does it for nothing then, while it would take
    two passes over the image in the network. Batch normalizations are folded into the convolutions.

    OpenCV shows little more of an ONNX file than the names of its outputs, so these carry what a
    detector must know: "trackblur2/STRIDE/CLASS+CLASS".

    Raises:
        SettingsError: A class name cannot be stored, or their number is not the network's.
    """
    check_class_names(classes)
    if len(classes) != network.shape.classes:
        raise SettingsError(f"{len(classes)} class names: the network has {network.shape.classes}")
    names = [f"trackblur2/{stride}/{'+'.join(classes)}" for stride in STRIDES]
    file = io.BytesIO()
    plain = copy.deepcopy(network).cpu().float().eval()
    image = torch.zeros(1, 3, _TRACED_PX, _TRACED_PX)
    with warnings.catch_warnings():
        # The newer exporter needs two more packages and writes operators OpenCV cannot read.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _WithoutNormalization(plain),
            (image,),
            file,
            dynamo=False,
            opset_version=_OPSET,
            input_names=["picture"],
            output_names=names,
            dynamic_axes={name: {2: "rows", 3: "columns"} for name in ("picture", *names)},
        )
    return file.getvalue()


class _WithoutNormalization(nn.Module):
    """The network for images that are already normalized."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.network.maps(images)


def validation_sample(images: Sequence[AnnotatedImage]) -> Sequence[AnnotatedImage]:
    """Return a few hundred of the images, evenly spread."""
    return images[:: max(1, math.ceil(len(images) / _MAX_VALIDATED))]


def make_validator(
    images: Sequence[AnnotatedImage], classes: Sequence[str], geometry: GeometricAugmentation
) -> Validate:
    """Return a function that returns a network's AP50, averaged over the classes.

    Images are widened by the middle of the range by which training widens them.
    """
    sample = validation_sample(images)
    widening = math.sqrt(math.prod(geometry.widened))

    def validate(network: Network) -> float:
        detector = from_content("the network", onnx_bytes(network, classes))
        detections = list(detect_images(detector, sample, 1.0, widening))
        precisions = [
            score_detections(sample, detections, label, _SMALLEST_VALIDATED_PX).ap50
            for label in classes
        ]
        return float(np.nanmean(precisions)) if not np.isnan(precisions).all() else 0.0

    return validate


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a model card states.

    Attributes:
        name: Name of the network.
        classes: Classes that it detects.
        parameters: Number of its parameters.
        recipe: Settings and their values.
        trained_on: Images to train on, with pseudo-labels.
        validated_on: Images to validate on.
        metrics: Figures on the validation images.
        licenses: Licenses as the user states them.
        initial_weights: Name and SHA-256 of the file it started with; None for random weights.
    """

    name: str
    classes: tuple[str, ...]
    parameters: int
    recipe: Mapping[str, object]
    trained_on: Sequence[AnnotatedImage]
    validated_on: Sequence[AnnotatedImage]
    metrics: Mapping[str, float]
    licenses: str
    initial_weights: tuple[str, str] | None


def model_card(facts: CardFacts, network: bytes) -> str:
    """Return the card as Markdown; `network` is the content of the ONNX file."""
    lines = [
        f"# {facts.name}",
        "",
        f"Detects: {', '.join(facts.classes)}. {facts.parameters} parameters, "
        f"{len(network)} bytes, made by `trackblur train`.",
        "",
        f"SHA-256 of {facts.name}.onnx: `{hashlib.sha256(network).hexdigest()}`",
        "",
        "## Data",
        "",
        "| folder | images to train on | boxes | images to validate on |",
        "|---|---|---|---|",
        *_folder_rows(facts),
        "",
        f"Licenses: {facts.licenses}.",
        "",
        _initial_weights_sentence(facts),
        "",
        "## Recipe",
        "",
        *(f"- {setting}: {value}" for setting, value in facts.recipe.items()),
        "",
        "## Reached",
        "",
        "On the images set aside for validation, by which the training was also watched. Measure "
        "it on others with `trackblur evaluate`.",
        "",
        *(f"- {metric}: {value:.3f}" for metric, value in facts.metrics.items()),
        "",
        "## Limits",
        "",
        "It knows what its images show. People and objects that are rare in them are detected less "
        "often: read `trackblur evaluate --report` on images of your own before you trust it.",
    ]
    return "\n".join(lines) + "\n"


def _folder_rows(facts: CardFacts) -> list[str]:
    trained, validated = _by_folder(facts.trained_on), _by_folder(facts.validated_on)
    rows = []
    for folder in sorted({*trained, *validated}):
        images = trained.get(folder, [])
        boxes = sum(len(image.objects) for image in images)
        rows.append(f"| {folder} | {len(images)} | {boxes} | {len(validated.get(folder, []))} |")
    return rows


def _by_folder(images: Sequence[AnnotatedImage]) -> dict[str, list[AnnotatedImage]]:
    by_folder: dict[str, list[AnnotatedImage]] = {}
    for image in images:
        by_folder.setdefault(image.path.parent.name, []).append(image)
    return by_folder


def _initial_weights_sentence(facts: CardFacts) -> str:
    if facts.initial_weights is None:
        return "It started with random weights."
    name, digest = facts.initial_weights
    return (
        f"It started with the weights of {name} (SHA-256 `{digest}`): what that network was "
        "trained on, and under which licenses, applies to this one, too."
    )


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
    """Write the network and its card, replacing those of an earlier run.

    Args:
        plan: What was trained and how.
        data: The images of the plan.
        state: The state at the end.
        network: The averaged network.
        images: Images to train on, with pseudo-labels.
        processes: Number of processes that trained together.

    Raises:
        SinkError: A file cannot be written.
        SourceError: A validation image cannot be read.
    """
    path, content = network_file(plan), onnx_bytes(network, data.classes)
    with replacing(path, overwrite=True) as file:
        file.write_bytes(content)
    start = plan.initial_weights
    facts = CardFacts(
        plan.name,
        data.classes,
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
        ap50 = make_validator(data.val, data.classes, plan.augmentation.geometry)(network)
    return {f"AP50 (objects of {_SMALLEST_VALIDATED_PX:g} px and more)": ap50}


def _recipe(plan: Plan, state: TrainingState, processes: int) -> dict[str, object]:
    recipe = asdict(plan.recipe)
    del recipe["steps"], recipe["minutes"]
    return {
        "batches": state.step,
        "asked for": _requested_lengths(state.lengths),
        **recipe,
        "batch": f"{plan.batch} in each of {processes} processes" if processes > 1 else plan.batch,
        "side of a canvas, in pixels": plan.augmentation.side_px,
        "poses": asdict(plan.augmentation.geometry),
        "seed": plan.seed,
        "shape": asdict(state.shape),
        "teachers": ", ".join(plan.teachers) or "none",
        "shares of folders": dict(plan.shares) or "equal",
        "PyTorch": torch.__version__,
    }


def _requested_lengths(lengths: Sequence[str]) -> str:
    resumed = " (resumed: the learning rate rose again to where each new length put it)"
    return ", then ".join(lengths) + resumed * (len(lengths) > 1)
