"""Scene: a picture in memory with its boxes, and how it is moved onto a canvas of another size.

Canvases for training: one picture or a grid of them, turned, mirrored, things of many sizes.

After the mosaic of Bochkovskiy, Wang, Liao, "YOLOv4", 2020, arXiv 2004.10934. Finer grids hold
smaller things: they are where crowds of 8 px come from.

What cameras and codecs do to pictures: light, color, blur, noise, JPEG, things in the way.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.core.frame import Image
from tracker_blur.settings import Shape as Outline
from tracker_blur.training.recipe import Poses

Boxes = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
Matrix = npt.NDArray[np.float64]

SMALLEST_PX = 6.0
"""A thing whose square root of area is less is neither taught nor punished."""

_LEAST_VISIBLE = 0.45  # of a thing's area; less than that is a guess, and gets no loss


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture, what is in it and where nothing may be judged.

    image    uint8, shape (rows, columns, 3), BGR
    boxes    shape (n, 4): left, top, right, bottom in pixels
    labels   shape (n,): the class of each box
    ignored  shape (m, 4): regions without loss
    """

    image: Image
    boxes: Boxes
    labels: Labels
    ignored: Boxes


def empty_boxes() -> Boxes:
    """Return no boxes, shape (0, 4)."""
    return np.zeros((0, 4), np.float32)


def sides(boxes: Boxes) -> npt.NDArray[np.float32]:
    """Return the square roots of the areas, in pixels; shape (n,)."""
    return np.sqrt(_areas(boxes))


def _areas(boxes: Boxes) -> npt.NDArray[np.float32]:
    spans = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(spans[:, 0] * spans[:, 1], np.float32)


def warped(
    scene: Scene,
    matrix: Matrix,
    size: tuple[int, int],
    border: int,
    outline: Outline = "ellipse",
) -> Scene:
    """Return the scene on a canvas of (width, height) pixels.

    matrix   shape (2, 3), from the scene's pixels to the canvas's
    border   the gray, 0 to 255, of what the picture does not cover
    outline  of the things: what fills their boxes

    Things of which too little is visible, or that become too small, are moved to the ignored.
    """
    image, to_image = _reduced(scene.image, matrix)
    # Boxes are measured from the picture's edge, warpAffine measures from the first pixel's middle.
    to_image[:, 2] += to_image[:, :2] @ (0.5, 0.5) - 0.5
    canvas = cv2.warpAffine(
        image,
        to_image,
        size,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(border, border, border),
    )
    moved = _moved_ellipses if outline == "ellipse" else _moved_corners
    whole = moved(scene.boxes, matrix)
    boxes = _clipped(whole, size)
    visible = _areas(boxes) / np.maximum(_areas(whole), 1e-6)
    taught = (visible >= _LEAST_VISIBLE) & (sides(boxes) >= SMALLEST_PX)
    seen = _areas(boxes) > 0
    ignored = np.concatenate(
        (boxes[~taught & seen], _clipped(_moved_corners(scene.ignored, matrix), size))
    )
    return Scene(
        np.asarray(canvas, np.uint8),
        boxes[taught],
        scene.labels[taught],
        ignored[_areas(ignored) > 0],
    )


