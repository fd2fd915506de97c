"""Canvases for training: one picture or a grid of them, turned, mirrored, things of many sizes.

After the mosaic of Bochkovskiy, Wang, Liao, "YOLOv4", 2020, arXiv 2004.10934. Finer grids hold
smaller things: they are where crowds of 8 px come from.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tracker_blur.training.recipe import Poses
from tracker_blur.training.scenes import Boxes, Matrix, Scene, empty_boxes, sides, warped

Rng = np.random.Generator
Vector = npt.NDArray[np.float64]

_GRIDS = {1: 0.24, 2: 0.36, 3: 0.24, 4: 0.16}  # cells a side, and how often
_LARGEST = {1: 0.8, 2: 0.4, 3: 0.2, 4: 0.11}  # things, as shares of the canvas's side
_SMALLEST_PX = {1: 20.0, 2: 12.0, 3: 8.0, 4: 7.0}
_LARGEST_ENLARGEMENT = 2.5  # more shows blur, not things
_LEAST_COVER = 0.8  # of a cell's longer side by the picture's longer side
_CUT_JITTER = 0.12


Pick = tuple[Scene, Boxes]
"""A picture, and the places in it of which one is to be shown, shape (n, 4); none: any place."""


def canvas(pick: Callable[[Rng], Pick], size: int, poses: Poses, rng: Rng) -> Scene:
    """Return a square canvas of `size` pixels made of one or several of the pictures picked."""
    cells = int(rng.choice(list(_GRIDS), p=list(_GRIDS.values())))
    smallest, largest = _SMALLEST_PX[cells], _LARGEST[cells] * size
    columns = _cuts(size, cells, rng)
    rows = _cuts(size, cells, rng)
    image = np.empty((size, size, 3), np.uint8)
    boxes, labels, ignored = [empty_boxes()], [np.zeros(0, np.int64)], [empty_boxes()]
    for top, bottom in itertools.pairwise(rows):
        for left, right in itertools.pairwise(columns):
            scene, places = pick(rng)
            cell = right - left, bottom - top
            matrix = _placement(scene, places, cell, smallest, largest, poses, rng)
            part = warped(scene, matrix, cell, int(rng.integers(0, 256)), poses.outline)
            image[top:bottom, left:right] = part.image
            shift = np.array((left, top, left, top), np.float32)
            boxes.append(part.boxes + shift)
            labels.append(part.labels)
            ignored.append(part.ignored + shift)
    return Scene(image, np.concatenate(boxes), np.concatenate(labels), np.concatenate(ignored))


def _cuts(size: int, cells: int, rng: Rng) -> list[int]:
    even = np.arange(1, cells) * size / cells
    moved = even + rng.uniform(-_CUT_JITTER, _CUT_JITTER, cells - 1) * size / cells
    return [0, *np.rint(moved).astype(int).tolist(), size]


def _placement(
    scene: Scene,
    places: Boxes,
    cell: tuple[int, int],
    smallest: float,
    largest: float,
    poses: Poses,
    rng: Rng,
) -> Matrix:
    """Return the matrix that puts a place, or any point, somewhere in the cell, at a new size."""
    height, width = scene.image.shape[:2]
    cover = _LEAST_COVER * max(cell) / max(width, height)
    if len(places):
        chosen = int(rng.integers(len(places)))
        box, side = places[chosen], float(sides(places[chosen : chosen + 1])[0])
        wanted = math.exp(rng.uniform(math.log(smallest), math.log(largest)))
        scale = wanted / max(side, 1.0)
        scale = min(max(scale, cover), max(largest, smallest) / max(side, 1.0))
        anchor = (box[:2] + box[2:]) / 2
    else:
        scale = cover * math.exp(rng.uniform(0.0, 1.5))
        anchor = rng.uniform(0.2, 0.8, 2) * (width, height)
    scale = min(scale, _LARGEST_ENLARGEMENT)
    stretch = math.sqrt(poses.width(rng)) * math.exp(rng.normal(0.0, 0.08))
    flip = -1.0 if rng.random() < poses.mirrored_share else 1.0
    turn = _turn(poses, rng)
    linear = turn @ np.diag((scale * stretch * flip, scale / stretch))
    share = rng.uniform(0.1, 0.9, 2) if len(places) else np.full(2, 0.5)
    start = share * cell - linear @ anchor
    middle = linear @ np.array((width / 2, height / 2)) + start
    half = np.abs(linear) @ np.array((width / 2, height / 2))
    start += _towards_cover(middle, half, np.array(cell, float))
    return np.concatenate((linear, start[:, None]), 1)


def _towards_cover(middle: Vector, half: Vector, cell: Vector) -> Vector:
    """Return the shift that lets a picture cover the cell, or lie in it where it is smaller.

    middle, half   the placed picture's center and half its extent, x and y
    """
    least, most = cell - half, half
    return np.clip(middle, np.minimum(least, most), np.maximum(least, most)) - middle


def _turn(poses: Poses, rng: Rng) -> Matrix:
    dice = rng.random()
    if dice < poses.any_share:
        degrees = rng.uniform(-180.0, 180.0)
    elif dice < poses.any_share + poses.tilted_share:
        degrees = rng.uniform(-poses.tilted_deg, poses.tilted_deg)
    else:
        degrees = rng.normal(0.0, poses.usual_deg)
    angle = math.radians(degrees)
    return np.array(
        ((math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle))), np.float64
    )
