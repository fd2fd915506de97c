"""Model cards, after Mitchell, Wu, Zaldivar et al., "Model Cards for Model Reporting", FAT* 2019.

arXiv 1810.03993.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracker_blur.training.checkpoints import TrainingState
    from tracker_blur.training.datasets import AnnotatedImage
    from tracker_blur.training.recipe import Plan


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a model card states.

    Attributes:
        name: Name of the network.
        purpose: What it does, and for which classes.
        parameters: Number of its parameters.
        recipe: Settings and their values.
        trained_on: Images to train on, with pseudo-labels.
        validated_on: Images to validate on.
        metrics: Figures on the validation images.
        licenses: Licenses as the user states them.
        initial_weights: Name and SHA-256 of the file it started with; None for random weights.
        notes: What else there is to say about the data.
    """

    name: str
    purpose: str
    parameters: int
    recipe: Mapping[str, object]
    trained_on: Sequence[AnnotatedImage]
    validated_on: Sequence[AnnotatedImage]
    metrics: Mapping[str, float]
    licenses: str
    initial_weights: tuple[str, str] | None
    notes: tuple[str, ...] = ()


def model_card(facts: CardFacts, network: bytes) -> str:
    """Return the card as Markdown; `network` is the content of the ONNX file."""
    lines = [
        f"# {facts.name}",
        "",
        f"{facts.purpose}. {facts.parameters} parameters, {len(network)} bytes, made by "
        "`trackblur train`.",
        "",
        f"SHA-256 of {facts.name}.onnx: `{hashlib.sha256(network).hexdigest()}`",
        "",
        "## Data",
        "",
        "| folder | images to train on | boxes | images to validate on |",
        "|---|---|---|---|",
        *_folder_rows(facts),
        "",
        *(line for note in facts.notes for line in (note, "")),
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
        "On the images set aside for validation, by which the training was also watched, and by "
        "the network before it was rounded to 8 bits. Measure the file on others with "
        "`trackblur evaluate`.",
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


def common_settings(plan: Plan, state: TrainingState, processes: int) -> dict[str, object]:
    """Return the settings that the cards of all tasks state, and their values."""
    recipe = asdict(plan.recipe)
    del recipe["steps"], recipe["minutes"]
    return {
        "batches": state.step,
        "asked for": _requested_lengths(state.lengths),
        **recipe,
        "batch": f"{plan.batch} in each of {processes} processes" if processes > 1 else plan.batch,
        "seed": plan.seed,
        "shape": asdict(state.shape),
        "teachers": ", ".join(plan.teachers) or "none",
        "shares of folders": dict(plan.shares) or "equal",
        "PyTorch": torch.__version__,
    }


def _requested_lengths(lengths: Sequence[str]) -> str:
    resumed = " (resumed: the learning rate rose again to where each new length put it)"
    return ", then ".join(lengths) + resumed * (len(lengths) > 1)
