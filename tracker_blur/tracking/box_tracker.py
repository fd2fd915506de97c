"""Follows what a person drew a box around, from view to view, until it is no longer sure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.tracking.advancing import has_drifted, is_outside
from tracker_blur.tracking.appearance import (
    color_histogram,
    common_color_share,
    gray_patch,
    likeness,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from tracker_blur.core.box import Box, Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.core.parameters import TrackingParameters
    from tracker_blur.trackers import Tracker

    Redetect: TypeAlias = Callable[[Image, Box], Detection | None]


class HelpedTracker:
    """A box tracker that a detector corrects now and then, and asks where the tracker is lost.

    What is detected must still have the colors of the drawn box: another person may be there.

    Args:
        image: the view in which the box was drawn.
        box: the box, in pixels of the view.
        new_tracker: makes a tracker for one box.
        parameters: tuning parameters.
        redetect: returns what is detected where a box is expected; None: no detector helps.
    """

    def __init__(
        self,
        image: Image,
        box: Box,
        new_tracker: Callable[[], Tracker],
        parameters: TrackingParameters,
        redetect: Redetect | None,
    ) -> None:
        self._new_tracker = new_tracker
        self._parameters = parameters
        self._redetect = redetect
        self._colors = color_histogram(image, box)
        self._tracker = BoxTracker(image, box, new_tracker(), parameters)
        self._box = box
        self._steps = 0

    def step(self, image: Image) -> Box | None:
        """Return where it is in the next view; None once it is lost or not sure any more."""
        self._steps += 1
        box = self._tracker.step(image)
        if box is None or self._steps % self._parameters.following.redetect_frames == 0:
            found = self._found(image, self._box if box is None else box)
            if found is not None:
                self._tracker = BoxTracker(image, found, self._new_tracker(), self._parameters)
                box = found
        if box is not None:
            self._box = box
        return box

    def _found(self, image: Image, expected: Box) -> Box | None:
        found = None if self._redetect is None else self._redetect(image, expected)
        if found is None or is_outside(found.box, image, self._parameters):
            return None
        shared = common_color_share(self._colors, color_histogram(image, found.box))
        return found.box if shared >= self._parameters.following.min_color_share else None


class BoxTracker:
    """A tracker that no detector confirms, and that stops where the pixels are others.

    Args:
        image: the view in which the box was drawn.
        box: the box, in pixels of the view.
        tracker: a new one, for this box.
        parameters: tuning parameters.
    """

    def __init__(
        self, image: Image, box: Box, tracker: Tracker, parameters: TrackingParameters
    ) -> None:
        self._tracker = tracker
        self._parameters = parameters
        self._box = box
        self._patch = gray_patch(image, box)
        self._colors = color_histogram(image, box)
        self._is_lost = False
        tracker.start(image, box)

    def step(self, image: Image) -> Box | None:
        """Return where it is in the next view; None once it is lost or not sure any more."""
        box = None if self._is_lost else self._tracker.update(image)
        if box is None or not self._is_the_same(image, box):
            self._is_lost = True
            return None
        self._box, self._patch = box, gray_patch(image, box)
        return box

    def _is_the_same(self, image: Image, box: Box) -> bool:
        parameters = self._parameters
        if is_outside(box, image, parameters) or has_drifted(box, self._box, parameters):
            return False
        limits = parameters.following
        shared = common_color_share(self._colors, color_histogram(image, box))
        alike = likeness(self._patch, gray_patch(image, box))
        return shared >= limits.min_color_share and alike >= limits.min_likeness_share
