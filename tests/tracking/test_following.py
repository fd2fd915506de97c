"""Boxes are followed back and on, several in one pass, each within its limits."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tests.tracking.fakes import FACE, PARAMETERS, RATE, shifted
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Origin, Tracks
from tracker_blur.trackers import csrt
from tracker_blur.tracking.following import BoxPath, Follower, rate_of, shot_of
from tracker_blur.weights.store import Weights

SIZE = (512, 512)
STEP = 4  # pixels a frame
FRAMES = 12


def place(frame: int) -> Box:
    return FACE.moved(STEP * frame, 0)


def follow(*paths: BoxPath) -> Follower:
    follower = Follower(paths, SIZE, RATE, csrt.load(Weights()), PARAMETERS)
    assert follower.view_size == SIZE
    for frame in range(FRAMES):
        follower.step(frame, shifted(STEP * frame))
    return follower


def test_a_box_is_followed_back_and_on_within_its_limits() -> None:
    path = BoxPath({6: place(6)}, range(2, 10))
    follower = follow(path)
    assert sorted(path.followed) == [2, 3, 4, 5, 7, 8, 9]
    assert all(box.iou(place(frame)) > 0.7 for frame, box in path.followed.items())
    assert path.reached == (2, 9)
    assert follower.is_done


def test_several_boxes_are_followed_at_once() -> None:
    paths = [BoxPath({at: place(at)}, range(FRAMES)) for at in (3, 8)]
    follower = follow(*paths)
    assert [sorted(path.followed) for path in paths] == [
        [at for at in range(FRAMES) if at != start] for start in (3, 8)
    ]
    assert follower.wanted == range(FRAMES)


def test_between_keyframes_nothing_is_followed() -> None:
    path = BoxPath({3: place(3), 7: place(7)}, range(2, 9))
    follow(path)
    assert sorted(path.followed) == [2, 8]


def test_the_ends_stay_for_a_margin_within_the_limits() -> None:
    path = BoxPath({5: FACE}, range(3, 20), {6: FACE.moved(9, 0)})
    faces = path.faces(3, path.limits)
    assert {frame: origin for frame, (_, origin) in faces.items()} == {
        3: Origin.MARGIN,
        4: Origin.MARGIN,
        6: Origin.TRACKED,
        7: Origin.MARGIN,
        8: Origin.MARGIN,
        9: Origin.MARGIN,
    }
    assert (faces[4][0], faces[9][0]) == (FACE, FACE.moved(9, 0))


def test_small_boxes_need_large_views() -> None:
    path = BoxPath({0: Box(0, 0, 30, 30)}, range(1))
    sizes = [
        Follower([path], size, RATE, csrt.load(Weights()), PARAMETERS).view_size
        for size in ((1280, 720), (3840, 2160))
    ]
    assert sizes == [(1280, 720), (3840, 2160)]
    large = BoxPath({0: Box(0, 0, 480, 480)}, range(1))
    follower = Follower([large], (3840, 2160), RATE, csrt.load(Weights()), PARAMETERS)
    assert follower.view_size == (1280, 720)


@pytest.mark.parametrize(
    ("first", "last", "shot"),
    [(0, 5, range(10)), (9, 9, range(10)), (10, 12, range(10, 20)), (25, 29, range(20, 30))],
)
def test_shots(first: int, last: int, shot: range) -> None:
    tracks = Tracks(SIZE, Fraction(1, 50), np.arange(0, 60, 2), (10, 20))
    assert shot_of(tracks, first, last) == shot
    assert rate_of(tracks) == pytest.approx(25.0)


def test_one_frame_has_no_rate() -> None:
    assert rate_of(Tracks(SIZE, Fraction(1), np.zeros(1, np.int64))) == 1.0
