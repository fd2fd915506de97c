"""Extra detections, now and then: in copies of the view turned by quarters, and by other detectors.

Detectors know upright faces: a lying, bent or upside-down head is seen in a copy that turns it
upright. Another detector sees what the first one overlooks. Both are also mistaken more often, so
what they detect counts only if the classifier agrees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.core.times import slot_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.core.parameters import ExtraDetectionParameters
    from tracker_blur.core.state import State
    from tracker_blur.detectors import Detector

QUARTERS = (1, 3, 2)
"""Quarter turns, in the order in which they are tried: lying heads are more usual than others."""


class Way(NamedTuple):
    """How a face was detected, and is best detected again.

    Attributes:
        detector: Number of the detector; 0 is the one that the settings name.
        quarters: How many quarters the copy was turned counterclockwise.
    """

    detector: int
    quarters: int


USUAL = Way(0, 0)


@dataclass(frozen=True, slots=True)
class ExtraDetection:
    """One way to detect in addition.

    Attributes:
        detector: What detects; used for no images of another size.
        way: Which detector that is, and how the copy is turned.
        confidence: Score from which a detection counts.
    """

    detector: Detector
    way: Way
    confidence: float

    def detect(self, image: Image) -> list[Detection]:
        """Return the detections, boxes in pixels of the image."""
        quarters = self.way.quarters
        found = self.detector.detect(turned(image, quarters), self.confidence)
        size = image.shape[1], image.shape[0]
        return [
            replace(one, box=turned_back(one.box, size, quarters))
            for one in found
            if not one.box.is_empty
        ]


class ExtraDetections:
    """Detects in one of these ways at a time, in turns, which follow the clock.

    Args:
        ways: What there is to do.
        parameters: Tuning parameters.
    """

    def __init__(
        self, ways: Sequence[ExtraDetection], parameters: ExtraDetectionParameters
    ) -> None:
        self._ways = ways
        self._parameters = parameters
        self._eager = 0
        self._last_slot: int | None = None
        self.restart()

    def restart(self) -> None:
        """Take each way once, without a pause: a new scene begins."""
        self._eager = len(self._ways)

    def detect(self, image: Image, seconds: float) -> tuple[ExtraDetection, list[Detection]] | None:
        """Return the way that is due and what it detects; None if none is due.

        Call it on detection frames.
        """
        slot = slot_of(seconds, self._parameters.interval_seconds)
        if not self._ways or not (self._eager or slot != self._last_slot):
            return None
        due = self._ways[-self._eager if self._eager else (slot or 0) % len(self._ways)]
        self._eager = max(0, self._eager - 1)
        self._last_slot = slot
        return due, due.detect(image)

    def state(self) -> State:
        """Return what the next detections depend on, besides the next images."""
        return self._eager, self._last_slot


def turned(image: Image, quarters: int) -> Image:
    """Return a copy of an image, turned counterclockwise by quarters; the image itself for 0."""
    if not quarters:
        return image
    return np.ascontiguousarray(np.rot90(image, quarters))


def turned_back(box: Box, size: tuple[int, int], quarters: int) -> Box:
    """Return where a box of a turned copy is in the image of this (width, height)."""
    width, height = size
    left, top, right, bottom = box.as_tuple()
    if quarters == 1:
        return Box(width - bottom, left, width - top, right)
    if quarters == 2:
        return Box(width - right, height - bottom, width - left, height - top)
    if quarters == 3:
        return Box(top, height - right, bottom, height - left)
    return box
