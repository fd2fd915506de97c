"""The online tracker: detects every N frames, tracks in between, holds what is lost.

A detection frame matches detections to the known tracks. A matched track takes the detected box; a
detection without a track starts one at once. Any other track is advanced by its own tracker, which
starts only now, on the frame before, where its box was known. When the tracker loses the face, the
last known box is held, and grows, for a while. A scene cut ends all tracks, unless it was only a
flash of light.

Boxes are in pixels of the view.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.core.box_arrays import are_among
from tracker_blur.core.state import Pixels
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.tracking.advancing import Advancer
from tracker_blur.tracking.extra_detection import (
    USUAL,
    ExtraDetection,
    ExtraDetections,
    Way,
)
from tracker_blur.tracking.lazy_view import LazyView
from tracker_blur.tracking.missed_faces import MissedFaces
from tracker_blur.tracking.plausibility import by_confidence, is_part, of_usual_shape
from tracker_blur.tracking.scene_cuts import Change, CutDetector
from tracker_blur.tracking.track_classifier import TrackClassifier
from tracker_blur.tracking.track_state import (
    LowConfidenceDetections,
    TrackState,
    confirm_matching,
)
from tracker_blur.tracking.unchanged_faces import UnchangedFaces

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tracker_blur.classifiers import Classifier
    from tracker_blur.core.box import Box, Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.core.parameters import TrackingParameters
    from tracker_blur.core.state import State
    from tracker_blur.detectors import Detector
    from tracker_blur.trackers import Tracker
    from tracker_blur.tracking.redetection import Redetector
    from tracker_blur.tracking.schedule import DetectionSchedule


@dataclass(frozen=True, slots=True)
class Step:
    """The result of one frame.

    Attributes:
        faces: Where the faces are.
        change: What the frame is to the one before.
        is_detection_frame: Whether the detector ran.
        evidence: What the classifier says of detections in this frame: track and log odds.
        ways: How the tracks were last detected that were not detected in the usual way.
        is_left_out: Whether the frame was not looked at: it will be interpolated.
        untracked: Detections that may be faces but have no track, with the classifier's log odds.
        seen: In a crowd, all that the detector saw, with any score; None: there is no crowd.
    """

    faces: tuple[Face, ...]
    change: Change
    is_detection_frame: bool
    evidence: tuple[tuple[int, float], ...] = ()
    ways: Mapping[int, Way] = field(default_factory=dict)
    is_left_out: bool = False
    untracked: tuple[tuple[Detection, float], ...] = ()
    seen: tuple[Detection, ...] | None = None


class OnlineTracker:
    """Tracks all faces, frame by frame.

    Args:
        detector: Gets whole views.
        confidence: Score from which a detection is a face.
        new_tracker: Makes a tracker for one face. None: what is missed is held at once.
        schedule: Says which frames are detection frames.
        hold_seconds: How long a lost face stays hidden.
        clock: Returns seconds, to measure what detection and tracking cost.
        parameters: Tuning parameters.
        threads: How many faces' trackers may run in parallel.
        redetector: Detects again where a face was missed; None: not done.
        extra_detections: Other ways to detect, now and then; they need the classifier.
        classifier: Tells faces from what the detector takes for one; None: not done.
        hide_all: Report also tracks that the classifier takes for no face so far.
        start_score: Score from which a detection starts a track by itself; None: the confidence.
        skip_frames: Leave out all but the detection frames: they will be interpolated.
    """

    def __init__(
        self,
        detector: Detector,
        confidence: float,
        new_tracker: Callable[[], Tracker] | None,
        schedule: DetectionSchedule,
        hold_seconds: float,
        clock: Callable[[], float],
        parameters: TrackingParameters,
        *,
        threads: int = 1,
        redetector: Redetector | None = None,
        extra_detections: Sequence[ExtraDetection] = (),
        classifier: Classifier | None = None,
        hide_all: bool = True,
        start_score: float | None = None,
        skip_frames: bool = False,
    ) -> None:
        self._detector = detector
        self._confidence = confidence
        self._low_confidence = min(confidence, detector.low_confidence)
        self._new_tracker = new_tracker
        self._schedule = schedule
        self._hold_seconds = hold_seconds
        self._clock = clock
        self._parameters = parameters
        self._advancer = Advancer(new_tracker, hold_seconds, parameters, threads)
        self._extra_detections = ExtraDetections(extra_detections, parameters.extra_detections)
        self._classifier = TrackClassifier(classifier, parameters.classification)
        self._unchanged_faces = UnchangedFaces(self._classifier, parameters.unchanged_faces)
        self._missed_faces = (
            None if redetector is None else MissedFaces(redetector, self._classifier, parameters)
        )
        self._hide_all = hide_all
        self._start_score = confidence if start_score is None else start_score
        self._skip_frames = skip_frames
        self._cuts = CutDetector(parameters.scene_cuts)
        self._tracks: list[TrackState] = []
        self._before_cut: list[TrackState] = []
        self._low_confidence_detections = LowConfidenceDetections(confidence, parameters.online)
        self._last_image: Image | None = None
        self._last_seconds = -math.inf
        self._untracked: list[tuple[Detection, float]] = []
        self._seen: tuple[Detection, ...] | None = None
        self.track_count = 0

    @property
    def max_flash_frames(self) -> int:
        """Within how many frames a cut may turn out to be only a flash of light."""
        return self._parameters.scene_cuts.max_flash_frames

    def step(self, image: Image, seconds: float) -> Step:
        """Return the faces of the next frame.

        Args:
            image: Its view. Views may change their size, but not what part of the frame they show.
            seconds: Its time.
        """
        return self.see(LazyView(self._cuts.change(image), lambda: image), seconds)

    def see(self, view: LazyView, seconds: float) -> Step:
        """Return the faces of the next frame, as `step` does; its view is made if it is needed."""
        change = view.change
        if change is not Change.NONE:
            self._change_scene(change)
        is_due = self._schedule.is_due(seconds)
        if self._skip_frames and not is_due:
            return Step((), change, is_detection_frame=False, is_left_out=True)
        image = view.image
        if self._last_image is not None and self._last_image.shape != image.shape:
            self._last_image = self._rescaled(self._last_image, image)
        self._untracked = []
        self._seen = None
        unconfirmed = self._detect(image, seconds) if is_due else self._tracks
        is_crowd = self._seen is not None
        evidence = self._classifier.classify(self._tracks, image, seconds, is_crowd=is_crowd)
        self._advance(unconfirmed, image, seconds)
        # In an order that does not depend on when each began.
        self._tracks = sorted(
            (track for track in self._tracks if not self._is_over(track, seconds)), key=_place
        )
        self._last_image, self._last_seconds = image, seconds
        return Step(
            tuple(
                Face(track.track_id, track.box, track.score, track.origin)
                for track in self._tracks
                if self._hide_all or not self._classifier.is_rejected(track)
            ),
            change,
            is_detection_frame=is_due,
            evidence=evidence,
            ways={track.track_id: track.way for track in self._tracks if track.way != USUAL},
            untracked=tuple(self._untracked),
            seen=self._seen,
        )

    @property
    def track_ids(self) -> tuple[int, ...]:
        """The identifiers of the tracks, in the order of `state`."""
        return tuple(track.track_id for track in self._tracks)

    def state(self) -> State:
        """Return what the next steps depend on, besides the next images; not identifiers."""
        return (
            self._schedule.state(),
            self._extra_detections.state(),
            self._classifier.state(),
            self._low_confidence_detections.state(),
            tuple(track.state() for track in self._tracks),
            *(Pixels(self._last_image), self._last_seconds),
        )

    def _rescaled(self, last: Image, image: Image) -> Image:
        """Rescale all tracks, and return the last view, to the size of this one."""
        height, width = image.shape[:2]
        x_ratio, y_ratio = width / last.shape[1], height / last.shape[0]
        for track in (*self._tracks, *self._before_cut):
            track.rescale(x_ratio, y_ratio)
        self._low_confidence_detections.rescale(x_ratio, y_ratio)
        return np.asarray(cv2.resize(last, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def _change_scene(self, change: Change) -> None:
        """End all tracks; after a flash, hold those from before until they are detected again."""
        ended, self._tracks = self._tracks, []
        if change is Change.RETURN:
            self._tracks = self._before_cut
            for track in self._tracks:
                track.tracker, track.origin = None, Origin.HELD
        self._before_cut = ended
        self._extra_detections.restart()
        self._classifier.restart()
        self._low_confidence_detections.clear()
        self._schedule.restart()

    def _detect(self, image: Image, seconds: float) -> list[TrackState]:
        """Detect in the whole view, confirm and start tracks; return those not confirmed."""
        started = self._clock()
        limits = self._parameters.online
        high, low = self._detections(image)
        missed, new = confirm_matching(
            self._tracks,
            high,
            seconds,
            limits.high_confidence_gate_share,
            limits.high_confidence_size_ratio,
        )
        for track in self._tracks:
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
        missed, turned_up = self._detect_again(missed, image, seconds)
        missed = self._find_missed(missed, stale, image, seconds)
        starting = [detection for detection in new if detection.score >= self._start_score]
        unmatched += [detection for detection in new if detection.score < self._start_score]
        if self._is_restless(len(new), missed):
            self._schedule.hurry()
        if self._seen is None:
            missed = self._unchanged(missed, image, seconds)
        for track in missed:
            track.missed_detections += 1
        self._start(starting, unmatched, turned_up, image, seconds)
        self._schedule.detected(self._clock() - started, [track.speed for track in self._tracks])
        return missed

    def _find_missed(
        self, missed: list[TrackState], stale: list[TrackState], image: Image, seconds: float
    ) -> list[TrackState]:
        """Search for missed faces where they are expected; return those still missed.

        Args:
            missed: Tracks that a detection may confirm.
            stale: Tracks that none may confirm any more.
            image: The view.
            seconds: Its time.
        """
        search, seen = self._missed_faces, self._seen
        if search is None:
            return [*missed, *stale]
        if seen is not None:  # what costs least comes first
            missed = search.confirm_seen(missed, seen, self._confirmed(seconds), seconds)
            missed, stale = (self._unchanged(each, image, seconds) for each in (missed, stale))
        confirmed, is_crowd = self._confirmed(seconds), seen is not None
        return [*search.redetect(missed, confirmed, image, seconds, is_crowd=is_crowd), *stale]

    def _unchanged(
        self, missed: list[TrackState], image: Image, seconds: float
    ) -> list[TrackState]:
        """Keep missed faces where nothing has changed; return the others."""
        if not self._hide_all:  # who watches for lost faces must learn of them
            return missed
        last = None if self._last_image is None else (self._last_image, self._last_seconds)
        return self._unchanged_faces.keep(missed, last, image, seconds)

    def _is_restless(self, new: int, missed: Sequence[TrackState]) -> bool:
        """Return whether the detector should run on the next frame, too."""
        if self._seen is not None:
            most = self._parameters.crowds.max_restless_share * len(self._tracks)
            return new + len(missed) > most
        # Without trackers, what is missed is interpolated.
        return bool(new or (missed and self._new_tracker is not None))

    def _start(
        self,
        starting: Sequence[Detection],
        unmatched: Sequence[Detection],
        turned_up: Sequence[tuple[Detection, Way]],
        image: Image,
        seconds: float,
    ) -> None:
        """Start the tracks of faces that have no track yet.

        Args:
            starting: Detections without a track that score enough to start one by themselves.
            unmatched: The others. They start one if they agree for long, or if the
                classifier takes them for a face.
            turned_up: What an extra detection showed, and how it was detected.
            image: The view.
            seconds: Its time.
        """
        plausible = self._of_usual_shape(unmatched, image)
        agreeing = self._low_confidence_detections.agreeing(plausible)
        judged = self._classifier.judged(self._unknown(plausible, seconds), image)
        least = self._parameters.classification.start_log_odds
        likely = [detection for detection, log_odds in judged if log_odds >= least]
        least_seen = self._parameters.candidates.seen_log_odds
        self._untracked = [each for each in judged if least_seen <= each[1] < least]
        tracks = self._tracks
        tracks += [self._new_track(detection, seconds) for detection in starting]
        for detection, way in (*((one, USUAL) for one in (*agreeing, *likely)), *turned_up):
            if self._unknown([detection], seconds):
                tracks.append(self._new_track(detection, seconds, way))

    def _new_track(self, detection: Detection, seconds: float, way: Way = USUAL) -> TrackState:
        limits = self._parameters.online
        track = TrackState.started(self.track_count, detection, seconds, limits, way)
        self.track_count += 1
        return track

    def _unknown(self, detections: Sequence[Detection], seconds: float) -> list[Detection]:
        """Return the detections of faces that have no track yet.

        A part of a high-confidence or trusted face that is detected now is no other face.
        """
        known = [track.box for track in self._tracks]
        faces = [
            track.box
            for track in self._tracks
            if track.confirmed_seconds == seconds
            and (track.score >= self._confidence or self._classifier.is_trusted(track))
        ]
        return [
            one
            for one in self._others(detections, known)
            if not is_part(one.box, faces, self._parameters.plausibility)
        ]

    def _detect_again(
        self, missed: list[TrackState], image: Image, seconds: float
    ) -> tuple[list[TrackState], list[tuple[Detection, Way]]]:
        """Take the extra detection that is due.

        Return the tracks that are still missed, and detections that have no track yet, each
        with the way in which it was detected.
        """
        due = self._extra_detections.detect(image, seconds)
        if due is None:
            return missed, []
        extra, detections = due
        limits = self._parameters.online
        confirmed = self._confirmed(seconds)
        missed, others = confirm_matching(
            missed,
            self._others(detections, confirmed),
            seconds,
            limits.low_confidence_gate_share,
            limits.low_confidence_size_ratio,
            extra.way,
        )
        judged = self._classifier.judged(
            self._unknown(self._of_usual_shape(others, image), seconds), image
        )
        least = self._parameters.extra_detections.start_log_odds
        return missed, [(found, extra.way) for found, log_odds in judged if log_odds >= least]

    def _detections(self, image: Image) -> tuple[list[Detection], list[Detection]]:
        """Detect in the whole view; return high-confidence detections, and the others."""
        plausibility = self._parameters.plausibility
        limits = self._parameters.crowds
        is_crowd = self._skip_frames and len(self._tracks) >= limits.min_faces
        share = limits.faint_share if is_crowd else 1.0
        found = self._detector.detect(image, share * self._low_confidence)
        found = [detection for detection in found if not detection.box.is_empty]
        self._seen = tuple(found) if is_crowd else None
        detections = [one for one in found if one.score >= self._low_confidence]
        return by_confidence(detections, _size(image), self._confidence, plausibility)

    def _of_usual_shape(self, detections: Sequence[Detection], image: Image) -> list[Detection]:
        return of_usual_shape(detections, _size(image), self._parameters.plausibility)

    def _others(self, detections: Sequence[Detection], boxes: Sequence[Box]) -> list[Detection]:
        """Return the detections that are none of these faces."""
        same_face_iou = self._parameters.same_face_iou
        known = are_among([one.box for one in detections], boxes, same_face_iou)
        return [one for one, is_known in zip(detections, known, strict=True) if not is_known]

    def _advance(self, tracks: Sequence[TrackState], image: Image, seconds: float) -> None:
        """Advance each track into this view with its own tracker, or hold it."""
        started = self._clock()
        self._advancer.advance(
            tracks,
            self._confirmed(seconds),
            self._last_image,
            image,
            seconds,
            is_crowd=self._seen is not None,
        )
        if tracks:
            self._schedule.tracked(self._clock() - started)

    def _confirmed(self, seconds: float) -> list[Box]:
        """Return the boxes of the tracks that a detection in this view has confirmed."""
        return [track.box for track in self._tracks if track.confirmed_seconds == seconds]

    def _is_over(self, track: TrackState, seconds: float) -> bool:
        return (
            track.missed_detections >= self._parameters.online.min_missed_detections
            and seconds - track.known_seconds > self._hold_seconds
        )


def _place(track: TrackState) -> tuple[float, ...]:
    return track.box.as_tuple()


def _size(image: Image) -> tuple[int, int]:
    """Return (width, height)."""
    return image.shape[1], image.shape[0]
