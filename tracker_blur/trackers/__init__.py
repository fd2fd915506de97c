"""Trackers: one file each; a file's name is the value of `--tracker`.

A tracker module holds `load(weights) -> Callable[[], Tracker]`, a factory of fresh trackers. To
add a tracker, add a file; the contract tests in `tests/trackers/test_contract.py` run over all.

Boxes in and out of OpenCV's trackers, which take whole pixels inside the picture.
"""

from __future__ import annotations

from typing import Protocol

import cv2

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Image


class Tracker(Protocol):
    """Follows one face from picture to picture; used for one face, then thrown away."""

    def start(self, image: Image, box: Box) -> None:
        """Learn the face that `box`, in the image's pixels, holds in this picture."""
        ...

    def update(self, image: Image) -> Box | None:
        """Return where the face is in the next picture, of the same size; None when it is lost."""
        ...


_SMALLEST_PX = 8  # correlation filters fail on less


class OpenCVTracker:
    """One of OpenCV's trackers as a `Tracker`."""

    def __init__(self, tracker: cv2.Tracker) -> None:
        self._tracker = tracker
        self._started = False

    def start(self, image: Image, box: Box) -> None:
        """Learn the face; a box too small or outside the picture is lost from the start."""
        height, width = image.shape[:2]
        left, top, right, bottom = box.clipped(width, height).outward()
        if right - left < _SMALLEST_PX or bottom - top < _SMALLEST_PX:
            return
        try:
            self._tracker.init(image, (left, top, right - left, bottom - top))
        except cv2.error:  # e.g. a template that has no size left after scaling
            return
        self._started = True

    def update(self, image: Image) -> Box | None:
        """Return where the face is in this picture; None when it is lost."""
        if not self._started:
            return None
        try:
            found, (x, y, width, height) = self._tracker.update(image)
        except cv2.error:  # the box left the picture
            return None
        box = Box.from_xywh(x, y, width, height)
        return None if not found or box.is_empty else box
