"""Small images of places, for the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image

_CROP_PADDING_RATIO = 1.0
_CROP_HEIGHT_PX = 160
_CROP_MAX_ENLARGEMENT = 4.0
_JPEG_QUALITY = 80
_MARK_BGR = (0, 215, 255)


def thumbnail(image: Image, box: Box, *, is_marked: bool) -> Image | None:
    """Return a small image of a place and its surroundings; None if it is outside of the frame.

    Args:
        image: the frame.
        box: the place.
        is_marked: whether to draw the box.
    """
    height, width = image.shape[:2]
    if box.clipped(width, height).is_empty:
        return None
    around = box.padded(_CROP_PADDING_RATIO)
    # At the border, show as much as elsewhere.
    dx = max(0.0, -around.left) - max(0.0, around.right - width)
    dy = max(0.0, -around.top) - max(0.0, around.bottom - height)
    around = around.moved(dx, dy).clipped(width, height)
    left, top, right, bottom = around.outward()
    ratio = min(_CROP_HEIGHT_PX / (bottom - top), _CROP_MAX_ENLARGEMENT)
    size = max(1, round((right - left) * ratio)), max(1, round((bottom - top) * ratio))
    crop = cv2.resize(image[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
    if is_marked:
        corners = box.moved(-left, -top).scaled(ratio, ratio).outward()
        cv2.rectangle(crop, corners[:2], corners[2:], _MARK_BGR, 1)
    return np.asarray(crop, np.uint8)


def encode_jpeg(image: Image) -> bytes:
    """Return a JPEG of an image."""
    _, encoded = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))
    return encoded.tobytes()
