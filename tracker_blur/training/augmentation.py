"""Training samples and how they are placed: mosaics, rotations, scales.

Mosaics are those of Bochkovskiy, Wang, Liao, "YOLOv4", 2020, arXiv 2004.10934. Finer grids hold
smaller objects, which is where crowds of 8 px come from.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.core.frame import Image
    from tracker_blur.settings import Shape
    from tracker_blur.training.recipe import GeometricAugmentation

Boxes = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
Certainties = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]
Vector = npt.NDArray[np.float64]
Rng = np.random.Generator

SMALLEST_PX = 6.0
"""Objects whose square root of area is less get no loss."""

_LEAST_VISIBLE = 0.45  # of an object's area; what shows less is a guess, and gets no loss

_GRIDS = {1: 0.24, 2: 0.36, 3: 0.24, 4: 0.16}  # cells per side, and how often
_LARGEST = {1: 0.8, 2: 0.4, 3: 0.2, 4: 0.11}  # objects, as shares of the canvas's side
_SMALLEST_PX = {1: 20.0, 2: 12.0, 3: 8.0, 4: 7.0}
_LARGEST_ENLARGEMENT = 2.5  # beyond that there is only blur
_LEAST_COVERAGE = 0.8  # of a cell's longer side by the image's longer side
_CUT_JITTER = 0.12


@dataclass(frozen=True, slots=True)
class Sample:
    """An annotated image in memory.

    Attributes:
        image: Pixels, uint8, shape (rows, columns, 3), BGR.
        boxes: Left, top, right, bottom in pixels, shape (n, 4).
        labels: Class of each box, shape (n,).
        certainties: How certain each box is, up to 1: 1 if people labeled it, shape (n,).
        ignored: Regions without loss, shape (m, 4).
    """

    image: Image
    boxes: Boxes
    labels: Labels
    certainties: Certainties
    ignored: Boxes


Pick = tuple[Sample, Boxes]
"""A sample, and boxes, shape (n, 4): a canvas shows one of them; without any, any place."""


def no_boxes() -> Boxes:
    """Return no boxes, shape (0, 4)."""
    return np.zeros((0, 4), np.float32)


def box_sides(boxes: Boxes) -> npt.NDArray[np.float32]:
    """Return the square roots of the areas, in pixels; shape (n,)."""
    return np.sqrt(_areas(boxes))


def _areas(boxes: Boxes) -> npt.NDArray[np.float32]:
    spans = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(spans[:, 0] * spans[:, 1], np.float32)


def warp(
    sample: Sample,
    matrix: Matrix,
    size: tuple[int, int],
    border: int,
    outline: Shape = "ellipse",
) -> Sample:
    """Return the sample moved onto a canvas.

    Objects that are hardly visible, or become too small, become ignored regions.

    Args:
        sample: What to move.
        matrix: Affine matrix from the sample's pixels to the canvas's, shape (2, 3).
        size: Width and height of the canvas in pixels.
        border: Gray value, 0 to 255, where the image does not cover the canvas.
        outline: Shape of the objects in their boxes.
    """
    image, from_reduced = _reduce(sample.image, matrix)
    # Boxes are measured from the image's edge, warpAffine measures from the first pixel's center.
    from_reduced[:, 2] += from_reduced[:, :2] @ (0.5, 0.5) - 0.5
    canvas = cv2.warpAffine(
        image,
        from_reduced,
        size,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(border, border, border),
    )
    move = _move_ellipses if outline == "ellipse" else _move_rectangles
    whole = move(sample.boxes, matrix)
    boxes = _clip(whole, size)
    visible = _areas(boxes) / np.maximum(_areas(whole), 1e-6)
    kept = (visible >= _LEAST_VISIBLE) & (box_sides(boxes) >= SMALLEST_PX)
    dropped = ~kept & (_areas(boxes) > 0)
    moved_ignored = _clip(_move_rectangles(sample.ignored, matrix), size)
    ignored = np.concatenate((boxes[dropped], moved_ignored))
    return Sample(
        np.asarray(canvas, np.uint8),
        boxes[kept],
        sample.labels[kept],
        sample.certainties[kept],
        ignored[_areas(ignored) > 0],
    )


def _reduce(image: Image, matrix: Matrix) -> tuple[Image, Matrix]:
    """Return the image, reduced for a matrix that shrinks it a lot, and the matrix from there."""
    # warpAffine reads four pixels for each one it writes: strong reductions must average first.
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    shrink = int(1 / max(scale, 1e-3))
    if shrink < 2:
        return image, matrix.copy()
    rows, columns = image.shape[:2]
    width, height = max(1, columns // shrink), max(1, rows // shrink)
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    back = np.diag((columns / width, rows / height))
    return np.asarray(small, np.uint8), np.concatenate((matrix[:, :2] @ back, matrix[:, 2:]), 1)


def _move_ellipses(boxes: Boxes, matrix: Matrix) -> Boxes:
    """Return the boxes around the moved ellipses that fill the given ones: faces are round.

    The box around a rotated box's corners would be up to 1.4 times too large.
    """
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    radii = (boxes[:, 2:] - boxes[:, :2]) / 2
    spans = np.sqrt(radii**2 @ (matrix[:, :2] ** 2).T)
    return np.concatenate((centers - spans, centers + spans), 1).astype(np.float32)


def _move_rectangles(boxes: Boxes, matrix: Matrix) -> Boxes:
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    spans = (boxes[:, 2:] - boxes[:, :2]) / 2 @ np.abs(matrix[:, :2]).T
    return np.concatenate((centers - spans, centers + spans), 1).astype(np.float32)


def _clip(boxes: Boxes, size: tuple[int, int]) -> Boxes:
    width, height = size
    limits = np.array((width, height, width, height), np.float32)
    return np.clip(boxes, 0, limits)


def make_mosaic(
    pick: Callable[[Rng], Pick], size: int, geometry: GeometricAugmentation, rng: Rng
) -> Sample:
    """Return a square canvas of `size` pixels made of one or several of the picked samples."""
    cells = int(rng.choice(list(_GRIDS), p=list(_GRIDS.values())))
    smallest, largest = _SMALLEST_PX[cells], _LARGEST[cells] * size
    columns = _jittered_cuts(size, cells, rng)
    rows = _jittered_cuts(size, cells, rng)
    image = np.empty((size, size, 3), np.uint8)
    parts: list[Sample] = []
    for top, bottom in itertools.pairwise(rows):
        for left, right in itertools.pairwise(columns):
            sample, places = pick(rng)
            cell = right - left, bottom - top
            matrix = _random_placement(sample, places, cell, smallest, largest, geometry, rng)
            part = warp(sample, matrix, cell, int(rng.integers(0, 256)), geometry.outline)
            image[top:bottom, left:right] = part.image
            shift = np.array((left, top, left, top), np.float32)
            parts.append(replace(part, boxes=part.boxes + shift, ignored=part.ignored + shift))
    return Sample(
        image,
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.certainties for part in parts]),
        np.concatenate([part.ignored for part in parts]),
    )


def _jittered_cuts(size: int, cells: int, rng: Rng) -> list[int]:
    even = np.arange(1, cells) * size / cells
    moved = even + rng.uniform(-_CUT_JITTER, _CUT_JITTER, cells - 1) * size / cells
    return [0, *np.rint(moved).astype(int).tolist(), size]


def _random_placement(
    sample: Sample,
    places: Boxes,
    cell: tuple[int, int],
    smallest: float,
    largest: float,
    geometry: GeometricAugmentation,
    rng: Rng,
) -> Matrix:
    """Return the matrix that moves one of the places, or any point, into the cell, at a new size.

    `smallest` and `largest` limit the side of the place, in pixels of the canvas.
    """
    height, width = sample.image.shape[:2]
    covering = _LEAST_COVERAGE * max(cell) / max(width, height)
    if len(places):
        chosen = int(rng.integers(len(places)))
        box, side = places[chosen], float(box_sides(places[chosen : chosen + 1])[0])
        wanted = math.exp(rng.uniform(math.log(smallest), math.log(largest)))
        scale = wanted / max(side, 1.0)
        scale = min(max(scale, covering), max(largest, smallest) / max(side, 1.0))
        anchor = (box[:2] + box[2:]) / 2
    else:
        scale = covering * math.exp(rng.uniform(0.0, 1.5))
        anchor = rng.uniform(0.2, 0.8, 2) * (width, height)
    scale = min(scale, _LARGEST_ENLARGEMENT)
    stretch = math.sqrt(geometry.random_widening(rng)) * math.exp(rng.normal(0.0, 0.08))
    flip = -1.0 if rng.random() < geometry.mirrored_share else 1.0
    linear = _random_rotation(geometry, rng) @ np.diag((scale * stretch * flip, scale / stretch))
    share = rng.uniform(0.1, 0.9, 2) if len(places) else np.full(2, 0.5)
    offset = share * cell - linear @ anchor
    center = linear @ np.array((width / 2, height / 2)) + offset
    half = np.abs(linear) @ np.array((width / 2, height / 2))
    offset += _shift_to_cover(center, half, np.array(cell, float))
    return np.concatenate((linear, offset[:, None]), 1)


def _shift_to_cover(center: Vector, half: Vector, cell: Vector) -> Vector:
    """Return the shift that lets an image cover the cell, or lie in it where it is smaller.

    `center` and `half` are the placed image's center and half its extent, x and y.
    """
    least, most = cell - half, half
    return np.clip(center, np.minimum(least, most), np.maximum(least, most)) - center


def _random_rotation(geometry: GeometricAugmentation, rng: Rng) -> Matrix:
    dice = rng.random()
    if dice < geometry.any_share:
        degrees = rng.uniform(-180.0, 180.0)
    elif dice < geometry.any_share + geometry.tilted_share:
        degrees = rng.uniform(-geometry.tilted_deg, geometry.tilted_deg)
    else:
        degrees = rng.normal(0.0, geometry.usual_deg)
    angle = math.radians(degrees)
    return np.array(
        ((math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle))), np.float64
    )
