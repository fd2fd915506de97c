"""Crowds: many small things cut out of pictures and pasted close together.

After Dwibedi, Misra, Hebert, "Cut, Paste and Learn", ICCV 2017, arXiv 1708.01642. Patches without
a thing are pasted the same way, so that the seam tells nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from tracker_blur.core.frame import Image
from tracker_blur.training.augmentation import Rng
from tracker_blur.training.recipe import Poses
from tracker_blur.training.scenes import SMALLEST_PX, Boxes, Scene, sides

_MARGIN = 0.35  # of the box's width and height, on each side
_STORED_PX = 48  # the box's side in a cutting
_LEAST_PX = 18  # smaller ones are too blurred to be shrunk further
_SIZES_PX = 7.0, 40.0
_MOST = 70
_DECOYS = 0.15
_LARGEST_OVERLAP = 0.2


@dataclass(frozen=True, slots=True)
class Cutting:
    """A thing and a margin around it; `label` is None for a patch without a thing."""

    image: Image
    label: int | None


def cuttings(scenes: Sequence[Scene], rng: Rng, decoys: int = 400) -> list[Cutting]:
    """Return every thing that is large enough and stands alone, and some patches without any."""
    found: list[Cutting] = []
    for scene in scenes:
        height, width = scene.image.shape[:2]
        for box, label, side in zip(
            scene.boxes, scene.labels.tolist(), sides(scene.boxes).tolist(), strict=True
        ):
            margin = np.tile((box[2:] - box[:2]) * _MARGIN, 2) * (-1, -1, 1, 1)
            left, top, right, bottom = np.rint(box + margin).astype(int).tolist()
            inside = left >= 0 and top >= 0 and right <= width and bottom <= height
            around = np.array((left, top, right, bottom), np.float32)
            if inside and side >= _LEAST_PX and _touching(around, scene.boxes) <= 1:
                found.append(_cutting(scene.image[top:bottom, left:right], side, label))
    bare = [
        scene
        for scene in scenes
        if not len(scene.boxes)
        and not len(scene.ignored)
        and min(scene.image.shape[:2]) >= _LEAST_PX
    ]
    for _ in range(decoys if bare else 0):
        image = bare[int(rng.integers(len(bare)))].image
        side = int(rng.uniform(0.1, 0.5) * min(image.shape[:2]))
        top, left = (int(rng.integers(0, length - side)) for length in image.shape[:2])
        patch = image[top : top + side, left : left + side]
        found.append(_cutting(patch, side / (1 + 2 * _MARGIN), None))
    return found


def _touching(box: Boxes, others: Boxes) -> int:
    apart = (others[:, :2] >= box[2:]).any(1) | (others[:, 2:] <= box[:2]).any(1)
    return int((~apart).sum())


def _cutting(patch: Image, side_px: float, label: int | None) -> Cutting:
    scale = min(1.0, _STORED_PX / side_px)
    size = max(2, round(patch.shape[1] * scale)), max(2, round(patch.shape[0] * scale))
    small = cv2.resize(patch, size, interpolation=cv2.INTER_AREA)
    return Cutting(np.asarray(small, np.uint8), label)


def with_crowd(scene: Scene, bank: Sequence[Cutting], poses: Poses, rng: Rng) -> Scene:
    """Return the scene with things from the bank pasted in rows or anywhere; its image changes.

    They are mirrored and widened as the poses say, but not turned.
    """
    image, (rows, columns) = scene.image, scene.image.shape[:2]
    things = [cutting for cutting in bank if cutting.label is not None]
    decoys = [cutting for cutting in bank if cutting.label is None]
    wide = poses.width(rng)
    usual = math.exp(rng.uniform(math.log(_SIZES_PX[0]), math.log(_SIZES_PX[1])))
    boxes, labels = list(scene.boxes), scene.labels.tolist()
    taken = np.zeros((len(boxes) + len(scene.ignored) + _MOST, 4), np.float32)
    used = len(boxes) + len(scene.ignored)
    taken[:used] = np.concatenate((scene.boxes, scene.ignored))
    for x, y in _places(columns, rows, usual, rng):
        wanted = max(usual * math.exp(rng.normal(0.0, 0.22)), SMALLEST_PX + 0.5)
        chosen = decoys if decoys and rng.random() < _DECOYS else things
        cutting = chosen[int(rng.integers(len(chosen)))]
        spot = _spot(cutting, wanted, wide, x, y)
        left, top, right, bottom = spot
        if left < 0 or top < 0 or right > columns or bottom > rows:
            continue
        share = _MARGIN / (1 + 2 * _MARGIN)
        dx, dy = (right - left) * share, (bottom - top) * share
        box = np.array((left + dx, top + dy, right - dx, bottom - dy), np.float32)
        if _overlap(box, taken[:used]) > _LARGEST_OVERLAP:
            continue
        _paste(image, cutting.image, spot, rng, rng.random() < poses.mirrored_share)
        taken[used] = box
        used += 1
        if cutting.label is not None:
            boxes.append(box)
            labels.append(cutting.label)
    return Scene(
        image,
        np.asarray(boxes, np.float32).reshape(-1, 4),
        np.asarray(labels, np.int64),
        scene.ignored,
    )


def _places(columns: int, rows: int, size: float, rng: Rng) -> list[tuple[float, float]]:
    count = int(rng.integers(8, _MOST + 1))
    if rng.random() < 0.4:
        anywhere = rng.uniform((0, 0), (columns, rows), (count, 2))
        return [(x, y) for x, y in anywhere.tolist()]
    step = size * rng.uniform(1.2, 2.2)
    grid = np.stack(
        np.meshgrid(np.arange(step, columns, step), np.arange(step, rows, step)), -1
    ).reshape(-1, 2)
    if len(grid) > count:  # a block of the grid, not holes all over it
        middle = grid[int(rng.integers(len(grid)))]
        grid = grid[np.argsort(np.abs(grid - middle).max(1))[:count]]
    moved = grid + rng.normal(0.0, 0.2 * size, grid.shape)
    # From top to bottom: who stands in front hides who stands behind.
    return [(x, y) for x, y in moved[np.argsort(moved[:, 1])].tolist()]


def _spot(
    cutting: Cutting, side_px: float, wide: float, x: float, y: float
) -> tuple[int, int, int, int]:
    rows, columns = cutting.image.shape[:2]
    scale = side_px * (1 + 2 * _MARGIN) / math.sqrt(columns * rows)
    width = max(2, round(columns * scale * math.sqrt(wide)))
    height = max(2, round(rows * scale / math.sqrt(wide)))
    left, top = round(x - width / 2), round(y - height / 2)
    return left, top, left + width, top + height


def _overlap(box: Boxes, others: Boxes) -> float:
    """Return the largest share of any box that another covers."""
    if not len(others):
        return 0.0
    spans = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.maximum(spans[:, 0], 0) * np.maximum(spans[:, 1], 0)
    areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return float((shared / np.maximum(np.minimum(areas, area), 1e-6)).max())


def _soft_oval(size: int = 64) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    line = np.linspace(-1, 1, size, dtype=np.float32)
    distance = np.hypot(*np.meshgrid(line, line))
    return np.asarray(np.clip((1.0 - distance) / 0.2, 0, 1), np.float32)[..., None]


_OVAL = _soft_oval()


def _paste(
    image: Image, patch: Image, spot: tuple[int, int, int, int], rng: Rng, mirrored: bool
) -> None:
    left, top, right, bottom = spot
    size = right - left, bottom - top
    if mirrored:
        patch = patch[:, ::-1]
    method = cv2.INTER_AREA if size[0] < patch.shape[1] else cv2.INTER_LINEAR
    small = cv2.resize(patch, size, interpolation=method).astype(np.float32)
    small = small * rng.uniform(0.75, 1.25) + rng.uniform(-15, 15)
    alpha = cv2.resize(_OVAL, size, interpolation=cv2.INTER_AREA)[..., None]
    under = image[top:bottom, left:right]
    under[:] = np.clip(under + alpha * (small - under), 0, 255)
