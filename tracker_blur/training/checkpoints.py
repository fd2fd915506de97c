"""Checkpoints: what it takes to go on with a training.

Not to the same numbers: the state of random numbers is not kept, so that other canvases follow, nor
are the false alarms found, so that they are looked for anew.
"""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from tracker_blur.errors import ModelError, SettingsError
from tracker_blur.files.atomic import replacing
from tracker_blur.training.network import Shape

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
