"""Frames that wait: what later ones tell of them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fakes import LAYOUTS, ArrayFrame
from tracker_blur.core.box import Box
from tracker_blur.core.frame import Plane
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.tracking.lookahead import SlidingWindow
from tracker_blur.tracking.scene_cuts import Change

BOX = Box.from_xywh(100, 60, 40, 40)


def frame(index: int) -> ArrayFrame:
    return ArrayFrame([Plane(np.zeros((4, 4), np.uint8))], LAYOUTS["gray"][0], index=index)


def face(box: Box = BOX, origin: Origin = Origin.DETECTED) -> Face:
    return Face(7, box, 0.5, origin, label="face")


def gone(
    faces: list[Face | None],
    margin: float = 0.0,
    cut: int | None = None,
    change: Change = Change.CUT,
) -> list[tuple[Face, ...]]:
    """Return the faces of frames that all wait for the last."""
    window: SlidingWindow[ArrayFrame] = SlidingWindow(margin)
    for index, one in enumerate(faces):
        window.add(frame(index), () if one is None else (one,), change if index == cut else NONE)
    left = []
    while window:
        given, seen = window.leave()
        assert given.index == len(left)
        left.append(seen)
    return left


NONE = Change.NONE


def test_a_gap_is_filled_between_its_ends() -> None:
    moved = BOX.moved(40, 0)
    faces = gone([face(), None, None, None, face(moved), face(moved)])
    assert [len(seen) for seen in faces] == [1] * 6
    assert faces[2][0].origin is Origin.BETWEEN
    assert faces[2][0].box.covers(BOX.moved(20, 0))


def test_a_loss_that_came_to_its_end_gives_way_to_what_is_known() -> None:
    moved = BOX.moved(80, 0)
    held = face(BOX, Origin.HELD)
    faces = gone([face(), held, held, held, face(moved), face(moved)])
    assert faces[2][0].origin is Origin.BETWEEN
    assert faces[2][0].box.covers(BOX.moved(40, 0))
    lasting = gone([face(), held, held, held])
    assert [seen[0].origin for seen in lasting[1:]] == [Origin.HELD] * 3


@pytest.mark.parametrize("margin", [0.0, 0.04, 0.08, 0.2])
def test_a_face_is_hidden_a_margin_before_it_was_found(margin: float) -> None:
    faces = gone([None] * 5 + [face()] * 3, margin)
    hidden = [bool(seen) for seen in faces]
    assert hidden == [index >= 5 - round(25 * margin) for index in range(8)]


def test_no_margin_reaches_into_another_scene() -> None:
    faces = gone([None] * 5 + [face()] * 3, 0.2, cut=4)
    assert [bool(seen) for seen in faces] == [False] * 4 + [True] * 4


def test_a_flash_of_light_is_no_other_scene() -> None:
    window: SlidingWindow[ArrayFrame] = SlidingWindow(0.2)
    for index in range(8):
        change = {3: Change.CUT, 4: Change.RETURN}.get(index, NONE)
        window.add(frame(index), (face(),) if index >= 5 else (), change)
    assert [bool(window.leave()[1]) for _ in range(8)] == [True] * 8


def test_boxes_are_steadied_and_cover_what_they_were() -> None:
    jumping = [face(BOX.moved(3 * (-1) ** index, 0)) for index in range(12)]
    faces = gone(list(jumping))
    for was, (seen,) in zip(jumping, faces, strict=True):
        assert seen.box.covers(was.box)
        assert (seen.track_id, seen.label) == (7, "face")
    middles = [seen[0].box.center[0] for seen in faces[3:-3]]
    assert np.ptp(middles) < 3


def test_what_is_found_too_late_is_left_alone() -> None:
    window: SlidingWindow[ArrayFrame] = SlidingWindow(0.0)
    for index in range(3):
        window.add(frame(index), (), NONE)
    window.leave()
    window.add_face(2, face())
    window.add_face(1, face())
    assert [len(window.leave()[1]) for _ in range(2)] == [1, 0]
