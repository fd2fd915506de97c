"""Crowds of small objects, cut out of images and pasted close together.

After Dwibedi, Misra, Hebert, "Cut, Paste and Learn", ICCV 2017, arXiv 1708.01642. Patches without
an object are pasted the same way, so that the seam does not give objects away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.training.augmentation import SMALLEST_PX, Boxes, Rng, Sample, box_sides

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.frame import Image
    from tracker_blur.training.recipe import GeometricAugmentation

_MARGIN = 0.35  # of the box's width and height, on each side
_STORED_PX = 48  # the box's side in a cutout
_LEAST_PX = 18  # smaller objects are too blurred to be shrunk further
_SIZES_PX = 7.0, 40.0
_MAX_PASTED = 70
_DECOY_SHARE = 0.15
_MAX_OVERLAP = 0.2


@dataclass(frozen=True, slots=True)
class Cutout:
    """An object and a margin around it; `label` is None for a patch without an object."""

    image: Image
    label: int | None

    def turned(self, quarters: int) -> Cutout:
        """Return it turned by this many quarters, counterclockwise."""
        return Cutout(np.rot90(self.image, quarters), self.label)


def cut_out_objects(samples: Sequence[Sample], rng: Rng, decoys: int = 400) -> list[Cutout]:
    """Return all certain objects that are large enough and stand alone, and patches without any."""
    cutouts: list[Cutout] = []
    for sample in samples:
        height, width = sample.image.shape[:2]
        certain = sample.certainties == 1
        boxes = sample.boxes[certain]
        for box, label, side in zip(
            boxes, sample.labels[certain].tolist(), box_sides(boxes).tolist(), strict=True
        ):
            margin = np.tile((box[2:] - box[:2]) * _MARGIN, 2) * (-1, -1, 1, 1)
            left, top, right, bottom = np.rint(box + margin).astype(int).tolist()
            inside = left >= 0 and top >= 0 and right <= width and bottom <= height
            around = np.array((left, top, right, bottom), np.float32)
            if inside and side >= _LEAST_PX and _count_touching(around, sample.boxes) <= 1:
                cutouts.append(_cut_out(sample.image[top:bottom, left:right], side, label))
    empty = [
        sample
        for sample in samples
        if not len(sample.boxes)
        and not len(sample.ignored)
        and min(sample.image.shape[:2]) >= _LEAST_PX
    ]
    for _ in range(decoys if empty else 0):
        image = empty[int(rng.integers(len(empty)))].image
        side = int(rng.uniform(0.1, 0.5) * min(image.shape[:2]))
        top, left = (int(rng.integers(0, length - side)) for length in image.shape[:2])
        patch = image[top : top + side, left : left + side]
        cutouts.append(_cut_out(patch, side / (1 + 2 * _MARGIN), None))
    return cutouts


def _count_touching(box: Boxes, others: Boxes) -> int:
    apart = (others[:, :2] >= box[2:]).any(1) | (others[:, 2:] <= box[:2]).any(1)
    return int((~apart).sum())


def _cut_out(patch: Image, side_px: float, label: int | None) -> Cutout:
    scale = min(1.0, _STORED_PX / side_px)
    size = max(2, round(patch.shape[1] * scale)), max(2, round(patch.shape[0] * scale))
    small = cv2.resize(patch, size, interpolation=cv2.INTER_AREA)
    return Cutout(np.asarray(small, np.uint8), label)


def paste_crowd(
    sample: Sample, cutouts: Sequence[Cutout], geometry: GeometricAugmentation, rng: Rng
) -> Sample:
    """Return the sample with cutouts pasted in rows or anywhere; its image changes.

    Cutouts are mirrored and widened. Where images are rotated by any angle, as large a share of the
    cutouts is turned by quarters.
    """
    image, (rows, columns) = sample.image, sample.image.shape[:2]
    objects = [cutout for cutout in cutouts if cutout.label is not None]
    decoys = [cutout for cutout in cutouts if cutout.label is None]
    widening = geometry.random_widening(rng)
    usual = math.exp(rng.uniform(math.log(_SIZES_PX[0]), math.log(_SIZES_PX[1])))
    boxes, labels = list(sample.boxes), sample.labels.tolist()
    certainties = np.ones(len(boxes) + _MAX_PASTED, np.float32)
    certainties[: len(boxes)] = sample.certainties
    occupied = np.zeros((len(boxes) + len(sample.ignored) + _MAX_PASTED, 4), np.float32)
    count = len(boxes) + len(sample.ignored)
    occupied[:count] = np.concatenate((sample.boxes, sample.ignored))
    for x, y in _random_places(columns, rows, usual, rng):
        wanted = max(usual * math.exp(rng.normal(0.0, 0.22)), SMALLEST_PX + 0.5)
        candidates = decoys if decoys and rng.random() < _DECOY_SHARE else objects
        cutout = candidates[int(rng.integers(len(candidates)))]
        if rng.random() < geometry.any_share:
            cutout = cutout.turned(int(rng.integers(1, 4)))
        spot = _spot(cutout, wanted, widening, x, y)
        left, top, right, bottom = spot
        if left < 0 or top < 0 or right > columns or bottom > rows:
            continue
        share = _MARGIN / (1 + 2 * _MARGIN)
        dx, dy = (right - left) * share, (bottom - top) * share
        box = np.array((left + dx, top + dy, right - dx, bottom - dy), np.float32)
        if _largest_overlap(box, occupied[:count]) > _MAX_OVERLAP:
            continue
        _paste(image, cutout.image, spot, rng, rng.random() < geometry.mirrored_share)
        occupied[count] = box
        count += 1
        if cutout.label is not None:
            boxes.append(box)
            labels.append(cutout.label)
    return Sample(
        image,
        np.asarray(boxes, np.float32).reshape(-1, 4),
        np.asarray(labels, np.int64),
        certainties[: len(boxes)],
        sample.ignored,
    )


def _random_places(columns: int, rows: int, size: float, rng: Rng) -> list[tuple[float, float]]:
    count = int(rng.integers(8, _MAX_PASTED + 1))
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
    # From top to bottom, since those in front hide those behind.
    return [(x, y) for x, y in moved[np.argsort(moved[:, 1])].tolist()]


def _spot(
    cutout: Cutout, side_px: float, widening: float, x: float, y: float
) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of a cutout around a point, for an object of this side."""
    rows, columns = cutout.image.shape[:2]
    scale = side_px * (1 + 2 * _MARGIN) / math.sqrt(columns * rows)
    width = max(2, round(columns * scale * math.sqrt(widening)))
    height = max(2, round(rows * scale / math.sqrt(widening)))
    left, top = round(x - width / 2), round(y - height / 2)
    return left, top, left + width, top + height


def _largest_overlap(box: Boxes, others: Boxes) -> float:
    """Return the largest intersection with another box, as a share of the smaller of the two."""
    if not len(others):
        return 0.0
    spans = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.maximum(spans[:, 0], 0) * np.maximum(spans[:, 1], 0)
    areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return float((shared / np.maximum(np.minimum(areas, area), 1e-6)).max())


def _soft_ellipse(size: int = 64) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    line = np.linspace(-1, 1, size, dtype=np.float32)
    distance = np.hypot(*np.meshgrid(line, line))
    return np.asarray(np.clip((1.0 - distance) / 0.2, 0, 1), np.float32)[..., None]


_SOFT_ELLIPSE = _soft_ellipse()


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
    alpha = cv2.resize(_SOFT_ELLIPSE, size, interpolation=cv2.INTER_AREA)[..., None]
    under = image[top:bottom, left:right]
    under[:] = np.clip(under + alpha * (small - under), 0, 255)
