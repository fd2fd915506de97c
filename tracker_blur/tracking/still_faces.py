"""Keeps the tracks of faces that a detector misses, though nothing has changed where they are.

A detector may see a face that lies, or is half dark, in one frame and not in the next, though
nobody has moved. Where the pixels are those of the last detection, the face is still there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.tracking.appearance import gray_patch, likeness

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from tracker_blur.core.frame import Image
    from tracker_blur.core.parameters import StillFaceParameters
    from tracker_blur.tracking.track_classifier import TrackClassifier
    from tracker_blur.tracking.track_state import TrackState


class StillFaces:
    """Confirms missed tracks where views have not changed.

    Args:
        classifier: Knows which tracks are faces: what is none shall not be kept.
        parameters: Tuning parameters.
    """

    def __init__(self, classifier: TrackClassifier, parameters: StillFaceParameters) -> None:
        self._classifier = classifier
        self._parameters = parameters

    def confirm(
        self,
        tracks: Sequence[TrackState],
        last: tuple[Image, float] | None,
        image: Image,
        seconds: float,
    ) -> list[TrackState]:
        """Confirm the tracks whose faces have not moved; return the others.

        Args:
            tracks: Those missed.
            last: The view before, of the same size, and its time; None: this is the first.
            image: The view.
            seconds: Its time.
        """
        moved = []
        for track in tracks:
            if self._classifier.is_trusted(track) and self._is_still(track, last, image, seconds):
                track.stay(seconds)
            else:
                moved.append(track)
        return moved

    def _is_still(
        self, track: TrackState, last: tuple[Image, float] | None, image: Image, seconds: float
    ) -> bool:
        limits = self._parameters
        if track.patch is None and not track.missed_detections:
            track.patch = _patch(track, last)
        if track.patch is None or seconds - track.detected_seconds > limits.max_seconds:
            return False
        if track.patch.std() < limits.min_contrast_levels:
            return False
        return likeness(track.patch, gray_patch(image, track.known)) >= limits.min_likeness_share


def _patch(track: TrackState, last: tuple[Image, float] | None) -> npt.NDArray[np.float32] | None:
    """Return what the view before shows where a track was then; None if it was not known there."""
    if last is None or track.known_seconds != last[1]:
        return None
    return gray_patch(last[0], track.known)
