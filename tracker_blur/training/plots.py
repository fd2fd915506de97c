"""Pictures about a training: what was read, and how it goes."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from tracker_blur.core.frame import Image
from tracker_blur.errors import MissingPackageError
from tracker_blur.files.atomic import replacing
from tracker_blur.training.scenes import Boxes, Scene

_TILE_PX = 200
_TILES = (8, 5)
_THING, _IGNORED = (0, 255, 0), (0, 0, 255)


def sheet(scenes: Sequence[Scene]) -> Image:
    """Return up to 40 scenes, evenly spread, as one picture: boxes green, ignored regions red."""
    columns, rows = _TILES
    count = min(len(scenes), columns * rows)
    chosen = [scenes[i * len(scenes) // count] for i in range(count)]
    tiles = [_tile(scene) for scene in chosen]
    blank = np.zeros((_TILE_PX, _TILE_PX, 3), np.uint8)
    tiles += [blank] * (-len(tiles) % columns)
    lines = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.asarray(np.vstack(lines), np.uint8)


def _tile(scene: Scene) -> Image:
    rows, columns = scene.image.shape[:2]
    scale = _TILE_PX / max(rows, columns)
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    tile = np.zeros((_TILE_PX, _TILE_PX, 3), np.uint8)
    tile[: size[1], : size[0]] = cv2.resize(scene.image, size, interpolation=cv2.INTER_AREA)
    _draw(tile, scene.ignored * scale, _IGNORED)
    _draw(tile, scene.boxes * scale, _THING)
    return tile


def _draw(image: Image, boxes: Boxes, color: tuple[int, int, int]) -> None:
    for left, top, right, bottom in np.rint(boxes).astype(int).tolist():
        cv2.rectangle(image, (left, top), (right, bottom), color, 1)


def write_jpeg(image: Image, path: Path) -> None:
    """Write a picture, over one that is there; raises SinkError."""
    _, content = cv2.imencode(".jpg", image)
    with replacing(path, overwrite=True) as file:
        file.write_bytes(content.tobytes())


def require_library() -> None:
    """Raise MissingPackageError without what `write_curves` needs; otherwise do nothing."""
    try:
        importlib.import_module("matplotlib.figure")
    except ImportError as error:
        raise MissingPackageError("matplotlib", "train", "drawing the training curves") from error


def write_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draw losses and AP over the steps as a PNG; raises SinkError."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    left = figure.subplots()
    steps = [row["step"] for row in history]
    for name in ("score_loss", "box_loss"):
        left.plot(steps, [row[name] for row in history], label=name.replace("_", " "))
    left.set(xlabel="batches", ylabel="loss", yscale="log")
    right = left.twinx()
    judged = [(row["step"], row["ap50"]) for row in history if "ap50" in row]
    right.plot(*zip(*judged, strict=True) if judged else ((), ()), "ko-", label="AP50, validation")
    right.set(ylabel="AP50", ylim=(0, 1))
    figure.legend(loc="outside upper center", ncols=3)
    with replacing(path, overwrite=True) as file:
        figure.savefig(file, format="png", dpi=100)
