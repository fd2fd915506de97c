"""One pass with a delay: later frames improve the faces of those that still wait."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.fakes import LAYOUTS, ArrayFrame
from tests.tracking.fakes import (
    PARAMETERS,
    RATE,
    SIZE,
    SQUARE,
    LosingTracker,
    ScriptedDetector,
    detection,
    redetector,
    wall,
)
from tracker_blur.core.frame import Frame, Plane
from tracker_blur.tracking.backtracking import Backtracker
from tracker_blur.tracking.final_tracks import Target
from tracker_blur.tracking.lazy_view import LazyView
from tracker_blur.tracking.lookahead import Delay, look_ahead
from tracker_blur.tracking.observation import Observer
from tracker_blur.tracking.online import OnlineTracker
from tracker_blur.tracking.scene_cuts import CutDetector
from tracker_blur.tracking.schedule import DetectionSchedule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tracker_blur.core.box import Box, Detection
    from tracker_blur.core.tracks import Face
    from tracker_blur.tracking.first_pass import Seen

APPEARS, DETECTED, END = 4, 12, 18


def frame(index: int, square: Box | None) -> ArrayFrame:
    """Return a frame in gray; its view shows white as white."""
    gray = np.asarray(cv2.cvtColor(wall(square), cv2.COLOR_BGR2GRAY), np.uint8)
    return ArrayFrame([Plane(gray)], LAYOUTS["gray"][0], index=index)


def clip(square: Box = SQUARE) -> list[ArrayFrame]:
    """Return a clip in which the square appears, and stays."""
    return [frame(index, square if index >= APPEARS else None) for index in range(END)]


def late(square: Box = SQUARE) -> list[list[Detection]]:
    """Return the detections of a detector that misses the face for a while."""
    return [[detection(square)] if index >= DETECTED else [] for index in range(END)]


def online_tracker(script: Sequence[Sequence[Detection]]) -> OnlineTracker:
    schedule = DetectionSchedule(1, RATE, PARAMETERS.schedule)
    detector = ScriptedDetector(script)
    return OnlineTracker(detector, 0.5, LosingTracker, schedule, 1.0, time.perf_counter, PARAMETERS)


class Observed:
    """Observes frames with a tracker and, perhaps, a backtracker."""

    def __init__(
        self, tracker: OnlineTracker, backtracker: Backtracker | None, view_size: tuple[int, int]
    ) -> None:
        self._observer = Observer(tracker, backtracker, SIZE, Fraction(1, 25), with_colors=False)
        self._cuts = CutDetector(PARAMETERS.scene_cuts)
        self._view_size = view_size
        self.targets = [Target("face", self._observer.new_first_pass(), 0.5, PARAMETERS)]

    def step(self, frame: Frame) -> list[Seen]:
        image = frame.view(self._view_size)
        return [self._observer.step(LazyView(self._cuts.change(image), lambda: image), frame.pts)]


def tracked(
    frames: Iterable[Frame],
    script: Sequence[Sequence[Detection]],
    delay: int,
    *,
    backtracking: bool = True,
    view_size: tuple[int, int] = SIZE,
) -> Iterator[tuple[Frame, tuple[Face, ...]]]:
    backtracker = Backtracker(LosingTracker, redetector(), RATE, PARAMETERS)
    observer = Observed(online_tracker(script), backtracker if backtracking else None, view_size)
    return look_ahead(frames, lambda _: observer, Delay(delay), PARAMETERS.smoothing, 0.0)


@pytest.mark.parametrize("delay", [0, 1, 3, 8, 11, 17, 18, 500])
def test_frames_keep_their_order_and_number_whatever_the_delay(delay: int) -> None:
    frames = clip()
    assert [given for given, _ in tracked(frames, late(), delay)] == frames


@pytest.mark.parametrize("delay", [0, 1, 3, 7, 8, 11, 500])
def test_a_face_is_hidden_up_to_a_delay_before_its_first_detection(delay: int) -> None:
    hidden = [bool(faces) for _, faces in tracked(clip(), late(), delay)]
    first = max(APPEARS, DETECTED - delay)
    assert hidden == [index >= first for index in range(END)]


def test_boxes_before_the_first_detection_belong_to_the_same_track() -> None:
    for given, faces in tracked(clip(), late(), 30):
        assert [face.track_id for face in faces] == ([0] if given.index >= APPEARS else [])
        assert all(face.box.iou(SQUARE) > 0.85 for face in faces)


def test_without_a_delay_backtracking_changes_nothing() -> None:
    frames = clip()
    plain = list(tracked(frames, late(), 0, backtracking=False))
    assert list(tracked(frames, late(), 0)) == plain
    delayed = list(tracked(frames, late(), 9, backtracking=False))
    assert [len(faces) for _, faces in delayed] == [len(faces) for _, faces in plain]


def test_a_delay_takes_nothing_away() -> None:
    frames = clip()
    without = [faces for _, faces in tracked(frames, late(), 0)]
    for faces, more in zip(without, (f for _, f in tracked(frames, late(), 6)), strict=True):
        for face in faces:
            assert any(other.box.covers(face.box) for other in more)


def test_a_frame_waits_for_as_many_as_the_delay_says() -> None:
    read = []

    def frames() -> Iterator[Frame]:
        for each in clip():
            read.append(each.index)
            yield each

    given = tracked(frames(), [], 5, backtracking=False)
    assert next(given)[0].index == 0
    assert read == [0, 1, 2, 3, 4, 5]
    assert next(given)[0].index == 1
    assert read[-1] == 6


def test_faces_are_in_pixels_of_the_full_frames() -> None:
    small = (160, 90)
    script = [
        [detection(box.scaled(0.5, 0.5)) for box in (f.box for f in detections)]
        for detections in late()
    ]
    for given, faces in tracked(clip(), script, 30, view_size=small):
        assert len(faces) == (given.index >= APPEARS)
        assert all(face.box.iou(SQUARE) > 0.85 for face in faces)


def test_sizes_decay_slowly() -> None:
    small = SQUARE.padded(-0.2)
    script = [[detection(SQUARE)]] + [[detection(small)]] * 10
    frames = [frame(index, SQUARE) for index in range(11)]
    widths = [faces[0].box.width for _, faces in tracked(frames, script, 2)]
    assert widths == sorted(widths, reverse=True)
    assert widths[1] > 0.95 * SQUARE.width


def test_a_clip_without_frames_gives_none() -> None:
    assert list(tracked([], [], 5)) == []
