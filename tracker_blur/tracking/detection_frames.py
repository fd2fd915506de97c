"""What a detection frame does to the tracks: it confirms those that it shows, and starts new ones.

High-confidence detections are matched first, then low-confidence ones, then what an extra detection
shows; what is still missed is searched for in crops. What is left over may start a track.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracker_blur.tracking.extra_detection import ExtraDetection, ExtraDetections, Way
from tracker_blur.tracking.missed_faces import MissedFaces
from tracker_blur.tracking.new_tracks import NewTracks, none_of
from tracker_blur.tracking.plausibility import by_confidence
from tracker_blur.tracking.track_state import (
    TrackState,
    confirm_matching,
    confirmed_boxes,
)
from tracker_blur.tracking.unchanged_faces import UnchangedFaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.core.parameters import TrackingParameters
    from tracker_blur.core.state import State
    from tracker_blur.detectors import Detector
    from tracker_blur.tracking.redetection import Redetector
    from tracker_blur.tracking.track_classifier import TrackClassifier


@dataclass(frozen=True, slots=True)
class DetectionFrame:
    """What a detection frame shows.

    Attributes:
        started: The tracks that begin here.
        missed: The known tracks that it does not show.
        is_restless: Whether the detector should run on the next frame, too.
        untracked: Detections that may be faces but have no track, with the classifier's log odds.
        seen: In a crowd, all that the detector saw, with any score; None: there is no crowd.
    """

    started: tuple[TrackState, ...]
    missed: tuple[TrackState, ...]
    is_restless: bool
    untracked: tuple[tuple[Detection, float], ...]
    seen: tuple[Detection, ...] | None


@dataclass(frozen=True, slots=True)
class _View:
    """The view of a detection frame, and what the whole of it shows.

    Attributes:
        image: The view.
        seconds: Its time.
        last: The view before, of the same size, and its time; None: this is the first.
        seen: As in `DetectionFrame`.
    """

    image: Image
    seconds: float
    last: tuple[Image, float] | None
    seen: tuple[Detection, ...] | None


class DetectionFrames:
    """Detects in whole views, confirms tracks and starts new ones.

    Args:
        detector: Gets whole views.
        confidence: Score from which a detection is a face.
        start_score: Score from which a detection starts a track by itself.
        classifier: Tells faces from what the detector takes for one.
        parameters: Tuning parameters.
        redetector: Detects again where a face was missed; None: not done.
        extra_detections: Other ways to detect, now and then.
        has_trackers: Whether missed faces are tracked. If not, they will be interpolated.
        keeps_unchanged: Keep missed faces where nothing has changed.
        skip_frames: Whether frames without detection are left out.
    """

    def __init__(
        self,
        detector: Detector,
        confidence: float,
        start_score: float,
        classifier: TrackClassifier,
        parameters: TrackingParameters,
        *,
        redetector: Redetector | None,
        extra_detections: Sequence[ExtraDetection],
        has_trackers: bool,
        keeps_unchanged: bool,
        skip_frames: bool,
    ) -> None:
        self._detector = detector
        self._confidence = confidence
        self._low_confidence = min(confidence, detector.low_confidence)
        self._start_score = start_score
        self._classifier = classifier
        self._parameters = parameters
        self._missed_faces = (
            None if redetector is None else MissedFaces(redetector, classifier, parameters)
        )
        self._extra_detections = ExtraDetections(extra_detections, parameters.extra_detections)
        self._new_tracks = NewTracks(confidence, classifier, parameters)
        self._unchanged_faces = UnchangedFaces(classifier, parameters.unchanged_faces)
        self._has_trackers = has_trackers
        self._keeps_unchanged = keeps_unchanged
        self._skip_frames = skip_frames

    @property
    def track_count(self) -> int:
        """How many tracks there have been."""
        return self._new_tracks.count

    def detect(
        self,
        tracks: Sequence[TrackState],
        image: Image,
        seconds: float,
        last: tuple[Image, float] | None,
    ) -> DetectionFrame:
        """Detect in a whole view, confirm tracks and start new ones.

        Args:
            tracks: The known tracks.
            image: The view.
            seconds: Its time.
            last: The view before, of the same size, and its time; None: this is the first.
        """
        high, low, seen = self._detections(image, is_crowd=self._is_crowd(tracks))
        view = _View(image, seconds, last, seen)
        missed, stale, new, unmatched = self._confirm(tracks, high, low, seconds)
        missed, turned_up = self._detect_again(missed, tracks, view)
        missed = self._find_missed(missed, stale, tracks, view)
        starting = [detection for detection in new if detection.score >= self._start_score]
        unmatched += [detection for detection in new if detection.score < self._start_score]
        is_restless = self._is_restless(len(new), len(missed), len(tracks), view)
        if seen is None:
            missed = self._unchanged(missed, view)
        for track in missed:
            track.missed_detections += 1
        started, untracked = self._new_tracks.start(
            starting, unmatched, turned_up, tracks, image, seconds
        )
        return DetectionFrame(tuple(started), tuple(missed), is_restless, tuple(untracked), seen)

    def restart(self) -> None:
        """Forget what confirms no track yet: another scene begins."""
        self._extra_detections.restart()
        self._new_tracks.restart()

    def rescale(self, x_ratio: float, y_ratio: float) -> None:
        """Adapt to views of another size."""
        self._new_tracks.rescale(x_ratio, y_ratio)

    def state(self) -> State:
        """Return what the next frames depend on, besides the tracks and the next images."""
        return self._extra_detections.state(), self._new_tracks.state()

    def _is_crowd(self, tracks: Sequence[TrackState]) -> bool:
        return self._skip_frames and len(tracks) >= self._parameters.crowds.min_faces

    def _detections(
        self, image: Image, *, is_crowd: bool
    ) -> tuple[list[Detection], list[Detection], tuple[Detection, ...] | None]:
        """Return high-confidence detections, low-confidence ones, and in a crowd all there are."""
        share = self._parameters.crowds.faint_share if is_crowd else 1.0
        found = self._detector.detect(image, share * self._low_confidence)
        found = [detection for detection in found if not detection.box.is_empty]
        detections = [one for one in found if one.score >= self._low_confidence]
        size = image.shape[1], image.shape[0]
        high, low = by_confidence(detections, size, self._confidence, self._parameters.plausibility)
        return high, low, tuple(found) if is_crowd else None

    def _confirm(
        self,
        tracks: Sequence[TrackState],
        high: Sequence[Detection],
        low: Sequence[Detection],
        seconds: float,
    ) -> tuple[list[TrackState], list[TrackState], list[Detection], list[Detection]]:
        """Confirm tracks by high-confidence detections, then by low-confidence ones.

        Return the missed tracks that a detection may still confirm, the missed ones that none may
        confirm any more, and the detections of either kind that are left over.
        """
        limits = self._parameters.online
        missed, new = confirm_matching(
            tracks,
            high,
            seconds,
            limits.high_confidence_gate_share,
            limits.high_confidence_size_ratio,
        )
        for track in tracks:
            if track.confirmed_seconds == seconds:
                track.reliable_seconds = seconds
        oldest = limits.low_confidence_seconds
        recent = [t for t in missed if seconds - t.reliable_seconds <= oldest]
        stale = [t for t in missed if seconds - t.reliable_seconds > oldest]
        missed, unmatched = confirm_matching(
            recent,
            low,
            seconds,
            limits.low_confidence_gate_share,
            limits.low_confidence_size_ratio,
        )
        for track in recent:
            is_reliable = (
                track.score >= limits.agreeing_share * self._confidence
                or self._classifier.is_trusted(track)
            )
            if track.confirmed_seconds == seconds and is_reliable:
                track.reliable_seconds = seconds
        return missed, stale, new, unmatched

    def _detect_again(
        self, missed: list[TrackState], tracks: Sequence[TrackState], view: _View
    ) -> tuple[list[TrackState], list[tuple[Detection, Way]]]:
        """Take the extra detection that is due.

        Return the tracks that are still missed, and detections that have no track yet, each
        with the way in which it was detected.
        """
        due = self._extra_detections.detect(view.image, view.seconds)
        if due is None:
            return missed, []
        extra, detections = due
        limits = self._parameters.online
        missed, others = confirm_matching(
            missed,
            none_of(
                detections,
                confirmed_boxes(tracks, view.seconds),
                self._parameters.same_face_iou,
            ),
            view.seconds,
            limits.low_confidence_gate_share,
            limits.low_confidence_size_ratio,
            extra.way,
        )
        judged = self._new_tracks.judged(others, tracks, view.image, view.seconds)
        least = self._parameters.extra_detections.start_log_odds
        return missed, [(found, extra.way) for found, log_odds in judged if log_odds >= least]

    def _find_missed(
        self,
        missed: list[TrackState],
        stale: list[TrackState],
        tracks: Sequence[TrackState],
        view: _View,
    ) -> list[TrackState]:
        """Search for missed faces where they are expected; return those still missed.

        Args:
            missed: Tracks that a detection may confirm.
            stale: Tracks that none may confirm any more.
            tracks: All of them.
            view: What to search in.
        """
        search, seen, seconds = self._missed_faces, view.seen, view.seconds
        if search is None:
            return [*missed, *stale]
        if seen is not None:  # what costs least comes first
            missed = search.confirm_seen(missed, seen, confirmed_boxes(tracks, seconds), seconds)
            missed, stale = (self._unchanged(each, view) for each in (missed, stale))
        confirmed = [track for track in tracks if track.confirmed_seconds == seconds]
        is_crowd = seen is not None
        return [
            *search.redetect(missed, confirmed, view.image, seconds, is_crowd=is_crowd),
            *stale,
        ]

    def _unchanged(self, missed: list[TrackState], view: _View) -> list[TrackState]:
        """Keep missed faces where nothing has changed; return the others."""
        if not self._keeps_unchanged:
            return missed
        return self._unchanged_faces.keep(missed, view.last, view.image, view.seconds)

    def _is_restless(self, new: int, missed: int, known: int, view: _View) -> bool:
        """Return whether the detector should run on the next frame, too."""
        if view.seen is not None:
            return new + missed > self._parameters.crowds.max_restless_share * known
        return bool(new or (missed and self._has_trackers))
