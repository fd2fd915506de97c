"""Erases known faces from a view, so that they do not count for a larger track that shows them.

A classifier's crop shows a track's surroundings. Around a body it shows the head, and calls the
body a face. What a known face explains is not evidence for another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.classifiers.crops import CONTEXT_RATIO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image


def faces_in_crop(box: Box, faces: Sequence[Box], size_ratio: float, min_share: float) -> list[Box]:
    """Return the smaller faces that a classifier's crop of a box shows.

    Args:
        box: The box, in pixels.
        faces: Other boxes, in the same pixels.
        size_ratio: How many times as large as a face, by side, the box must be.
        min_share: Share of a face that the crop must show.
    """
    shown = box.padded((CONTEXT_RATIO - 1) / 2)
    return [
        face
        for face in faces
        if size_ratio * face.size <= box.size
        and shown.intersection_area(face) >= min_share * face.area
    ]


def erased(image: Image, boxes: Sequence[Box]) -> Image:
    """Return a copy of an image in which each box has one color: the median of what it showed."""
    copy = image.copy()
    height, width = image.shape[:2]
    for box in boxes:
        left, top, right, bottom = box.clipped(width, height).outward()
        patch = copy[top:bottom, left:right]
        if patch.size:
            patch[:] = np.median(patch.reshape(-1, 3), axis=0)
    return copy
