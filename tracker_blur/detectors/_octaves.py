"""Looks at a picture at full size, half, quarter and so on: a network sees few sizes of faces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

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
    coarse_px: float = 0.0,
) -> list[Detection]:
    """Return what `look` finds at full size and at each reduction, boxes in the image's pixels.

    `look` gets a picture and how often it was reduced. Each step halves the picture
    `octaves_per_step` times; the last one's longer side is at most `smallest_px`. All halvings
    together cost a third of the full size, all quarterings a fifteenth.

    coarse_px   finds of a reduction of less than this size (`Box.size`) there have coarse boxes:
                where a larger copy shows something too, its box is taken, with the better score
    """
    height, width = image.shape[:2]
    found: list[Detection] = []
    shrink = 1 << octaves_per_step
    step = 0
    while True:
        rows, columns = image.shape[:2]
        back = width / columns, height / rows
        for find in look(image, step):
            placed = Detection(find.box.scaled(*back), find.score, find.label)
            coarse = step > 0 and find.box.size < coarse_px
            if not (coarse and _lent(placed, found)):
                found.append(placed)
        if max(rows, columns) <= smallest_px:
            return suppress_overlaps(found, _SAME_FACE_IOU)
        size = max(1, columns // shrink), max(1, rows // shrink)
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        step += 1


def _lent(coarse: Detection, finer: list[Detection]) -> bool:
    """Give the coarse find's score, if it is better, to the finer find in its place, if any."""
    overlaps = [find.box.iou(coarse.box) if find.label == coarse.label else 0.0 for find in finer]
    best = max(range(len(finer)), key=overlaps.__getitem__, default=None)
    if best is None or overlaps[best] <= _SAME_FACE_IOU:
        return False
    finer[best] = replace(finer[best], score=max(finer[best].score, coarse.score))
    return True
