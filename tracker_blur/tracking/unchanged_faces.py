"""Keeps the tracks of faces that a detector misses, though nothing has changed where they are.

A detector may see a face that lies, or is half dark, in one frame and not in the next, though
no one has moved. Where the pixels are those of the last detection, the face is still there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.tracking.appearance import gray_patch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.frame import Image
    from tracker_blur.core.parameters import UnchangedFaceParameters
    from tracker_blur.tracking.track_classifier import TrackClassifier
    from tracker_blur.tracking.track_state import TrackState

_TILES = 4  # rows and columns of the tiles in which patches are compared


class UnchangedFaces:
    """Keeps missed tracks where views have not changed.

    Args:
        classifier: Knows which tracks are faces: what is none shall not be kept.
        parameters: Tuning parameters.
    """

    def __init__(self, classifier: TrackClassifier, parameters: UnchangedFaceParameters) -> None:
        self._classifier = classifier
        self._parameters = parameters

    def keep(
        self,
        tracks: Sequence[TrackState],
        last: tuple[Image, float] | None,
        image: Image,
        seconds: float,
    ) -> list[TrackState]:
        """Keep the tracks whose faces are where they were detected last; return the others.

        Args:
            tracks: Those missed.
            last: The view before, of the same size, and its time; None: this is the first.
            image: The view.
            seconds: Its time.
        """
        changed = []
        for track in tracks:
            if self._is_face(track) and self._is_same(track, last, image, seconds):
                track.stay(seconds)
            else:
                changed.append(track)
        return changed

    def _is_face(self, track: TrackState) -> bool:
        return self._classifier.pooled_log_odds(track) >= self._parameters.min_log_odds

    def _is_same(
        self, track: TrackState, last: tuple[Image, float] | None, image: Image, seconds: float
    ) -> bool:
        limits = self._parameters
        if last is not None and track.confirmed_seconds == last[1]:
            track.patch = gray_patch(last[0], track.confirmed)
        if track.patch is None or seconds - track.confirmed_seconds > limits.max_seconds:
            return False
        if track.patch.std() < limits.min_contrast_levels:
            return False
        return _largest_change(track.patch, gray_patch(image, track.confirmed)) <= limits.max_levels


def _largest_change(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """Return the mean change of the tile that changed most.

    A bright window behind a dark face must not outweigh the face.
    """
    side = len(one) // _TILES
    tiles = np.abs(one - other).reshape(_TILES, side, _TILES, side).mean((1, 3))
    return float(tiles.max())
