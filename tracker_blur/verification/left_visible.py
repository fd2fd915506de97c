"""Faces that are visible by choice: they are no exposure, but a person should know of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tracker_blur.verification.exposures import LeftVisible

if TYPE_CHECKING:
    from tracker_blur.core.box import Box
    from tracker_blur.core.rules import Reason
    from tracker_blur.verification.parameters import VerificationParameters
    from tracker_blur.verification.probed_frame import ProbedFrame


class LeftVisiblePlaces:
    """Groups what is left visible in successive frames by its track, or its place.

    Args:
        parameters: thresholds.
    """

    def __init__(self, parameters: VerificationParameters) -> None:
        self._parameters = parameters
        self._open: list[tuple[LeftVisible, int]] = []  # each with its last frame
        self._done: list[LeftVisible] = []

    def add(self, reason: Reason, track_id: int | None, frame: ProbedFrame, box: Box) -> None:
        """Add a face that is seen in a frame, with its track if it has one; frames ascend."""
        oldest = frame.index - self._parameters.track_margin_frames
        self._done += [place for place, last in self._open if last < oldest]
        self._open = [each for each in self._open if each[1] >= oldest]
        for at, (place, last) in enumerate(self._open):
            if (place.reason, place.track_id) != (reason, track_id):
                continue
            if track_id is not None or place.box.iou(box) >= self._parameters.run_iou:
                frames = place.frames + (last < frame.index)
                longer = replace(place, last=frame.time, frames=frames, box=box)
                self._open[at] = longer, frame.index
                return
        place = LeftVisible(reason, frame.time, frame.time, 1, box, track_id)
        self._open.append((place, frame.index))

    def places(self) -> tuple[LeftVisible, ...]:
        """Return the places so far, by their first frames."""
        every = [*self._done, *(place for place, _ in self._open)]
        return tuple(sorted(every, key=lambda place: (place.first, place.box.left)))
