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

from tracker_blur.core.state import Pixels
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.tracking.advancing import Advancer
from tracker_blur.tracking.detection_frames import DetectionFrame, DetectionFrames
from tracker_blur.tracking.extra_detection import USUAL, ExtraDetection, Way
from tracker_blur.tracking.lazy_view import LazyView
from tracker_blur.tracking.scene_cuts import Change, CutDetector
from tracker_blur.tracking.track_classifier import TrackClassifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tracker_blur.classifiers import Classifier
    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.core.parameters import TrackingParameters
    from tracker_blur.core.state import State
    from tracker_blur.detectors import Detector
    from tracker_blur.trackers import Tracker
    from tracker_blur.tracking.evidence import ClassifiedCrop
    from tracker_blur.tracking.redetection import Redetector
    from tracker_blur.tracking.schedule import DetectionSchedule
    from tracker_blur.tracking.track_state import TrackState


@dataclass(frozen=True, slots=True)
class Step:
    """The result of one frame.

    Attributes:
        faces: Where the faces are.
        change: How the frame relates to the previous one.
        is_detection_frame: Whether the detector ran.
        evidence: What the classifier says about detections in this frame.
        ways: How the tracks were last detected that were not detected in the usual way.
        is_left_out: Whether nothing was detected in the frame: it will be interpolated.
        untracked: Detections that may be faces but have no track, with the classifier's log odds.
        seen: In a crowd, all that the detector saw, with any score; None: there is no crowd.
    """

    faces: tuple[Face, ...]
    change: Change
    is_detection_frame: bool
    evidence: tuple[ClassifiedCrop, ...] = ()
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
        self._schedule = schedule
        self._hold_seconds = hold_seconds
        self._clock = clock
        self._parameters = parameters
        self._advancer = Advancer(new_tracker, hold_seconds, parameters, threads)
        self._classifier = TrackClassifier(classifier, parameters.classification)
        self._detection_frames = DetectionFrames(
            detector,
            confidence,
            confidence if start_score is None else start_score,
            self._classifier,
            parameters,
            redetector=redetector,
            extra_detections=extra_detections,
            has_trackers=new_tracker is not None,
            keeps_unchanged=hide_all,  # else the caller watches for lost faces, and must get them
            skip_frames=skip_frames,
        )
        self._hide_all = hide_all
        self._skip_frames = skip_frames
        self._cuts = CutDetector(parameters.scene_cuts)
        self._tracks: list[TrackState] = []
        self._before_cut: list[TrackState] = []
        self._last_image: Image | None = None
        self._last_seconds = -math.inf

    @property
    def track_count(self) -> int:
        """How many tracks there have been."""
        return self._detection_frames.track_count

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
        if change.is_cut:
            self._change_scene(change)
        elif change is Change.JERK:
            self._schedule.hurry()
        is_due = self._schedule.is_due(seconds)
        if self._skip_frames and not is_due:
            return Step((), change, is_detection_frame=False, is_left_out=True)
        image = view.image
        if self._last_image is not None and self._last_image.shape != image.shape:
            self._last_image = self._rescaled(self._last_image, image)
        unconfirmed: Sequence[TrackState] = self._tracks
        untracked: tuple[tuple[Detection, float], ...] = ()
        seen: tuple[Detection, ...] | None = None
        if is_due:
            found = self._detect(image, seconds)
            unconfirmed, untracked, seen = found.missed, found.untracked, found.seen
        is_crowd = seen is not None
        evidence = self._classifier.classify(self._tracks, image, seconds, is_crowd=is_crowd)
        self._advance(unconfirmed, image, seconds, is_crowd=is_crowd)
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
            untracked=untracked,
            seen=seen,
        )

    @property
    def track_ids(self) -> tuple[int, ...]:
        """The identifiers of the tracks, in the order of `state`."""
        return tuple(track.track_id for track in self._tracks)

    def state(self) -> State:
        """Return what the next steps depend on, besides the next images; not identifiers."""
        return (
            self._schedule.state(),
            self._detection_frames.state(),
            self._classifier.state(),
            tuple(track.state() for track in self._tracks),
            *(Pixels(self._last_image), self._last_seconds),
        )

    def _rescaled(self, last: Image, image: Image) -> Image:
        """Rescale all tracks, and return the last view, to the size of this one."""
        height, width = image.shape[:2]
        x_ratio, y_ratio = width / last.shape[1], height / last.shape[0]
        for track in (*self._tracks, *self._before_cut):
            track.rescale(x_ratio, y_ratio)
        self._detection_frames.rescale(x_ratio, y_ratio)
        return np.asarray(cv2.resize(last, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def _change_scene(self, change: Change) -> None:
        """End all tracks; after a flash, hold those from before until they are detected again."""
        ended, self._tracks = self._tracks, []
        if change is Change.RETURN:
            self._tracks = self._before_cut
            for track in self._tracks:
                track.tracker, track.origin = None, Origin.HELD
        self._before_cut = ended
        self._detection_frames.restart()
        self._classifier.restart()
        self._schedule.restart()

    def _detect(self, image: Image, seconds: float) -> DetectionFrame:
        """Detect in the whole view, confirm and start tracks."""
        started = self._clock()
        last = None if self._last_image is None else (self._last_image, self._last_seconds)
        found = self._detection_frames.detect(self._tracks, image, seconds, last)
        self._tracks += found.started
        if found.is_restless:
            self._schedule.hurry()
        self._schedule.detected(self._clock() - started, [track.speed for track in self._tracks])
        return found

    def _advance(
        self, tracks: Sequence[TrackState], image: Image, seconds: float, *, is_crowd: bool
    ) -> None:
        """Advance each track into this view with its own tracker, or hold it."""
        started = self._clock()
        confirmed = [track for track in self._tracks if track.confirmed_seconds == seconds]
        self._advancer.advance(
            tracks,
            [track.box for track in self._classifier.possible(confirmed)],
            self._last_image,
            image,
            seconds,
            is_crowd=is_crowd,
        )
        if tracks:
            self._schedule.tracked(self._clock() - started)

    def _is_over(self, track: TrackState, seconds: float) -> bool:
        return (
            track.missed_detections >= self._parameters.online.min_missed_detections
            and seconds - track.known_seconds > self._hold_seconds
        )


def _place(track: TrackState) -> tuple[float, ...]:
    return track.box.as_tuple()
