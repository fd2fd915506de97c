"""New faces are followed back through the last moment of the video."""

from __future__ import annotations

import pytest

from tests.bright_square import SQUARE, Blind, Bright, wall
from tracker_blur.core.box import Box
from tracker_blur.core.frame import Image
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.tracking.backtracking import Backtracked, Backtracker
from tracker_blur.tracking.online import Step
from tracker_blur.tracking.redetection import Redetector
from tracker_blur.tracking.scene_cuts import Change


def rewind(rate: float = 25.0, detector: Bright | None = None) -> Backtracker:
    return Backtracker(Blind, Redetector(detector or Bright()), rate)


def step(*faces: Face, change: Change = Change.NONE) -> Step:
    return Step(faces, change, is_detection_frame=True)


def face(track_id: int = 0, box: Box = SQUARE, origin: Origin = Origin.DETECTED) -> Face:
    return Face(track_id, box, 0.9, origin)


def watch(
    window: Backtracker, shown: list[tuple[Image, Step]]
) -> list[tuple[int, Face, Backtracked]]:
    """Return (frame, face, its way back) for each new face."""
    return [
        (index, new, before)
        for index, (image, seen) in enumerate(shown)
        for new, before in window.step(index, image, seen)
    ]


def test_a_new_face_is_followed_back_to_where_it_appeared() -> None:
    squares = [SQUARE.moved(3.0 * index, 0) for index in range(10)]
    shown = [(wall(), step())] * 4 + [(wall(square), step()) for square in squares[:-1]]
    shown.append((wall(squares[-1]), step(face(box=squares[-1]))))
    ((frame, new, before),) = watch(rewind(), shown)
    assert (frame, new.track_id, before.link) == (13, 0, None)
    assert [index for index, _, _ in before.faces] == list(range(12, 3, -1))
    for index, view, earlier in before.faces:
        assert view is shown[index][0]
        assert earlier.track_id == 0
        assert earlier.origin is Origin.DETECTED
        assert earlier.box.iou(squares[index - 4]) > 0.85


def test_a_face_is_new_once() -> None:
    shown = [(wall(SQUARE), step())] * 2 + [(wall(SQUARE), step(face()))] * 5
    assert [frame for frame, _, _ in watch(rewind(), shown)] == [2]
    ways = watch(rewind(), [*shown, (wall(SQUARE), step()), (wall(SQUARE), step(face()))])
    assert [frame for frame, _, _ in ways] == [2]  # nor is one that was only away


@pytest.mark.parametrize(("rate", "frames"), [(0.4, 1), (10, 10), (25, 25), (30, 30), (240, 30)])
def test_the_window_is_a_second_and_thirty_pictures_at_the_most(rate: float, frames: int) -> None:
    shown = [(wall(SQUARE), step())] * 40 + [(wall(SQUARE), step(face()))]
    ((_, _, before),) = watch(rewind(rate), shown)
    assert len(before.faces) == frames
    assert before.faces[-1][0] == 40 - frames


@pytest.mark.parametrize("change", [Change.CUT, Change.RETURN])
def test_nobody_is_followed_back_over_a_cut(change: Change) -> None:
    shown = [(wall(SQUARE), step())] * 5
    shown += [(wall(SQUARE), step(change=change)), (wall(SQUARE), step())]
    ((_, _, before),) = watch(rewind(), [*shown, (wall(SQUARE), step(face()))])
    assert [index for index, _, _ in before.faces] == [6, 5]
    at_once = [*shown, (wall(SQUARE), step(face(), change=change))]
    ((_, _, before),) = watch(rewind(), at_once)
    assert before.faces == ()


def test_a_way_back_ends_where_it_reaches_a_face_that_was_lost_and_links_the_two() -> None:
    shown = [(wall(SQUARE), step(face(0)))] * 3 + [(wall(SQUARE), step())] * 4
    ways = watch(rewind(), [*shown, (wall(SQUARE), step(face(1)))])
    (_, new, before) = ways[-1]
    assert new.track_id == 1
    assert before.link == 0
    assert [index for index, _, _ in before.faces] == [6, 5, 4, 3]


def test_a_face_that_is_still_there_is_another_one() -> None:
    near = SQUARE.moved(5, 0)
    shown = [(wall(SQUARE), step(face(0)))] * 3
    ways = watch(rewind(), [*shown, (wall(SQUARE), step(face(0), face(1, near)))])
    assert ways[-1][2] == Backtracked((), None)


def test_what_was_not_found_but_held_or_followed_is_no_goal() -> None:
    for origin in (Origin.HELD, Origin.FOLLOWED):
        shown = [(wall(SQUARE), step(face(0, origin=origin)))] * 3
        ways = watch(rewind(), [*shown, (wall(SQUARE), step(face(1)))])
        assert len(ways[-1][2].faces) == 3
        assert ways[-1][2].link is None


def test_pictures_of_another_size_are_passed_over() -> None:
    half: Image = wall(SQUARE)[::2, ::2].copy()
    shown = [(half, step())] * 3 + [(wall(SQUARE), step())] * 2
    ((_, _, before),) = watch(rewind(), [*shown, (wall(SQUARE), step(face()))])
    assert [index for index, _, _ in before.faces] == [4, 3]


def test_several_new_faces_each_have_their_way() -> None:
    other = face(1, Box.from_xywh(20, 20, 30, 30))
    shown = [(wall(SQUARE), step())] * 3 + [(wall(SQUARE), step(face(0), other))]
    ways = watch(rewind(), shown)
    assert [(new.track_id, len(before.faces)) for _, new, before in ways] == [(0, 3), (1, 0)]
