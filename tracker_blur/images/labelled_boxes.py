"""Draws the boxes of detections, with their classes and scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracker_blur.core.frame import Image
    from tracker_blur.core.predictions import Prediction

_BOX_BGR, _TEXT_BGR = (0, 215, 255), (0, 0, 0)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_LINES_PER_SIDE = 400  # of the image's longer side, so that they are seen in a reduced copy too
_SMALLEST_TEXT, _TEXT_SCALE = 0.4, 0.2  # of OpenCV's font; the latter for each pixel of a line


def draw(image: Image, predictions: Iterable[Prediction]) -> None:
    """Draw boxes into an upright BGR image, each with its class and score above it."""
    height, width = image.shape[:2]
    line = max(1, round(max(width, height) / _LINES_PER_SIDE))
    scale = max(_SMALLEST_TEXT, _TEXT_SCALE * line)
    stroke = max(1, round(scale))
    for each in predictions:
        left, top, right, bottom = map(round, each.box.as_tuple())
        cv2.rectangle(image, (left, top), (right, bottom), _BOX_BGR, line)
        text = f"{each.label} {each.score:.2f}".encode("ascii", "replace").decode()
        (text_width, text_height), below = cv2.getTextSize(text, _FONT, scale, stroke)
        tall = text_height + below
        x = max(0, min(left, width - text_width))
        y = top if top >= tall else min(bottom + tall, height)  # under boxes at the upper border
        cv2.rectangle(image, (x, y - tall), (x + text_width, y), _BOX_BGR, cv2.FILLED)
        cv2.putText(image, text, (x, y - below), _FONT, scale, _TEXT_BGR, stroke, cv2.LINE_AA)
