"""Images with a known face: NASA's portrait of Eileen Collins, from scikit-image."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from skimage import data

from tracker_blur.core.box import Box, Detection

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image

FACE = Box(179, 57, 272, 178)  # forehead to chin, in the portrait's 512x512 pixels


def portrait(scale: float = 1.0) -> Image:
    """Return the portrait as BGR, scaled."""
    return scaled(_portrait(), scale)


@cache
def _portrait() -> Image:
    return np.asarray(cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR), np.uint8)


def scaled(image: Image, scale: float) -> Image:
    """Return an image at `scale` times its size."""
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=method), np.uint8)


def with_face_at(size: tuple[int, int], center: tuple[int, int], face_px: int) -> tuple[Image, Box]:
    """Return a gray image with the portrait's head in it, and the face's box.

    Args:
        size: Width and height of the image.
        center: Where the face's center is.
        face_px: Height of the face.
    """
    width, height = size
    scale = face_px / FACE.height
    source = portrait()
    head = FACE.padded(0.6).clipped(512, 512)
    left, top, right, bottom = head.outward()
    patch = scaled(source[top:bottom, left:right], scale)
    canvas = np.full((height, width, 3), 127, np.uint8)
    x = center[0] - round((FACE.center[0] - left) * scale)
    y = center[1] - round((FACE.center[1] - top) * scale)
    rows, columns = canvas[max(0, y) :, max(0, x) :].shape[:2]
    patch = patch[max(0, -y) :, max(0, -x) :][:rows, :columns]
    canvas[max(0, y) :, max(0, x) :][: patch.shape[0], : patch.shape[1]] = patch
    return canvas, FACE.moved(-left, -top).scaled(scale, scale).moved(x, y)


def best_iou(detections: list[Detection], face: Box) -> float:
    """Return the highest IoU of any detection with a face; 0 without detections."""
    return max((detection.box.iou(face) for detection in detections), default=0.0)
