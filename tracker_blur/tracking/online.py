"""The online loop: detect every N frames, follow in between, hold what is lost.

For each frame, in order, `OnlineTracker.step` answers where the faces are now. A detection frame
pairs the detector's finds with the faces known so far; a face it confirms takes the found box, a
find without a face becomes one at once. A face that was not looked for, or not confirmed, is
carried by its own tracker, which is started only now, on the frame before, where the face's box was
known. When the tracker loses it, the last-known box is held, and grows, for a while: at least until
the detector has looked a few times and not found it. A scene cut ends all, unless it was but a
flash.

Nothing here reads files or writes pictures; boxes are in pixels of the view.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.frame import Image
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.detectors import Detector
from tracker_blur.trackers import Tracker
from tracker_blur.tracking.association import pair
from tracker_blur.tracking.redetection import Redetector
from tracker_blur.tracking.scene_cuts import Change, CutDetector
from tracker_blur.tracking.schedule import DetectionSchedule
from tracker_blur.tracking.track_state import (
    AGREEING_SHARE,
    HIGH_CONFIDENCE,
    LOW_CONFIDENCE,
    LowConfidenceDetections,
    MatchCriteria,
    TrackState,
)

_DRIFT_SIZE_RATIO = 1.6  # a tracker that changes the size by more, between looks, has drifted
_CARRY_HOLDS = 2  # a tracker that no look confirms is trusted for that many times the hold
WEAK_SECONDS = 1.5  # weak finds confirm a face for so long after the last sure one
_MISSED_LOOKS = 3  # a face that fewer looks have missed is never given up, whatever its age
_BEHIND_SHARE = 0.5  # of its box: a face of which another hides more is not followed
_SAME_FACE_IOU = 0.4  # a find that overlaps another face by more is that face


@dataclass(frozen=True, slots=True)
class Step:
    """What one frame gave.

    change        what the frame is to the one before
    is_detection_frame  whether the detector looked
    """

    faces: tuple[Face, ...]
    change: Change
    is_detection_frame: bool


class OnlineTracker:
    """Knows where every face is, frame by frame.

    detector     looks at whole pictures
    confidence   the score from which a find is a face
    new_tracker  makes a tracker for one face; None: detect on every frame instead
    pace         says which frames the detector looks at
    hold_seconds how long a lost face stays hidden
    clock        seconds, for measuring what detecting and following cost; injected
    threads      how many faces' trackers may run side by side
    redetector  looks where a face should be that the detector did not find; None: nobody does
    skips        leave out the frames that the detector does not look at: they will be filled in
                 from those before and after
    """

    def __init__(
        self,
        detector: Detector,
        confidence: float,
        new_tracker: Callable[[], Tracker] | None,
        pace: DetectionSchedule,
        hold_seconds: float,
        clock: Callable[[], float],
        threads: int = 1,
        redetector: Redetector | None = None,
        *,
        skips: bool = False,
    ) -> None:
        self._detector = detector
        self._confidence = confidence
        self._low_confidence = min(confidence, detector.low_confidence)
        self._new_tracker = new_tracker
        self._pace = pace
        self._hold_seconds = hold_seconds
        self._clock = clock
        self._redetector = redetector
        self._skips = skips
        self._pool = ThreadPoolExecutor(threads, "tracker") if threads > 1 else None
        self._cuts = CutDetector()
        self._tracks: list[TrackState] = []
        self._before_cut: list[TrackState] = []
        self._low_confidence_detections = LowConfidenceDetections(confidence)
        self._last_image: Image | None = None
        self.track_count = 0

    def step(self, image: Image, seconds: float) -> Step:
        """Return the faces of the next frame; `image` is its view, `seconds` its time.

        Views may change their size, but not what they show.
        """
        change = self._cuts.change(image)
        if self._last_image is not None and self._last_image.shape != image.shape:
            self._last_image = self._rescaled(self._last_image, image)
        if change is not Change.NONE:
            self._change_scene(change)
        is_due = self._new_tracker is None or self._pace.is_due(seconds)
        if self._skips and not is_due:
            return Step((), change, is_detection_frame=False)
        unseen = self._detect(image, seconds) if is_due else self._tracks
        self._carry(unseen, image, seconds)
        self._tracks = [track for track in self._tracks if not self._is_over(track, seconds)]
        self._last_image = image
        return Step(
            tuple(
                Face(track.track_id, track.box, track.score, track.origin) for track in self._tracks
            ),
            change,
            is_detection_frame=is_due,
        )

    def _rescaled(self, last: Image, image: Image) -> Image:
        """Go on in views of another size: return the last one, and have all tracks, in that."""
        height, width = image.shape[:2]
        x_ratio, y_ratio = width / last.shape[1], height / last.shape[0]
        for track in (*self._tracks, *self._before_cut):
            track.rescale(x_ratio, y_ratio)
        self._low_confidence_detections.rescale(x_ratio, y_ratio)
        return np.asarray(cv2.resize(last, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def _detect(self, image: Image, seconds: float) -> list[TrackState]:
        """Look at the whole picture, confirm and start tracks; return those not confirmed."""
        started = self._clock()
        found = [
            find
            for find in self._detector.detect(image, self._low_confidence)
            if not find.box.is_empty
        ]
        strong = [find for find in found if find.score >= self._confidence]
        weak = [find for find in found if find.score < self._confidence]
        unseen, new = self._confirm(self._tracks, strong, seconds, HIGH_CONFIDENCE)
        for track in self._tracks:
            if track.confirmed_seconds == seconds:
                track.strong_seconds = seconds
        sure = [t for t in unseen if seconds - t.strong_seconds <= WEAK_SECONDS]
        doubted = [t for t in unseen if seconds - t.strong_seconds > WEAK_SECONDS]
        unseen, stray = self._confirm(sure, weak, seconds, LOW_CONFIDENCE)
        for track in sure:
            is_fair = track.score >= AGREEING_SHARE * self._confidence
            if track.confirmed_seconds == seconds and is_fair:
                track.strong_seconds = seconds
        if self._redetector is not None:
            unseen = self._look_again(unseen, image, seconds)
        unseen = [*unseen, *doubted]
        if unseen or new:
            self._pace.hurry()
        for track in unseen:
            track.missed_detections += 1
        taken = [track.box for track in self._tracks]
        agreed = [
            find
            for find in self._low_confidence_detections.agreed(stray)
            if not _is_among(find, taken)
        ]
        for find in (*new, *agreed):
            self._tracks.append(TrackState.begun(self.track_count, find, seconds))
            self.track_count += 1
        self._pace.detected(self._clock() - started, [track.speed for track in self._tracks])
        return unseen

    def _look_again(
        self, tracks: Sequence[TrackState], image: Image, seconds: float
    ) -> list[TrackState]:
        """Look more closely for each of these faces; return those still not found."""
        assert self._redetector is not None
        unseen = []
        for track in tracks:
            taken = [other.box for other in self._tracks if other.confirmed_seconds == seconds]
            find = self._redetector.find(image, track.expected(seconds))
            if find is None or _is_among(find, taken):
                unseen.append(track)
            else:
                track.confirm(find, seconds)
        return unseen

    def _change_scene(self, change: Change) -> None:
        """End all tracks; after a flash, hold those from before until they are found again."""
        ended, self._tracks = self._tracks, []
        if change is Change.RETURN:
            self._tracks = self._before_cut
            for track in self._tracks:
                track.tracker, track.origin = None, Origin.HELD
        self._before_cut = ended
        self._low_confidence_detections.forget()
        self._pace.restart()

    def _confirm(
        self,
        tracks: Sequence[TrackState],
        found: Sequence[Detection],
        seconds: float,
        likeness: MatchCriteria,
    ) -> tuple[list[TrackState], list[Detection]]:
        """Pair finds with tracks; return the tracks and the finds left over."""
        pairs = pair(
            [track.expected(seconds) for track in tracks],
            [find.box for find in found],
            [likeness.gate_share * track.gate(seconds) for track in tracks],
            likeness.size_ratio,
        )
        for row, column in pairs:
            tracks[row].confirm(found[column], seconds)
        rows, columns = {row for row, _ in pairs}, {column for _, column in pairs}
        return (
            [track for index, track in enumerate(tracks) if index not in rows],
            [find for index, find in enumerate(found) if index not in columns],
        )

    def _carry(self, tracks: Sequence[TrackState], image: Image, seconds: float) -> None:
        """Follow each track into this picture with its own tracker, or hold it."""
        started = self._clock()
        found = [track.box for track in self._tracks if track.confirmed_seconds == seconds]
        visible = [track for track in tracks if not _is_behind(track.box, found)]
        if self._pool is not None and len(visible) > 1:
            follow = self._pool.map(lambda track: self._follow(track, image, seconds), visible)
            boxes = {track.track_id: box for track, box in zip(visible, follow, strict=True)}
        else:
            boxes = {track.track_id: self._follow(track, image, seconds) for track in visible}
        for track in tracks:
            box = boxes.get(track.track_id)
            if box is not None:
                track.follow(box, seconds)
            else:
                track.hold(seconds)
        if tracks:
            self._pace.followed(self._clock() - started)

    def _follow(self, track: TrackState, image: Image, seconds: float) -> Box | None:
        """Return the tracker's box in this picture; None when it lost the face."""
        unconfirmed = seconds - track.confirmed_seconds
        if track.missed_detections and unconfirmed > _CARRY_HOLDS * self._hold_seconds:
            return None
        if self._new_tracker is None or self._last_image is None or track.origin is Origin.HELD:
            return None
        if track.tracker is None:
            track.tracker = self._new_tracker()
            track.tracker.start(self._last_image, track.box)
        box = track.tracker.update(image)
        if box is None:
            return None
        ratio = box.size / track.confirmed.size
        height, width = image.shape[:2]
        drifted = not 1 / _DRIFT_SIZE_RATIO < ratio < _DRIFT_SIZE_RATIO
        outside = box.clipped(width, height).area < 0.25 * box.area
        return None if drifted or outside else box

    def _is_over(self, track: TrackState, seconds: float) -> bool:
        return (
            track.missed_detections >= _MISSED_LOOKS
            and seconds - track.known_seconds > self._hold_seconds
        )


def _is_behind(box: Box, found: Sequence[Box]) -> bool:
    """Return whether a face just found stands before this one: a tracker would follow that."""
    return any(front.intersection_area(box) > _BEHIND_SHARE * box.area for front in found)


def _is_among(find: Detection, boxes: Sequence[Box]) -> bool:
    """Return whether a find is one of these faces."""
    return any(find.box.iou(box) > _SAME_FACE_IOU for box in boxes)