def _reduced(image: Image, matrix: Matrix) -> tuple[Image, Matrix]:
    # warpAffine reads four pixels for each one it makes: strong reductions must average first.
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    shrink = int(1 / max(scale, 1e-3))
    if shrink < 2:
        return image, matrix.copy()
    rows, columns = image.shape[:2]
    width, height = max(1, columns // shrink), max(1, rows // shrink)
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    back = np.diag((columns / width, rows / height))
    return np.asarray(small, np.uint8), np.concatenate((matrix[:, :2] @ back, matrix[:, 2:]), 1)


def _moved_ellipses(boxes: Boxes, matrix: Matrix) -> Boxes:
    """Return the boxes around the ellipses that fill the given ones: faces are round.

    The box around a turned box's corners would be up to 1.4 times too large.
    """
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    radii = (boxes[:, 2:] - boxes[:, :2]) / 2
    spans = np.sqrt(radii**2 @ (matrix[:, :2] ** 2).T)
    return np.concatenate((centers - spans, centers + spans), 1).astype(np.float32)


def _moved_corners(boxes: Boxes, matrix: Matrix) -> Boxes:
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    spans = (boxes[:, 2:] - boxes[:, :2]) / 2 @ np.abs(matrix[:, :2]).T
    return np.concatenate((centers - spans, centers + spans), 1).astype(np.float32)


def _clipped(boxes: Boxes, size: tuple[int, int]) -> Boxes:
    width, height = size
    limits = np.array((width, height, width, height), np.float32)
    return np.clip(boxes, 0, limits)


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


_NOISE = np.random.default_rng(0).standard_normal((1024, 1024, 3)).astype(np.float32)
_COVERED_FROM_PX = 16
_COVERED_FROM = 0.2, 0.45, 0.2, 0.15  # right, below, left, above: books and hands come from below


def spoiled(scene: Scene, rng: Rng) -> Scene:
    """Return the scene as a worse camera, another light or a busier street would show it."""
    image = scene.image
    if rng.random() < 0.3:
        image = _covered(image, scene.boxes, rng)
    image = _lit(image, rng)
    if rng.random() < 0.12:
        image = _blurred(image, rng)
    if rng.random() < 0.25:
        image = _enlarged(image, scene.boxes, rng)
    if rng.random() < 0.2:
        image = _noisy(image, rng.uniform(2, 14), rng)
    if rng.random() < 0.25:
        image = _compressed(image, int(rng.integers(25, 85)))
    return Scene(image, scene.boxes, scene.labels, scene.ignored)


def _lit(image: Image, rng: Rng) -> Image:
    """Change brightness, contrast, gamma and the color of the light by one table a channel."""
    ramp = np.linspace(0, 1, 256)
    dark = rng.random() < 0.12
    gamma = rng.uniform(1.6, 3.0) if dark else np.exp(rng.normal(0, 0.22))
    gain = rng.uniform(0.35, 0.8) if dark else rng.uniform(0.75, 1.3)
    table = np.empty((256, 1, 3))
    for channel in range(3):
        tint = np.exp(rng.normal(0, 0.06))
        table[:, 0, channel] = gain * tint * ramp**gamma + rng.normal(0, 0.04)
    lit = cv2.LUT(image, np.clip(table * 255, 0, 255).astype(np.uint8))
    if dark:
        lit = _noisy(np.asarray(lit, np.uint8), rng.uniform(3, 12), rng)
    dice = rng.random()
    if dice < 0.3:  # 0: gray, 1: as it is, above: more colorful
        color = 0.0 if dice < 0.06 else rng.uniform(0.2, 1.6)
        gray = cv2.cvtColor(cv2.cvtColor(lit, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        lit = cv2.addWeighted(lit, color, gray, 1 - color, 0)
    return np.asarray(lit, np.uint8)


def _blurred(image: Image, rng: Rng) -> Image:
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.5)), np.uint8)
    length = int(rng.integers(3, 8))
    kernel = np.zeros((length, length), np.float32)
    side = int(rng.integers(length))
    start, end = (side, 0), (length - 1 - side, length - 1)  # through the middle: nothing moves
    if rng.random() < 0.5:
        start, end = start[::-1], end[::-1]
    cv2.line(kernel, start, end, 1.0)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def _enlarged(image: Image, boxes: Boxes, rng: Rng) -> Image:
    """Show it as a smaller picture that was enlarged; nothing is shrunk to less than is taught."""
    least = SMALLEST_PX / float(sides(boxes).min(initial=np.inf))
    shrink = max(rng.uniform(0.4, 0.8), least)
    if shrink >= 1:
        return image
    rows, columns = image.shape[:2]
    small = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (columns, rows)), np.uint8)


def _noisy(image: Image, strength: float, rng: Rng) -> Image:
    rows, columns = image.shape[:2]
    # A window of one stored field of noise: drawing it anew would cost more than the network.
    top, left = rng.integers(0, 1025 - rows), rng.integers(0, 1025 - columns)
    noise = _NOISE[top : top + rows, left : left + columns] * strength
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def _compressed(image: Image, quality: int) -> Image:
    _, content = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)


def _covered(image: Image, boxes: Boxes, rng: Rng) -> Image:
    """Hide up to six tenths of some things behind a bar: a hand, a phone, a book, a shoulder.

    The bar is of one color, or shows another part of the picture, without a thing in it.
    """
    before = image.copy()
    for box, side in zip(boxes, sides(boxes).tolist(), strict=True):
        if side < _COVERED_FROM_PX or rng.random() < 0.5:
            continue
        share = rng.uniform(0.15, 0.6)
        covered = [*box[:2], *box[2:]]
        edge = int(rng.choice(4, p=_COVERED_FROM))
        span = box[2:][edge % 2] - box[:2][edge % 2]
        covered[edge] = covered[(edge + 2) % 4] + (1 if edge >= 2 else -1) * share * span
        low = np.clip(np.minimum(covered[:2], covered[2:]), 0, None)
        high = np.maximum(covered[:2], covered[2:])
        left, top, right, bottom = np.rint((*low, *high)).astype(int).tolist()
        hidden = image[top:bottom, left:right]
        rows, columns = hidden.shape[:2]
        y = int(rng.integers(image.shape[0] - rows + 1))
        x = int(rng.integers(image.shape[1] - columns + 1))
        if rng.random() < 0.5 or _meets(boxes, x, y, x + columns, y + rows):
            hidden[:] = rng.integers(0, 256, 3)
        else:
            hidden[:] = before[y : y + rows, x : x + columns]
    return image


def _meets(boxes: Boxes, left: int, top: int, right: int, bottom: int) -> bool:
    apart = (boxes[:, :2] >= (right, bottom)).any(1) | (boxes[:, 2:] <= (left, top)).any(1)
    return not bool(apart.all())
