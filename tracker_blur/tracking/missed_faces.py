"""Finds faces of tracks again that were missed in a view: in crops, or at low scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.core.box_arrays import are_among, are_occluded
from tracker_blur.tracking.advancing import latest_first
from tracker_blur.tracking.crowd import matches
from tracker_blur.tracking.extra_detection import QUARTERS, USUAL, Way

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.box import Box, Detection
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
        self._max_crowd_crops = parameters.crowds.max_crops
        self._same_face_iou = parameters.same_face_iou
        self._max_occluded_share = parameters.redetection.max_occluded_share

    def redetect(
        self,
        tracks: Sequence[TrackState],
        confirmed: Sequence[TrackState],
        image: Image,
        seconds: float,
        *,
        is_crowd: bool = False,
    ) -> list[TrackState]:
        """Detect each of these faces in a crop; return those still missed.

        Those that were detected last come first, until there have been `max_crops` crops. Those
        that a face detected before the crops occludes get none: it would show that face, or the
        neck or hair next to it, which would keep the track alive.

        Args:
            tracks: Those missed.
            confirmed: Those that were detected in this view.
            image: The view.
            seconds: Its time.
            is_crowd: Whether they are those of a crowd that the whole view did not show at all.
        """
        most = self._max_crowd_crops if is_crowd else self._max_crops
        possible = self._classifier.possible(tracks)
        expected = [track.expected(seconds) for track in possible]
        in_front = [track.box for track in self._classifier.possible(confirmed)]
        occluded = are_occluded(expected, in_front, self._max_occluded_share)
        visible = [track for track, is_one in zip(possible, occluded, strict=True) if not is_one]
        taken, crops = [track.box for track in confirmed], 0
        settled: set[int] = set()
        found: set[int] = set()
        for track, way in self._attempts(visible):
            if crops == most:
                break
            if track.track_id in settled:
                continue
            crops += 1
            detection = self._redetector.detect(image, track.expected(seconds), way)
            if detection is None:
                continue
            settled.add(track.track_id)
            if not are_among([detection.box], taken, self._same_face_iou)[0]:
                track.confirm(detection, seconds, way)
                taken.append(track.box)
                found.add(track.track_id)
        return [track for track in tracks if track.track_id not in found]

    def confirm_seen(
        self,
        tracks: Sequence[TrackState],
        seen: Sequence[Detection],
        confirmed: Sequence[Box],
        seconds: float,
    ) -> list[TrackState]:
        """Confirm tracks by detections of any score where they are expected, as a crop would.

        Return those still missed.

        Args:
            tracks: Those missed.
            seen: What was detected in the whole view.
            confirmed: Boxes of the faces that were detected in this view.
            seconds: Its time.
        """
        possible = self._classifier.possible(tracks)
        known = are_among([one.box for one in seen], confirmed, self._same_face_iou)
        others = [one for one, is_known in zip(seen, known, strict=True) if not is_known]
        expected = [track.expected(seconds) for track in possible]
        found: set[int] = set()
        detections = matches(expected, others, self._same_face_iou)
        for track, detection in zip(possible, detections, strict=True):
            if detection is not None:
                track.confirm(detection, seconds)
                found.add(track.track_id)
        return [track for track in tracks if track.track_id not in found]

    def _attempts(self, tracks: Sequence[TrackState]) -> list[tuple[TrackState, Way]]:
        """Return the tracks and the ways to detect their faces, in the order to try them.

        Each face is first searched for as it was last detected. Then come the usual way, and a
        turned one for what the classifier takes for a face: it may have bent down.
        """
        tracks = latest_first(tracks)
        last = [(track, track.way) for track in tracks]
        usual = [(track, USUAL) for track in tracks]
        turned = [
            (track, Way(0, QUARTERS[track.missed_detections % len(QUARTERS)]))
            for track in tracks
            if self._classifier.is_trusted(track)
        ]
        others = [(track, way) for track, way in (*usual, *turned) if way != track.way]
        return [*last, *others]
