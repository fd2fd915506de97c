"""Checkpoints, and the provenance by which one is recognized as of the same training.

A resumed training does not repeat the numbers of an uninterrupted one: a checkpoint holds neither
the state of the random numbers nor the hard negatives, which are mined again. It must keep to the
images and settings it began with, or the model card would name what the network never saw.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from tracker_blur.errors import ModelError, SettingsError, SourceError, reason_of
from tracker_blur.files.atomic import replacing
from tracker_blur.training.network import NetworkShape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracker_blur.training.datasets import AnnotatedImage
    from tracker_blur.training.recipe import Plan, TrainingData

_VERSION = 3  # 2: of a network with one head for all strides

_FREE_SETTINGS = {
    "dataset",  # it may be moved: its images are compared
    "name",
    "folder",
    "initial_weights",  # the file may be moved: its content is compared
    "weights_folder",
    "joined_with",
    "licences",
    "steps",
    "minutes",
    "report_every",
    "save_every_s",
    "judge_every",
    "workers",
    "threads",
    "device",
}
"""Settings that do not change what is learned, and so may change from one run to the next."""

_STORED_AS_DIGEST = ("pictures", "weights to start")


@dataclass(slots=True)
class TrainingState:
    """State of a training. Checkpoints hold it under these field names.

    Attributes:
        shape: Shape of the network, a dataclass.
        classes: Names of the classes, in the order of their numbers.
        step: Batches learned from.
        seconds: Time spent, over all runs.
        network: Weights of the network.
        average: Their exponential moving average.
        optimizer: State of the optimizer.
        history: One row per report: step, seconds, losses, and figures such as ap50 if validated.
        lengths: Requested lengths, "2000 batches" or "10 minutes"; several if it was extended.
        made_from: Provenance; empty in checkpoints of versions that did not note it.
    """

    shape: Any
    classes: tuple[str, ...]
    step: int = 0
    seconds: float = 0.0
    network: dict[str, Any] = field(default_factory=dict)
    average: dict[str, Any] = field(default_factory=dict)
    optimizer: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    lengths: list[str] = field(default_factory=list)
    made_from: dict[str, str] = field(default_factory=dict)


def save(state: TrainingState, path: Path) -> None:
    """Write a checkpoint; if that is interrupted, the previous one stays whole.

    Raises:
        SinkError: The file cannot be written.
        ModelError: Weights are not finite.
    """
    if not _is_finite(state):
        raise ModelError(
            f"{path}: left as it was, since the new weights are not finite numbers: delete "
            f"{path.parent} and train again"
        )
    content = {name: getattr(state, name) for name in TrainingState.__dataclass_fields__}
    content |= {"version": _VERSION, "shape": asdict(state.shape)}
    buffer = io.BytesIO()  # on a full disk, torch would only say that it failed
    torch.save(content, buffer)
    with replacing(path, overwrite=True) as partial:
        partial.write_bytes(buffer.getbuffer())


def load(path: Path, shape_type: type[Any] = NetworkShape) -> TrainingState:
    """Return the state that a checkpoint holds.

    Args:
        path: The checkpoint.
        shape_type: Class of the network's shape.

    Raises:
        SettingsError: The file is damaged, or was not written by this version's `save`.
        ModelError: Weights are not finite.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        version = content.pop("version")
        content["shape"] = shape_type(**content["shape"])
        state = TrainingState(**content)
    except Exception as error:  # torch raises many types for a damaged file
        raise SettingsError(
            f"{path}: not a checkpoint of trackblur train, or damaged: delete {path.parent}, or "
            "train under another --name"
        ) from error
    if version != _VERSION:
        raise SettingsError(
            f"{path}: written by another version of trackblur: delete it, or train under another "
            "--name"
        )
    if not _is_finite(state):
        raise ModelError(
            f"{path}: its weights are not finite numbers: delete {path.parent} and train again"
        )
    return state


def _is_finite(state: TrainingState) -> bool:
    weights = (*state.network.values(), *state.average.values())
    return all(bool(torch.isfinite(tensor).all()) for tensor in weights)


def provenance(plan: Plan, data: TrainingData, processes: int) -> dict[str, str]:
    """Return, by name, each setting that decides what is learned, and digests of the images.

    A digest of images covers names, sizes, boxes and ignored regions, not the files' content.

    Args:
        plan: What to train on and how.
        data: The images of the plan.
        processes: Number of processes that train together, each on batches of its own.

    Raises:
        SourceError: The initial weights cannot be read.
    """
    settings = {name: str(value) for name, value in _leaves(asdict(plan))}
    fixed = {name: value for name, value in settings.items() if name not in _FREE_SETTINGS}
    initial_weights = plan.initial_weights
    # Checkpoints hold these names.
    return fixed | {
        "classes": ", ".join(data.classes),
        "processes": str(processes),
        "weights to start with": _file_digest(initial_weights) if initial_weights else "random",
        "pictures to train on": _images_digest(data.train, plan.dataset),
        "pictures to validate on": _images_digest(data.val, plan.dataset),
    }


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return what differs from `before`, in words; a setting that no longer exists does not."""
    changed = {name: was for name, was in before.items() if now.get(name, was) != was}
    return [
        f"different {name.replace('pictures', 'images')}"
        if name.startswith(_STORED_AS_DIGEST)
        else f"{name} {was} (not {now.get(name)})"
        for name, was in changed.items()
    ]


def _leaves(settings: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return names and values, those of nested settings in their place."""
    leaves: list[tuple[str, Any]] = []
    for name, value in settings.items():
        if name == "shares":  # its keys are folders, not settings
            leaves.append((name, dict(sorted(value.items()))))
        elif isinstance(value, dict):
            leaves += _leaves(value)
        else:
            leaves.append((name, value))
    return leaves


def _file_digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        reason = reason_of(error)
        raise SourceError(f"{path}: cannot read these weights ({reason}): check --start") from error


def _images_digest(images: Sequence[AnnotatedImage], folder: Path) -> str:
    rows = sorted(
        (
            Path(os.path.relpath(image.path, folder)).as_posix(),
            image.size,
            [(label, box.as_tuple()) for label, box in image.objects],
            [box.as_tuple() for box in image.ignored],
        )
        for image in images
    )
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()
