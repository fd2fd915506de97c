"""The first pass: what is seen forwards and backwards, in pixels of the full frames."""

from __future__ import annotations

import time
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from tests.bright_square import SIZE, SQUARE, Blind, Bright, wall
from tests.test_follow import Script, found
from tracker_blur.core.box import Box, Detection
from tracker_blur.core.frame import Image
from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.appearance import common, look
from tracker_blur.tracking.backtracking import Backtracker
from tracker_blur.tracking.first_pass import FirstPass, RawTracks
from tracker_blur.tracking.online import OnlineTracker
from tracker_blur.tracking.redetection import Redetector
from tracker_blur.tracking.schedule import DetectionSchedule

RATE = 25.0
WHITE: Image = np.full_like(wall(), 255)
GREEN: Image = np.full_like(wall(), (20, 200, 20))


def seen(
    pictures: Sequence[Image],
    looks: Sequence[Sequence[Detection]],
    *,
    size: tuple[int, int] = SIZE,
    start: int = 0,
    every: int = 1,
) -> RawTracks:
    """Return what a first pass sees of these pictures; 25 a second, 1000 units each."""
    redetector = Redetector(Bright())
    follower = OnlineTracker(
        Script(looks),
        0.5,
        Blind,
        DetectionSchedule(every, RATE),
        0.15,
        time.perf_counter,
        redetector=redetector,
        skips=True,
    )
    survey = FirstPass(follower, Backtracker(Blind, redetector, RATE), size, Fraction(1, 25000))
    for index, picture in enumerate(pictures):
        survey.step(picture, start + 1000 * index)
    assert survey.track_count == follower.track_count
    return survey.finish()


def test_a_face_found_late_was_there_from_when_it_appeared() -> None:
    pictures = [wall()] * 3 + [wall(SQUARE)] * 9
    looks: list[list[Detection]] = [[]] * 8 + [[found(SQUARE)]] * 4
    (whole,) = seen(pictures, looks).tracks.tracks
    assert whole.frames.tolist() == list(range(3, 12))
    assert whole.has(Origin.DETECTED).all()
    assert whole.scores[:5].tolist() == pytest.approx([0.6] * 5)  # the second look's


def test_boxes_are_in_pixels_of_the_full_frames() -> None:
    pictures = [wall(SQUARE)] * 4
    looks: list[list[Detection]] = [[], [], [found(SQUARE)], [found(SQUARE)]]
    (track,) = seen(pictures, looks, size=(960, 360)).tracks.tracks
    for row in range(len(track)):
        assert track.box(row).iou(SQUARE.scaled(3, 2)) > 0.9
    assert track.box(3) == SQUARE.scaled(3, 2)


def test_times_stay_exact_wherever_they_begin() -> None:
    tracks = seen([wall()] * 4, [], start=-(2**40)).tracks
    assert tracks.times.tolist() == [-(2**40) + 1000 * index for index in range(4)]
    assert tracks.time_base == Fraction(1, 25000)
    assert (tracks.size, tracks.tracks, tracks.cuts) == (SIZE, (), ())


def test_a_video_without_frames_shows_nothing() -> None:
    sightings = seen([], [])
    assert sightings.tracks.frame_count == 0
    assert sightings.tracks.tracks == ()
    assert sightings.links == ()


def test_a_cut_is_noted_and_no_face_crosses_it() -> None:
    pictures = [GREEN] * 5 + [wall(SQUARE)] * 6
    tracks = seen(pictures, [[]] * 8 + [[found(SQUARE)]] * 3).tracks
    assert tracks.cuts == (5,)
    (track,) = tracks.tracks
    assert track.frames.tolist() == list(range(5, 11))


def test_a_flash_of_light_is_no_cut() -> None:
    pictures = [wall(SQUARE)] * 4 + [WHITE] * 2 + [wall(SQUARE)] * 4
    looks = [[found(SQUARE)]] * 4 + [[]] * 2 + [[found(SQUARE)]] * 4
    tracks = seen(pictures, looks).tracks
    assert tracks.cuts == ()
    (track,) = tracks.tracks
    assert track.frames.tolist() == [0, 1, 2, 3, 6, 7, 8, 9]


def test_cuts_on_both_sides_of_a_flash_stay() -> None:
    pictures = [GREEN] * 8 + [wall(SQUARE)] * 4 + [WHITE] + [wall(SQUARE)] * 8 + [GREEN] * 3
    assert seen(pictures, []).tracks.cuts == (8, 21)


def test_a_lost_face_that_nobody_saw_in_between_is_not_linked() -> None:
    pictures = [wall(SQUARE)] * 3 + [wall()] * 12 + [wall(SQUARE)] * 5
    looks = [[found(SQUARE)]] * 3 + [[]] * 15 + [[found(SQUARE)]] * 2
    sightings = seen(pictures, looks)
    assert [track.track_id for track in sightings.tracks.tracks] == [0, 1]
    assert sightings.tracks.tracks[1].first == 15
    assert sightings.links == ()


def test_following_back_into_a_lost_face_links_the_two() -> None:
    way = [SQUARE.moved(6.0 * step, 0) for step in range(14)]
    looks = [[found(box)] for box in way]
    looks[3:11] = [[]] * 8
    follower = OnlineTracker(
        Script(looks), 0.5, Blind, DetectionSchedule(1, RATE), 0.0, time.perf_counter
    )
    survey = FirstPass(
        follower, Backtracker(Blind, Redetector(Bright()), RATE), SIZE, Fraction(1, 25)
    )
    for index, box in enumerate(way):
        survey.step(wall(box), index)
    sightings = survey.finish()
    assert sightings.links == ((0, 1),)
    assert [track.first for track in sightings.tracks.tracks] == [0, 3]


def test_the_look_of_every_find_is_known() -> None:
    pictures = [wall()] * 2 + [wall(SQUARE)] * 6
    sightings = seen(pictures, [[]] * 5 + [[found(SQUARE)]] * 3)
    (track,) = sightings.tracks.tracks
    for frame in track.frames[track.has(Origin.DETECTED)].tolist():
        known = sightings.looks.at(track.track_id, frame)
        assert common(known, look(wall(SQUARE), SQUARE)) > 0.9
    with pytest.raises(KeyError):
        sightings.looks.at(track.track_id, 0)
    with pytest.raises(KeyError):
        sightings.looks.at(99, 0)


def test_frames_that_nobody_looked_at_are_left_open() -> None:
    looks = [[found(SQUARE)]] * 20
    (track,) = seen([wall(SQUARE)] * 12, looks, every=3).tracks.tracks
    assert track.has(Origin.DETECTED).all()
    assert track.frames.tolist() == [0, 1, 2, 5, 8, 11]


def test_two_looks_tell_colors_apart() -> None:
    red = np.full((20, 20, 3), (0, 0, 220), np.uint8)
    blue = np.full((20, 20, 3), (220, 0, 0), np.uint8)
    box = Box(2, 2, 18, 18)
    assert common(look(red, box), look(red, box)) == pytest.approx(1)
    assert common(look(red, box), look(blue, box)) == 0
    assert look(red, Box(50, 50, 60, 60)) == bytes(24)  # out of the picture: no colors at all
