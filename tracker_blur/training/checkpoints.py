"""Checkpoints: what it takes to go on with a training.

Not to the same numbers: the state of random numbers is not kept, so that other canvases follow, nor
are the false alarms found, so that they are looked for anew.

What a training learns from, and by which settings: one that goes on must keep to both.

Otherwise the model card would tell of pictures and settings that the network never saw.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from tracker_blur.errors import ModelError, SettingsError, SourceError, reason_of
from tracker_blur.files.atomic import replacing
from tracker_blur.training.datasets import Annotated
from tracker_blur.training.network import Shape
from tracker_blur.training.recipe import Material, Plan

_VERSION = 3  # 2: of a network with one head for all strides


@dataclass(slots=True)
class State:
    """A training's state.

    step       batches learned from
    seconds    time spent, over all runs
    network    weights; `average` the averaged ones, `optimizer` the optimizer's numbers
    history    one row a report: step, seconds, score_loss, box_loss, and ap50 where it was judged
    lengths    what was asked for, "2000 batches" or "10 minutes": more than one where it went on
    made_from  pictures and settings, as `provenance` has them; empty where nobody noted them
    """

    shape: Shape
    classes: tuple[str, ...]
    step: int = 0
    seconds: float = 0.0
    network: dict[str, Any] = field(default_factory=dict)
    average: dict[str, Any] = field(default_factory=dict)
    optimizer: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    lengths: list[str] = field(default_factory=list)
    made_from: dict[str, str] = field(default_factory=dict)


def save(state: State, path: Path) -> None:
    """Write a checkpoint; an interruption leaves the one before it whole.

    Raises SinkError when it cannot be written, and ModelError when the weights are no numbers.
    """
    if not _is_sound(state):
        raise ModelError(
            f"{path}: left as it was: the weights are no numbers any more: delete {path.parent}, "
            "train anew"
        )
    content = {name: getattr(state, name) for name in State.__dataclass_fields__}
    content |= {"version": _VERSION, "shape": asdict(state.shape)}
    made = io.BytesIO()  # of a full disk torch says no more than that it failed
    torch.save(content, made)
    with replacing(path, overwrite=True) as partial:
        partial.write_bytes(made.getbuffer())


def load(path: Path) -> State:
    """Return the checkpoint.

    Raises SettingsError when the file is none of ours, or damaged, and ModelError when its weights
    are no numbers.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        version = content.pop("version")
        content["shape"] = Shape(**content["shape"])
        state = State(**content)
    except Exception as error:  # torch raises many kinds for a damaged file
        raise SettingsError(
            f"{path}: not a checkpoint of trackblur train, or damaged: delete {path.parent}, or "
            "train under another --name"
        ) from error
    if version != _VERSION:
        raise SettingsError(
            f"{path}: of another version of trackblur: delete it, or train under another name"
        )
    if not _is_sound(state):
        raise ModelError(f"{path}: its weights are no numbers: delete {path.parent}, train anew")
    return state


def _is_sound(state: State) -> bool:
    weights = (*state.network.values(), *state.average.values())
    return all(bool(torch.isfinite(numbers).all()) for numbers in weights)


_FREE = {
    "dataset",  # it may be moved: its pictures are compared
    "name",
    "folder",
    "start",  # it may be moved: what it holds is compared
    "weights",
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
"""Settings that may change from one run to the next: they do not change what is learned."""


_BY_DIGEST = ("pictures", "weights to start")


def provenance(plan: Plan, read: Material, processes: int) -> dict[str, str]:
    """Return, by name, each setting that decides what is learned, and digests of the pictures.

    processes   that train together, each on batches of its own

    A digest of pictures is of names, sizes, boxes and ignored regions, not of what the files hold.
    Raises SourceError when the weights to start with cannot be read.
    """
    settings = {name: str(value) for name, value in _leaves(asdict(plan)) if name not in _FREE}
    return settings | {
        "classes": ", ".join(read.classes),
        "processes": str(processes),
        "weights to start with": _digest_of_file(plan.start) if plan.start else "random",
        "pictures to train on": _digest(read.train, plan.dataset),
        "pictures to validate on": _digest(read.val, plan.dataset),
    }


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return what of `before` is otherwise `now`, for people to read."""
    return [
        f"other {name}" if name.startswith(_BY_DIGEST) else f"{name} {was} (not {now.get(name)})"
        for name, was in before.items()
        if now.get(name) != was
    ]


def _leaves(settings: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return names and values, those of nested settings in their place."""
    found: list[tuple[str, Any]] = []
    for name, value in settings.items():
        if name == "shares":  # folders' names are no settings
            found.append((name, dict(sorted(value.items()))))
        elif isinstance(value, dict):
            found += _leaves(value)
        else:
            found.append((name, value))
    return found


def _digest_of_file(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        reason = reason_of(error)
        raise SourceError(f"{path}: cannot read these weights ({reason}): check --start") from error


def _digest(pictures: Sequence[Annotated], folder: Path) -> str:
    rows = sorted(
        (
            Path(os.path.relpath(picture.path, folder)).as_posix(),
            picture.size,
            [(label, box.as_tuple()) for label, box in picture.things],
            [box.as_tuple() for box in picture.ignored],
        )
        for picture in pictures
    )
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()
