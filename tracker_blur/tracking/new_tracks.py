"""Starts the tracks of faces that have none yet.

A detection starts one if it scores enough, if it agrees with low-confidence ones before it, or if
the classifier takes it for a face.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tracker_blur.core.box_arrays import are_among
from tracker_blur.tracking.association import match
from tracker_blur.tracking.extra_detection import USUAL, Way
from tracker_blur.tracking.plausibility import is_higher_score, is_part, of_usual_shape
from tracker_blur.tracking.track_state import TrackState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.box import Box, Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.core.parameters import OnlineParameters, TrackingParameters
    from tracker_blur.core.state import State
    from tracker_blur.tracking.track_classifier import TrackClassifier


class NewTracks:
    """Starts tracks, and numbers them.

    Args:
        confidence: Score from which a detection is a face.
        classifier: Tells faces from what the detector takes for one.
        parameters: Tuning parameters.

    Attributes:
        count: How many tracks there have been.
    """

    def __init__(
        self, confidence: float, classifier: TrackClassifier, parameters: TrackingParameters
    ) -> None:
        self._confidence = confidence
        self._classifier = classifier
        self._parameters = parameters
        self._low_confidence_detections = LowConfidenceDetections(confidence, parameters.online)
        self.count = 0

    def start(
        self,
        starting: Sequence[Detection],
        unmatched: Sequence[Detection],
        turned_up: Sequence[tuple[Detection, Way]],
        tracks: Sequence[TrackState],
        image: Image,
        seconds: float,
    ) -> tuple[list[TrackState], list[tuple[Detection, float]]]:
        """Return the tracks that start, and what may be a face but has no track, with its log odds.

        Args:
            starting: Detections without a track that score enough to start one by themselves.
            unmatched: The others. They start one if they agree for long, or if the
                classifier takes them for a face.
            turned_up: What an extra detection showed, and how it was detected.
            tracks: The known tracks.
            image: The view.
            seconds: Its time.
        """
        plausible = self._of_usual_shape(unmatched, image)
        agreeing = self._low_confidence_detections.agreeing(plausible)
        judged = self._judged(plausible, tracks, image, seconds)
        least = self._parameters.classification.start_log_odds
        likely = [detection for detection, log_odds in judged if log_odds >= least]
        least_seen = self._parameters.candidates.seen_log_odds
        untracked = [each for each in judged if least_seen <= each[1] < least]
        started = [self._new_track(detection, USUAL, seconds) for detection in starting]
        for detection, way in (*((one, USUAL) for one in (*agreeing, *likely)), *turned_up):
            if self._unknown([detection], [*tracks, *started], seconds):
                started.append(self._new_track(detection, way, seconds))
        return started, untracked

    def judged(
        self,
        detections: Sequence[Detection],
        tracks: Sequence[TrackState],
        image: Image,
        seconds: float,
    ) -> list[tuple[Detection, float]]:
        """Return those of faces that have no track yet, with the classifier's log odds.

        Args:
            detections: Detections in the view that match no track.
            tracks: The known tracks.
            image: The view.
            seconds: Its time.
        """
        return self._judged(self._of_usual_shape(detections, image), tracks, image, seconds)

    def restart(self) -> None:
        """Forget what agrees so far: another scene begins."""
        self._low_confidence_detections.clear()

    def rescale(self, x_ratio: float, y_ratio: float) -> None:
        """Adapt to views of another size."""
        self._low_confidence_detections.rescale(x_ratio, y_ratio)

    def state(self) -> State:
        """Return what the next tracks depend on, besides detections and known tracks."""
        return self._low_confidence_detections.state()

    def _judged(
        self,
        plausible: Sequence[Detection],
        tracks: Sequence[TrackState],
        image: Image,
        seconds: float,
    ) -> list[tuple[Detection, float]]:
        return self._classifier.judged(self._unknown(plausible, tracks, seconds), image)

    def _of_usual_shape(self, detections: Sequence[Detection], image: Image) -> list[Detection]:
        size = image.shape[1], image.shape[0]
        return of_usual_shape(detections, size, self._parameters.plausibility)

    def _unknown(
        self, detections: Sequence[Detection], tracks: Sequence[TrackState], seconds: float
    ) -> list[Detection]:
        """Return the detections of faces that have no track yet.

        A part of a high-confidence or trusted face that is detected now is no other face, unless
        it scores more: then it may be the face, and what was taken for one is the body around it.
        """
        limits = self._parameters.plausibility
        faces = self._detected_faces(tracks, seconds)
        known = [track.box for track in tracks]
        return [
            one
            for one in none_of(detections, known, self._parameters.same_face_iou)
            if not is_part(
                one.box,
                [
                    face.box
                    for face in faces
                    if not is_higher_score(one.score, face.score, limits.higher_score_ratio)
                ],
                limits,
            )
        ]

    def _detected_faces(self, tracks: Sequence[TrackState], seconds: float) -> list[TrackState]:
        """Return the high-confidence and trusted faces that are detected now."""
        return [
            track
            for track in tracks
            if track.confirmed_seconds == seconds
            and (track.score >= self._confidence or self._classifier.is_trusted(track))
        ]

    def _new_track(self, detection: Detection, way: Way, seconds: float) -> TrackState:
        track = TrackState.started(self.count, detection, seconds, self._parameters.online, way)
        self.count += 1
        return track


class LowConfidenceDetections:
    """Low-confidence detections that confirm no track.

    One alone means nothing. Several that agree, in detection frames in a row, are a face.

    Args:
        confidence: Score from which a detection is a face.
        parameters: Tuning parameters.
    """

    def __init__(self, confidence: float, parameters: OnlineParameters) -> None:
        self._parameters = parameters
        self._min_score = parameters.agreeing_share * confidence
        self._min_best_score = parameters.agreeing_best_ratio * self._min_score
        self._counted: list[tuple[Detection, int, float]] = []

    def agreeing(self, unmatched: Sequence[Detection]) -> list[Detection]:
        """Return the detections of this frame that have agreed often enough to be faces."""
        limits = self._parameters
        candidates = [detection for detection in unmatched if detection.score >= self._min_score]
        pairs = match(
            [detection.box for detection, _, _ in self._counted],
            [detection.box for detection in candidates],
            [limits.low_confidence_gate_share * limits.gate_sizes] * len(self._counted),
            limits.low_confidence_size_ratio,
        )
        before = {column: self._counted[row][1:] for row, column in pairs}
        agreeing: list[Detection] = []
        self._counted = []
        for index, detection in enumerate(candidates):
            count, best = before.get(index, (0, 0.0))
            count, best = count + 1, max(best, detection.score)
            if count >= limits.agreeing_detections and best >= self._min_best_score:
                agreeing.append(detection)
            else:
                self._counted.append((detection, count, best))
        return agreeing

    def state(self) -> State:
        """Return what the next answers depend on, besides the next detections."""
        return tuple(
            (one.box.as_tuple(), one.score, count, best) for one, count, best in self._counted
        )

    def rescale(self, x_ratio: float, y_ratio: float) -> None:
        """Adapt to views of another size."""
        self._counted = [
            (replace(detection, box=detection.box.scaled(x_ratio, y_ratio)), count, best)
            for detection, count, best in self._counted
        ]

    def clear(self) -> None:
        """Forget all: another scene begins."""
        self._counted = []


def none_of(
    detections: Sequence[Detection], boxes: Sequence[Box], same_face_iou: float
) -> list[Detection]:
    """Return the detections that are none of these faces."""
    known = are_among([one.box for one in detections], boxes, same_face_iou)
    return [one for one, is_known in zip(detections, known, strict=True) if not is_known]
