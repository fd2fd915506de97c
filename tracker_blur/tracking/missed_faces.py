"""Detects tracks' faces again, in crops, in a view whose detection has missed them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.core.box_arrays import are_among
from tracker_blur.tracking.advancing import latest
from tracker_blur.tracking.extra_detection import QUARTERS, USUAL, Way

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image
    from tracker_blur.core.parameters import TrackingParameters
    from tracker_blur.tracking.redetection import Redetector
    from tracker_blur.tracking.track_classifier import TrackClassifier
    from tracker_blur.tracking.track_state import TrackState


class MissedFaces:
    """Confirms missed tracks by what crops show.

    Args:
        redetector: Detects in a crop.
        classifier: Knows which tracks are faces.
        parameters: Tuning parameters.
    """

    def __init__(
        self, redetector: Redetector, classifier: TrackClassifier, parameters: TrackingParameters
    ) -> None:
        self._redetector = redetector
        self._classifier = classifier
        self._max_crops = parameters.redetection.max_crops
        self._same_face_iou = parameters.same_face_iou

    def redetect(
        self, tracks: Sequence[TrackState], confirmed: Sequence[Box], image: Image, seconds: float
    ) -> list[TrackState]:
        """Detect each of these faces in a crop; return those still missed.

        Args:
            tracks: Those missed.
            confirmed: Boxes of the faces that were detected in this view.
            image: The view.
            seconds: Its time.
        """
        missed, taken = [], list(confirmed)
        ways_of = self._ways_of(tracks)
        for track in tracks:
            expected, detection = track.expected(seconds), None
            for way in ways_of.get(track.track_id, ()):
                detection = self._redetector.detect(image, expected, way)
                if detection is not None:
                    break
            if detection is None or are_among([detection.box], taken, self._same_face_iou)[0]:
                missed.append(track)
            else:
                track.confirm(detection, seconds, way)
                taken.append(track.box)
        return missed

    def _ways_of(self, tracks: Sequence[TrackState]) -> dict[int, Collection[Way]]:
        """Return the ways to detect the faces, by track: few for each where many are missed."""
        possible = [track for track in tracks if not self._classifier.is_rejected(track)]
        ways = {track.track_id: self._ways(track) for track in possible}
        if sum(map(len, ways.values())) <= self._max_crops:
            return ways
        return {track.track_id: (USUAL,) for track in latest(possible, self._max_crops)}

    def _ways(self, track: TrackState) -> Collection[Way]:
        """Return the ways to detect a missed face: the usual, the last one, and a turned one."""
        ways = [USUAL, track.way]
        if self._classifier.is_trusted(track):  # it may have bent down
            ways.append(Way(0, QUARTERS[track.missed_detections % len(QUARTERS)]))
        return dict.fromkeys(ways)
