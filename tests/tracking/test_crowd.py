"""A crowd gets from one detection in the whole view what few faces get in crops of their own."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.tracking.fakes import (
    PARAMETERS,
    RATE,
    BrightDetector,
    LosingTracker,
    ScriptedClassifier,
    ScriptedDetector,
    detection,
    wall,
)
from tracker_blur.core.box import Box, Detection
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.tracking.backtracking import Backtracker
from tracker_blur.tracking.crowd import matches
from tracker_blur.tracking.extra_detection import USUAL, Way
from tracker_blur.tracking.missed_faces import MissedFaces
from tracker_blur.tracking.online import OnlineTracker, Step
from tracker_blur.tracking.redetection import Redetector
from tracker_blur.tracking.scene_cuts import Change
from tracker_blur.tracking.schedule import DetectionSchedule
from tracker_blur.tracking.track_classifier import TrackClassifier
from tracker_blur.tracking.track_state import TrackState

if TYPE_CHECKING:
    from collections.abc import Collection

    from tracker_blur.core.frame import Image

LIMITS = PARAMETERS.crowds
CLASSIFICATION = PARAMETERS.classification
IOU = PARAMETERS.same_face_iou
COUNT = LIMITS.min_faces + 8
FAINT = 0.6 * BrightDetector.low_confidence + 0.01
IMAGE = wall()


def place(number: int) -> Box:
    return Box.from_xywh(8 + 30.0 * (number % 10), 8 + 30.0 * (number // 10), 20, 24)


def crowd(missing: Collection[int] = (), faint: Collection[int] = ()) -> list[Detection]:
    return [
        detection(place(number), FAINT if number in faint else 0.9)
        for number in range(COUNT)
        if number not in missing
    ]


class CountingRedetector(Redetector):
    """Finds nothing, and counts its crops."""

    def __init__(self) -> None:
        super().__init__([BrightDetector()], PARAMETERS)
        self.crops = 0

    def detect(self, image: Image, expected: Box, way: Way = USUAL) -> Detection | None:
        self.crops += 1
        return None


def online_tracker(script: list[list[Detection]], redetector: Redetector) -> OnlineTracker:
    schedule = DetectionSchedule(3, RATE, PARAMETERS.schedule, leaves_out=True)
    clock = time.perf_counter
    return OnlineTracker(
        ScriptedDetector(script), 0.5, LosingTracker, schedule, 0.15, clock, PARAMETERS,
        redetector=redetector, skip_frames=True,
    )  # fmt: skip


def steps(tracker: OnlineTracker, count: int) -> list[Step]:
    return [tracker.step(IMAGE, index / RATE) for index in range(count)]


def test_a_detection_goes_to_the_face_that_it_overlaps_most_with_and_to_no_other() -> None:
    box = place(0)
    near, off, elsewhere = box.moved(1, 0), box.moved(5, 0), detection(place(5), 0.1)
    seen = [detection(off, 0.1), elsewhere]
    assert matches([box, near], seen, IOU) == [None, seen[0]]
    assert matches([near, box], [*seen, detection(box, 0.1)], IOU) == [seen[0], detection(box, 0.1)]
    assert matches([box.moved(15, 0)], seen[1:], IOU) == [None]
    assert matches([box], [], IOU) == [None]
    assert matches([], seen, IOU) == []


def test_a_detection_of_a_face_that_has_a_track_confirms_no_other() -> None:
    tracks = [TrackState.started(0, detection(place(0)), 0.0, PARAMETERS.online)]
    seen = [detection(place(0).moved(2, 0), FAINT)]
    missed = MissedFaces(CountingRedetector(), TrackClassifier(None, CLASSIFICATION), PARAMETERS)
    assert missed.confirm_seen(tracks, seen, [seen[0].box], 0.04) == tracks
    assert missed.confirm_seen(tracks, seen, [], 0.04) == []
    assert (tracks[0].box, tracks[0].confirmed_seconds) == (seen[0].box, 0.04)


def test_faint_detections_confirm_the_faces_of_a_crowd_without_crops() -> None:
    redetector = CountingRedetector()
    missed = range(0, COUNT, 2)
    script = [crowd(), crowd(), crowd(faint=missed)]
    last = steps(online_tracker(script, redetector), len(script))[-1]
    assert [face.origin for face in last.faces] == [Origin.DETECTED] * COUNT
    assert redetector.crops == 0
    assert last.seen is not None
    assert len(last.seen) == COUNT


def test_of_a_crowd_that_is_not_seen_at_all_few_faces_have_crops() -> None:
    redetector = CountingRedetector()
    script = [crowd(), crowd(), crowd(missing=range(20))]
    last = steps(online_tracker(script, redetector), 3)[-1]
    assert redetector.crops == LIMITS.max_crops
    assert len(last.faces) == COUNT, "the others are held"


def test_one_missed_face_of_a_crowd_does_not_make_the_detector_run_on_the_next_frame() -> None:
    eager = PARAMETERS.schedule.after_cut_frames
    for missing, is_next in (([1], False), (range(20), True)):
        script = [crowd()] * eager + [crowd(missing=missing)] * 6
        tracker = online_tracker(script, CountingRedetector())
        frames = [index for index, one in enumerate(steps(tracker, 12)) if not one.is_left_out]
        first = frames[eager]
        assert (first + 1 in frames) == is_next


def test_a_face_with_high_odds_in_a_crowd_is_classified_less_often() -> None:
    counts = {}
    for is_crowd in (True, False):
        judge = TrackClassifier(ScriptedClassifier(6.0), CLASSIFICATION)
        track = TrackState.started(0, detection(place(0)), 0.0, PARAMETERS.online)
        for number in range(41):  # 1.6 seconds
            track.confirm(detection(place(0)), number / RATE)
            judge.classify([track], IMAGE, number / RATE, is_crowd=is_crowd)
        counts[is_crowd] = len(track.log_odds)
    assert counts == {True: CLASSIFICATION.pooled_crops, False: 6 + 4}


def seen_step(*faces: Face, seen: tuple[Detection, ...] = ()) -> Step:
    return Step(faces, Change.NONE, is_detection_frame=True, seen=seen)


def test_new_faces_of_a_crowd_are_tracked_back_by_what_earlier_views_showed() -> None:
    redetector = CountingRedetector()
    tracker = Backtracker(LosingTracker, redetector, RATE, PARAMETERS)
    new = [Face(number, place(number), 0.9, Origin.DETECTED) for number in range(COUNT)]
    lost = Face(99, place(1), 0.9, Origin.DETECTED)
    views = [
        seen_step(lost, seen=tuple(crowd())),
        seen_step(seen=tuple(crowd(missing=range(2, COUNT)))),  # a gap for most of them
        seen_step(seen=tuple(crowd(missing=[0], faint=range(COUNT)))),
        seen_step(*new, seen=tuple(crowd())),
    ]
    for index, each in enumerate(views):
        found = {face.track_id: before for face, before in tracker.step(index, IMAGE, each)}
    assert [index for index, _, _ in found[5].faces] == [2, 0]
    assert [index for index, _, _ in found[0].faces] == [1, 0]
    assert [index for index, _, _ in found[1].faces] == [2, 1], "there, it was another track"
    assert {number: before.link for number, before in found.items() if before.link} == {1: 99}
    assert redetector.crops == LIMITS.max_backtracking_crops


def test_a_gap_that_is_too_long_ends_the_path_of_a_new_face() -> None:
    limits = replace(PARAMETERS.crowds, max_backtracking_gap_frames=1)
    few = replace(PARAMETERS, crowds=limits)
    tracker = Backtracker(LosingTracker, CountingRedetector(), RATE, few)
    new = Face(0, place(0), 0.9, Origin.DETECTED)
    views = [seen_step(seen=tuple(crowd())), seen_step(), seen_step(new)]
    for index, each in enumerate(views):
        found = list(tracker.step(index, IMAGE, each))
    assert [before.faces for _, before in found] == [()]
