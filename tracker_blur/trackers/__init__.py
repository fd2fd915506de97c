"""Trackers: one module each; its name is the value of `--tracker`.

A tracker module has `load(weights) -> Callable[[], Tracker]`, which returns a factory of trackers.
To add a tracker, add a module; `tests/trackers/test_contract.py` tests every one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import cv2

from tracker_blur.core.box import Box

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.core.frame import Image


class Tracker(Protocol):
    """Tracks one face from image to image; used for one face only."""

    def start(self, image: Image, box: Box) -> None:
        """Learn the face in `box`, in pixels of the image."""
        ...

    def update(self, image: Image) -> Box | None:
        """Return where the face is in the next image, of the same size; None when it is lost."""
        ...


_MIN_SIDE_PX = 8  # correlation filters fail below


class OpenCVTracker:
    """One of OpenCV's trackers as a `Tracker`; they take whole pixels inside the image.

    Args:
        create: Returns a new one for a face in this box, in pixels of the image.
    """

    def __init__(self, create: Callable[[Box], cv2.Tracker]) -> None:
        self._create = create
        self._tracker: cv2.Tracker | None = None

    def start(self, image: Image, box: Box) -> None:
        """Learn the face. A box that is too small or outside the image is lost from the start."""
        height, width = image.shape[:2]
        left, top, right, bottom = box.clipped(width, height).outward()
        if right - left < _MIN_SIDE_PX or bottom - top < _MIN_SIDE_PX:
            return
        tracker = self._create(Box(left, top, right, bottom))
        try:
            tracker.init(image, (left, top, right - left, bottom - top))
        except cv2.error:  # for example a template that scaling leaves without a size
            return
        self._tracker = tracker

    def update(self, image: Image) -> Box | None:
        """Return where the face is in this image; None when it is lost."""
        if self._tracker is None:
            return None
        try:
            is_found, (x, y, width, height) = self._tracker.update(image)
        except cv2.error:  # the box left the image
            return None
        box = Box.from_xywh(x, y, width, height)
        return None if not is_found or box.is_empty else box
