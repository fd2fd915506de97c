"""Gaussian blur and mosaic on arrays of samples, for the methods and for the public functions."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.errors import InputError

_LARGEST_SIGMA_PX = 4  # on the reduced copy; enough that enlarging it leaves no visible steps


def anonymize_face_simple(
    image: npt.NDArray[np.uint8], factor: float = 3.0
) -> npt.NDArray[np.uint8]:
    """Return a blurred copy of an image of a face.

    The Gaussian kernel's width and height are the image's divided by `factor`, odd, at least 3. A
    blur hides a face from people, not from programs: see docs/redaction.md.

    Args:
        image: shape (height, width) or (height, width, channels), uint8, of any size from 1x1.
        factor: the image's size over the kernel's.

    Raises:
        InputError: The image is not such an array, or the factor is not above 0.
    """
    _check_image(image)
    is_number = isinstance(factor, Real) and not isinstance(factor, bool)
    if not (is_number and 0 < factor < math.inf):
        raise InputError(f"factor is {factor!r}: give a number above 0")
    height, width = image.shape[:2]
    return gaussian_blur(image, kernel_px(width, factor), kernel_px(height, factor))


def anonymize_face_pixelate(image: npt.NDArray[np.uint8], blocks: int = 3) -> npt.NDArray[np.uint8]:
    """Return a copy of an image of a face as a mosaic of `blocks` by `blocks` mean colors.

    Args:
        image: shape (height, width) or (height, width, channels), uint8, of any size from 1x1. A
            side of fewer than `blocks` pixels keeps its pixels.
        blocks: blocks along each side.

    Raises:
        InputError: The image is not such an array, or there is not even one block.
    """
    _check_image(image)
    if not isinstance(blocks, Integral) or isinstance(blocks, bool) or blocks < 1:
        raise InputError(f"blocks is {blocks!r}: give a whole number of at least 1")
    y_edges, x_edges = (
        np.linspace(0, side, min(blocks, side) + 1).astype(np.intp) for side in image.shape[:2]
    )
    return mosaic(image, x_edges, y_edges)


def kernel_px(side_px: float, factor: float) -> int:
    """Return the Gaussian kernel's size, odd and at least 3, for one side of a face."""
    return max(3, math.ceil(side_px / factor) | 1)


def gaussian_blur(
    samples: npt.NDArray[Any], kernel_width: int, kernel_height: int
) -> npt.NDArray[Any]:
    """Return samples blurred by a Gaussian; sigma is half of the kernel's size on each axis.

    OpenCV derives a sigma a third as large from a kernel's size and truncates the Gaussian at the
    kernel, which leaves too much of a face (docs/redaction.md). Wide blurs run on a reduced copy:
    the result is as blurred, and the cost stays flat.
    """
    rows, columns = samples.shape[:2]
    x_shrink = max(1, kernel_width // (2 * _LARGEST_SIGMA_PX))
    y_shrink = max(1, kernel_height // (2 * _LARGEST_SIGMA_PX))
    size = math.ceil(columns / x_shrink), math.ceil(rows / y_shrink)
    small = cv2.resize(np.ascontiguousarray(samples), size, interpolation=cv2.INTER_AREA)
    x_sigma, y_sigma = kernel_width / 2 * size[0] / columns, kernel_height / 2 * size[1] / rows
    small = cv2.GaussianBlur(small.astype(np.float32), (0, 0), sigmaX=x_sigma, sigmaY=y_sigma)
    small = np.rint(small).astype(samples.dtype)
    result = cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return result.reshape(samples.shape)


def block_means(
    samples: npt.NDArray[Any],
    x_edges: npt.NDArray[np.intp],
    y_edges: npt.NDArray[np.intp],
) -> npt.NDArray[Any]:
    """Return the mean of each block, rounded to the nearest sample value.

    Args:
        samples: shape (height, width) or (height, width, channels).
        x_edges: strictly ascending from 0 to the width; block i reaches from edge i to edge i + 1.
        y_edges: the same from 0 to the height.
    """
    rows = np.add.reduceat(samples, y_edges[:-1], axis=0, dtype=np.uint64)
    sums = np.add.reduceat(rows, x_edges[:-1], axis=1)
    counts = np.outer(np.diff(y_edges), np.diff(x_edges)).astype(np.uint64)
    counts = counts.reshape(counts.shape + (1,) * (samples.ndim - 2))
    means: npt.NDArray[Any] = ((sums + counts // 2) // counts).astype(samples.dtype)
    return means


def mosaic(
    samples: npt.NDArray[Any],
    x_edges: npt.NDArray[np.intp],
    y_edges: npt.NDArray[np.intp],
) -> npt.NDArray[Any]:
    """Return samples with each block, as in `block_means`, filled with its mean."""
    means = block_means(samples, x_edges, y_edges)
    return means.repeat(np.diff(x_edges), axis=1).repeat(np.diff(y_edges), axis=0)


def _check_image(image: npt.NDArray[Any]) -> None:
    if not isinstance(image, np.ndarray):  # cv2.imread returns None for what it cannot read
        raise InputError(f"the image is {type(image).__name__}: give an array; could it be read?")
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.size == 0:
        raise InputError(
            f"the image has shape {image.shape} and samples of {image.dtype}: "
            "give a uint8 array of shape (height, width) or (height, width, channels)"
        )
