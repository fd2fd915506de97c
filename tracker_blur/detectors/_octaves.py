"""Looks at a picture at full size, half, quarter and so on: a network sees few sizes of faces."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from tracker_blur.boxes import Detection, suppress_overlaps
from tracker_blur.frames import Image

_SAME_FACE_IOU = 0.4


def over_octaves(
    image: Image,
    smallest_px: int,
    look: Callable[[Image, int], list[Detection]],
    octaves_per_step: int = 1,
) -> list[Detection]:
    """Return what `look` finds at full size and at each reduction, boxes in the image's pixels.

    `look` gets a picture and how often it was reduced. Each step halves the picture
    `octaves_per_step` times; the last one's longer side is at most `smallest_px`. All halvings
    together cost a third of the full size, all quarterings a fifteenth.
    """
    height, width = image.shape[:2]
    found: list[Detection] = []
    shrink = 1 << octaves_per_step
    step = 0
    while True:
        rows, columns = image.shape[:2]
        found += (
            Detection(find.box.scaled(width / columns, height / rows), find.score, find.label)
            for find in look(image, step)
        )
        if max(rows, columns) <= smallest_px:
            return suppress_overlaps(found, _SAME_FACE_IOU)
        size = max(1, columns // shrink), max(1, rows // shrink)
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        step += 1
