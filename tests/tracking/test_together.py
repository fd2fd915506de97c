"""Things of several kinds are followed side by side, and never become one another."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np

from tests.bright_square import SIZE, SQUARE, Blind, Bright, wall
from tracker_blur.core.box import Box, Detection
from tracker_blur.core.frame import Image
from tracker_blur.core.tracks import Face, Origin, Tracks, TracksBuilder
from tracker_blur.tracking.backtracking import Backtracker
from tracker_blur.tracking.detector_bundle import MultiClassBacktracker, MultiClassTracker, merged
from tracker_blur.tracking.online import OnlineTracker, Step
from tracker_blur.tracking.redetection import Redetector
from tracker_blur.tracking.scene_cuts import Change
from tracker_blur.tracking.schedule import DetectionSchedule

RATE = 25.0
LABELS = ("face", "plate")


class Dark(Bright):
    """A detector that finds what is black."""

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        return super().detect(255 - image, confidence)


def scene(bright: Box | None, dark: Box | None) -> Image:
    picture = wall(bright)
    if dark is not None:
        left, top, right, bottom = dark.clipped(*SIZE).outward()
        picture[top:bottom, left:right] = 0
    return picture


def follower(detector: Bright) -> OnlineTracker:
    return OnlineTracker(detector, 0.5, Blind, DetectionSchedule(1, RATE), 0.2, time.perf_counter)


def test_two_kinds_in_one_place_stay_two() -> None:
    followers = MultiClassTracker([("face", follower(Bright())), ("plate", follower(Dark()))])
    rewinds = MultiClassBacktracker(
        [(label, Backtracker(Blind, Redetector(Bright()), RATE)) for label in LABELS]
    )
    seen: list[tuple[Face, ...]] = []
    new = []
    for index in range(12):  # they go through each other, the black one in front
        places = SQUARE.moved(6.0 * index, 0), SQUARE.moved(66 - 6.0 * index, 0)
        image = scene(*places)
        step = followers.step(image, index / RATE)
        new += [face for face, _ in rewinds.step(index, image, step)]
        seen.append(step.faces)
    assert [(face.label, face.track_id) for face in new[:2]] == [("face", 0), ("plate", 1)]
    for faces in seen:
        assert all(face.label == LABELS[face.track_id % 2] for face in faces)
    plates = [face for faces in seen for face in faces if face.label == "plate"]
    assert len(plates) == 12
    assert {face.track_id for face in plates} == {1}


def test_what_was_there_before_it_was_found_keeps_its_label() -> None:
    rewinds = MultiClassBacktracker(
        [(label, Backtracker(Blind, Redetector(Dark()), RATE)) for label in LABELS]
    )
    image = scene(None, SQUARE)
    for index in range(4):
        assert (
            list(rewinds.step(index, image, Step((), Change.NONE, is_detection_frame=True))) == []
        )
    new = Face(1, SQUARE, 0.9, Origin.DETECTED, label="plate")
    ((face, before),) = rewinds.step(4, image, Step((new,), Change.NONE, is_detection_frame=True))
    assert face == new
    assert [(index, one.track_id, one.label) for index, _, one in before.faces] == [
        (index, 1, "plate") for index in (3, 2, 1, 0)
    ]


def test_tracks_of_all_kinds_are_numbered_anew() -> None:
    found = []
    for label, count in (("face", 2), ("plate", 1)):
        builder = TracksBuilder()
        for number in range(count):
            builder.add(3, Face(number, SQUARE, 0.9, Origin.DETECTED))
        times = np.arange(5, dtype=np.int64)
        found.append((label, Tracks(SIZE, Fraction(1, 25), times, (2,), builder.tracks())))
    whole = merged(found)
    assert [(track.track_id, track.label) for track in whole.tracks] == [
        (0, "face"),
        (1, "face"),
        (2, "plate"),
    ]
    assert (whole.size, whole.cuts, whole.frame_count) == (SIZE, (2,), 5)
