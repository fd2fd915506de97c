"""Looks at a picture at full size, half, quarter and so on: a network sees few sizes of faces."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from tracker_blur.boxes import Detection, suppress_overlaps
from tracker_blur.frames import Image

_SAME_FACE_IOU = 0.4


def over_octaves(
    image: Image, smallest_px: int, look: Callable[[Image, int], list[Detection]]
) -> list[Detection]:
    """Return what `look` finds at full size and at each halving, boxes in the image's pixels.

    `look` gets a picture and how often it was halved. The last one's longer side is at most
    `smallest_px`; all halvings together cost a third of the full size.
    """
    height, width = image.shape[:2]
    found: list[Detection] = []
    octave = 0
    while True:
        rows, columns = image.shape[:2]
        found += (
            Detection(find.box.scaled(width / columns, height / rows), find.score, find.label)
            for find in look(image, octave)
        )
        if max(rows, columns) <= smallest_px:
            return suppress_overlaps(found, _SAME_FACE_IOU)
        half = max(1, columns // 2), max(1, rows // 2)
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
        octave += 1
