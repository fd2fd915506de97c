"""Places of a picture, as small JPEG pictures for people to look at."""

from __future__ import annotations

import cv2

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Image

_PADDING = 1.0
_HEIGHT_PX = 160
_MOST_ENLARGED = 4.0
_QUALITY = 80  # JPEG
_MARK_BGR = (0, 215, 255)


def crop(picture: Image, box: Box, *, marked: bool) -> bytes | None:
    """Return a JPEG of a place and its surroundings; None where it is outside of the picture."""
    height, width = picture.shape[:2]
    if box.clipped(width, height).is_empty:
        return None
    around = box.padded(_PADDING)
    # At the border, show as much as elsewhere.
    dx = max(0.0, -around.left) - max(0.0, around.right - width)
    dy = max(0.0, -around.top) - max(0.0, around.bottom - height)
    around = around.moved(dx, dy).clipped(width, height)
    left, top, right, bottom = around.outward()
    ratio = min(_HEIGHT_PX / (bottom - top), _MOST_ENLARGED)
    size = max(1, round((right - left) * ratio)), max(1, round((bottom - top) * ratio))
    part = cv2.resize(picture[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
    if marked:
        corners = box.moved(-left, -top).scaled(ratio, ratio).outward()
        cv2.rectangle(part, corners[:2], corners[2:], _MARK_BGR, 1)
    _, encoded = cv2.imencode(".jpg", part, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
    return encoded.tobytes()
