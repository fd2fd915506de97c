"""Blurs and pixelates arrays of samples: what the redaction methods and the two functions share."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

_LARGEST_DEVIATION_PX = 4
"""Of a Gaussian at the reduced size: enough for the steps of enlarging not to show."""


def anonymize_face_simple(
    image: npt.NDArray[np.uint8], factor: float = 3.0
) -> npt.NDArray[np.uint8]:
    """Return a blurred copy of a picture of a face.

    The Gaussian kernel's width and height are the picture's divided by `factor`, odd, 3 at least.
    A blur hides from the eye, not from a program: see docs/redaction.md.

    image  shape (height, width) or (height, width, channels), uint8, of any size from 1x1 up

    Raises ValueError for an empty picture or a factor that is not above 0.
    """
    _check_image(image)
    if not (math.isfinite(factor) and factor > 0):
        raise ValueError(f"factor is {factor}: give a number above 0")
    height, width = image.shape[:2]
    return blurred(image, kernel_px(width, factor), kernel_px(height, factor))


def anonymize_face_pixelate(image: npt.NDArray[np.uint8], blocks: int = 3) -> npt.NDArray[np.uint8]:
    """Return a copy of a picture of a face as `blocks` by `blocks` blocks of their mean color.

    image  shape (height, width) or (height, width, channels), uint8, of any size from 1x1 up; a
           side of fewer than `blocks` pixels keeps its pixels

    Raises ValueError for an empty picture or fewer than one block.
    """
    _check_image(image)
    if blocks < 1:
        raise ValueError(f"blocks is {blocks}: give a whole number of at least 1")
    y_edges, x_edges = (
        np.linspace(0, side, min(blocks, side) + 1).astype(np.intp) for side in image.shape[:2]
    )
    return pixelated(image, x_edges, y_edges)


def kernel_px(side_px: float, factor: float) -> int:
    """Return the odd Gaussian kernel, 3 at least, for a side of a face."""
    return max(3, math.ceil(side_px / factor) | 1)


def blurred(samples: npt.NDArray[Any], width: int, height: int) -> npt.NDArray[Any]:
    """Return samples under a Gaussian whose standard deviation is half of each kernel side.

    The bell goes on beyond the kernel instead of being cut at it, and is three times as wide as
    the one that OpenCV derives from a kernel's size, which leaves too much of a face
    (docs/redaction.md). A wide one works on a reduced copy: as blurred, at a flat cost.
    """
    rows, columns = samples.shape[:2]
    x_shrink = max(1, width // (2 * _LARGEST_DEVIATION_PX))
    y_shrink = max(1, height // (2 * _LARGEST_DEVIATION_PX))
    size = math.ceil(columns / x_shrink), math.ceil(rows / y_shrink)
    small = cv2.resize(np.ascontiguousarray(samples), size, interpolation=cv2.INTER_AREA)
    x_deviation, y_deviation = width / 2 * size[0] / columns, height / 2 * size[1] / rows
    small = cv2.GaussianBlur(
        small.astype(np.float32), (0, 0), sigmaX=x_deviation, sigmaY=y_deviation
    )
    small = np.rint(small).astype(samples.dtype)
    result = cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return result.reshape(samples.shape)


def block_means(
    samples: npt.NDArray[Any],
    x_edges: npt.NDArray[np.intp],
    y_edges: npt.NDArray[np.intp],
) -> npt.NDArray[Any]:
    """Return the mean of each block, rounded to the nearest sample value.

    The edges rise strictly from 0 to the width and to the height; block i reaches from edge i to
    edge i + 1.
    """
    rows = np.add.reduceat(samples, y_edges[:-1], axis=0, dtype=np.uint64)
    sums = np.add.reduceat(rows, x_edges[:-1], axis=1)
    counts = np.outer(np.diff(y_edges), np.diff(x_edges)).astype(np.uint64)
    counts = counts.reshape(counts.shape + (1,) * (samples.ndim - 2))
    means: npt.NDArray[Any] = ((sums + counts // 2) // counts).astype(samples.dtype)
    return means


def pixelated(
    samples: npt.NDArray[Any],
    x_edges: npt.NDArray[np.intp],
    y_edges: npt.NDArray[np.intp],
) -> npt.NDArray[Any]:
    """Return samples with each block, see `block_means`, filled with its mean."""
    means = block_means(samples, x_edges, y_edges)
    return means.repeat(np.diff(x_edges), axis=1).repeat(np.diff(y_edges), axis=0)


def _check_image(image: npt.NDArray[Any]) -> None:
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.size == 0:
        raise ValueError(
            f"the picture has shape {image.shape} and samples of {image.dtype}: "
            "give a uint8 array of shape (height, width) or (height, width, channels)"
        )
