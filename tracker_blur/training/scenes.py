"""Scene: a picture in memory with its boxes, and how it is moved onto a canvas of another size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.core.frame import Image
from tracker_blur.settings import Shape as Outline

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
