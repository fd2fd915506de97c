"""What a training learns from, and by which settings: one that goes on must keep to both.

Otherwise the model card would tell of pictures and settings that the network never saw.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tracker_blur.errors import SourceError
from tracker_blur.training.datasets import Annotated
from tracker_blur.training.plan import Material, Plan

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
        reason = (error.strerror or str(error)).lower()
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
