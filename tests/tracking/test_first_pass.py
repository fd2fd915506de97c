"""The first pass: faces are tracked forwards and backwards, in pixels of the full frames."""

from __future__ import annotations

import time
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

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
from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.appearance import color_histogram, common_color_share
from tracker_blur.tracking.backtracking import Backtracker
from tracker_blur.tracking.lazy_view import LazyView
from tracker_blur.tracking.observation import Observer
from tracker_blur.tracking.online import OnlineTracker
from tracker_blur.tracking.scene_cuts import CutDetector
from tracker_blur.tracking.schedule import DetectionSchedule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.tracking.first_pass import RawTracks

WHITE: Image = np.full_like(wall(), 255)
GREEN: Image = np.full_like(wall(), (20, 200, 20))


def raw_tracks(
    images: Sequence[Image],
    script: Sequence[Sequence[Detection]],
    *,
    size: tuple[int, int] = SIZE,
    start: int = 0,
    every: int = 1,
    hold_seconds: float = 0.15,
    redetect: bool = True,
) -> RawTracks:
    """Return the result of a first pass over images, 25 a second, 1000 units each."""
    tracker = OnlineTracker(
        ScriptedDetector(script),
        0.5,
        LosingTracker,
        DetectionSchedule(every, RATE, PARAMETERS.schedule),
        hold_seconds,
        time.perf_counter,
        PARAMETERS,
        redetector=redetector() if redetect else None,
        skip_frames=True,
    )
    backtracker = Backtracker(LosingTracker, redetector(), RATE, PARAMETERS)
    observer = Observer(tracker, backtracker, size, Fraction(1, 25000))
    first_pass, cuts = observer.new_first_pass(), CutDetector(PARAMETERS.scene_cuts)
    for index, image in enumerate(images):
        view = LazyView(cuts.change(image), partial(np.asarray, image))
        first_pass.add(observer.step(view, start + 1000 * index))
    assert observer.track_count == tracker.track_count
    first_pass.end()
    assert first_pass.final_count == len(images)
    return first_pass.window(0, len(images))


def test_a_face_detected_late_is_backtracked_to_where_it_appeared() -> None:
    images = [wall()] * 3 + [wall(SQUARE)] * 9
    script: list[list[Detection]] = [[]] * 8 + [[detection(SQUARE)]] * 4
    (whole,) = raw_tracks(images, script).tracks.tracks
    assert whole.frames.tolist() == list(range(3, 12))
    assert whole.has(Origin.DETECTED).all()
    assert whole.scores[:5].tolist() == pytest.approx([0.6] * 5)  # those of re-detection


def test_boxes_are_in_pixels_of_the_full_frames() -> None:
    images = [wall(SQUARE)] * 4
    script: list[list[Detection]] = [[], [], [detection(SQUARE)], [detection(SQUARE)]]
    (track,) = raw_tracks(images, script, size=(960, 360)).tracks.tracks
    for row in range(len(track)):
        assert track.box(row).iou(SQUARE.scaled(3, 2)) > 0.9
    assert track.box(3) == SQUARE.scaled(3, 2)


def test_times_stay_exact_wherever_they_begin() -> None:
    tracks = raw_tracks([wall()] * 4, [], start=-(2**40)).tracks
    assert tracks.times.tolist() == [-(2**40) + 1000 * index for index in range(4)]
    assert tracks.time_base == Fraction(1, 25000)
    assert (tracks.size, tracks.tracks, tracks.cuts) == (SIZE, (), ())


def test_a_video_without_frames_has_no_tracks() -> None:
    raw = raw_tracks([], [])
    assert raw.tracks.frame_count == 0
    assert raw.tracks.tracks == ()
    assert raw.links == ()


def test_a_cut_is_noted_and_no_face_crosses_it() -> None:
    images = [GREEN] * 5 + [wall(SQUARE)] * 6
    tracks = raw_tracks(images, [[]] * 8 + [[detection(SQUARE)]] * 3).tracks
    assert tracks.cuts == (5,)
    (track,) = tracks.tracks
    assert track.frames.tolist() == list(range(5, 11))


def test_a_flash_of_light_is_no_cut() -> None:
    images = [wall(SQUARE)] * 4 + [WHITE] * 2 + [wall(SQUARE)] * 4
    script = [[detection(SQUARE)]] * 4 + [[]] * 2 + [[detection(SQUARE)]] * 4
    tracks = raw_tracks(images, script).tracks
    assert tracks.cuts == ()
    (track,) = tracks.tracks
    assert track.frames.tolist() == [0, 1, 2, 3, 6, 7, 8, 9]


def test_cuts_on_both_sides_of_a_flash_stay() -> None:
    images = [GREEN] * 8 + [wall(SQUARE)] * 4 + [WHITE] + [wall(SQUARE)] * 8 + [GREEN] * 3
    assert raw_tracks(images, []).tracks.cuts == (8, 21)


def test_a_lost_face_that_was_not_there_in_between_is_not_linked() -> None:
    images = [wall(SQUARE)] * 3 + [wall()] * 12 + [wall(SQUARE)] * 5
    script = [[detection(SQUARE)]] * 3 + [[]] * 15 + [[detection(SQUARE)]] * 2
    raw = raw_tracks(images, script)
    assert [track.track_id for track in raw.tracks.tracks] == [0, 1]
    assert raw.tracks.tracks[1].first == 15
    assert raw.links == ()


def test_backtracking_into_a_lost_face_links_the_two() -> None:
    path = [SQUARE.moved(6.0 * step, 0) for step in range(14)]
    script = [[detection(box)] for box in path]
    script[3:11] = [[]] * 8
    raw = raw_tracks([wall(box) for box in path], script, hold_seconds=0.0, redetect=False)
    assert raw.links == ((0, 1),)
    assert [track.first for track in raw.tracks.tracks] == [0, 3]


def test_the_colors_of_every_detection_are_known() -> None:
    images = [wall()] * 2 + [wall(SQUARE)] * 6
    raw = raw_tracks(images, [[]] * 5 + [[detection(SQUARE)]] * 3)
    (track,) = raw.tracks.tracks
    for frame in track.frames[track.has(Origin.DETECTED)].tolist():
        known = raw.appearance.at(track.track_id, frame)
        assert common_color_share(known, color_histogram(wall(SQUARE), SQUARE)) > 0.9
    with pytest.raises(KeyError):
        raw.appearance.at(track.track_id, 0)
    with pytest.raises(KeyError):
        raw.appearance.at(99, 0)


def test_frames_that_are_not_detection_frames_are_left_out() -> None:
    script = [[detection(SQUARE)]] * 20
    (track,) = raw_tracks([wall(SQUARE)] * 12, script, every=3).tracks.tracks
    assert track.has(Origin.DETECTED).all()
    assert track.frames.tolist() == [0, 1, 2, 3, 6, 9]
