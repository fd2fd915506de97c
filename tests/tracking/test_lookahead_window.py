"""Frames that wait are refined by later ones, and sizes of boxes decay slowly."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tests.fakes import LAYOUTS, ArrayFrame
from tests.tracking.fakes import PARAMETERS, RATE
from tracker_blur.core.box import Box
from tracker_blur.core.frame import Image, PixelLayout, Plane
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.tracking.lookahead import BoxEnvelope, SlidingWindow, look_ahead
from tracker_blur.tracking.online import Step
from tracker_blur.tracking.scene_cuts import Change

if TYPE_CHECKING:
    from collections.abc import Iterator

BOX = Box.from_xywh(100, 60, 40, 40)
NONE = Change.NONE


def frame(index: int) -> ArrayFrame:
    return ArrayFrame([Plane(np.zeros((4, 4), np.uint8))], LAYOUTS["gray"][0], index=index)


def face(box: Box = BOX, track_id: int = 7, origin: Origin = Origin.DETECTED) -> Face:
    return Face(track_id, box, 0.5, origin, label="face")


def popped(
    faces: list[Face | None],
    margin: float = 0.0,
    cut: int | None = None,
    change: Change = Change.CUT,
) -> list[tuple[Face, ...]]:
    """Return the faces of frames that all wait for the last."""
    window: SlidingWindow[ArrayFrame] = SlidingWindow(margin, PARAMETERS.smoothing)
    for index, one in enumerate(faces):
        window.add(frame(index), () if one is None else (one,), change if index == cut else NONE)
    left: list[tuple[Face, ...]] = []
    while window:
        given, seen = window.pop()
        assert given.index == len(left)
        left.append(seen)
    return left


def test_a_gap_is_filled_between_its_ends() -> None:
    moved = BOX.moved(40, 0)
    faces = popped([face(), None, None, None, face(moved), face(moved)])
    assert [len(seen) for seen in faces] == [1] * 6
    assert faces[2][0].origin is Origin.BETWEEN
    assert faces[2][0].box.covers(BOX.moved(20, 0))


def test_held_boxes_give_way_to_interpolated_ones_when_the_face_is_back() -> None:
    moved = BOX.moved(80, 0)
    held = face(origin=Origin.HELD)
    faces = popped([face(), held, held, held, face(moved), face(moved)])
    assert faces[2][0].origin is Origin.BETWEEN
    assert faces[2][0].box.covers(BOX.moved(40, 0))
    lasting = popped([face(), held, held, held])
    assert [seen[0].origin for seen in lasting[1:]] == [Origin.HELD] * 3


@pytest.mark.parametrize(
    ("margin", "frames"), [(0.0, 0), (0.04, 3), (0.08, 3), (0.16, 4), (0.2, 5)]
)
def test_a_face_is_hidden_a_margin_before_its_first_detection(margin: float, frames: int) -> None:
    faces = popped([None] * 5 + [face()] * 3, margin)
    hidden = [bool(seen) for seen in faces]
    assert hidden == [index >= 5 - frames for index in range(8)]


def test_no_margin_reaches_into_another_scene() -> None:
    faces = popped([None] * 5 + [face()] * 3, 0.2, cut=4)
    assert [bool(seen) for seen in faces] == [False] * 4 + [True] * 4


def test_a_flash_of_light_is_no_other_scene() -> None:
    window: SlidingWindow[ArrayFrame] = SlidingWindow(0.2, PARAMETERS.smoothing)
    for index in range(8):
        change = {3: Change.CUT, 4: Change.RETURN}.get(index, NONE)
        window.add(frame(index), (face(),) if index >= 5 else (), change)
    assert [bool(window.pop()[1]) for _ in range(8)] == [True] * 8


def test_boxes_are_smoothed_and_cover_what_they_were() -> None:
    jumping = [face(BOX.moved(3 * (-1) ** index, 0)) for index in range(12)]
    faces = popped(list(jumping))
    for was, (seen,) in zip(jumping, faces, strict=True):
        assert seen.box.covers(was.box)
        assert (seen.track_id, seen.label) == (7, "face")
    centers = [seen[0].box.center[0] for seen in faces[3:-3]]
    assert np.ptp(centers) < 3


def test_a_face_for_a_frame_that_went_out_is_dropped() -> None:
    window: SlidingWindow[ArrayFrame] = SlidingWindow(0.0, PARAMETERS.smoothing)
    for index in range(3):
        window.add(frame(index), (), NONE)
    window.pop()
    window.add_face(2, face())
    window.add_face(1, face())
    assert [len(window.pop()[1]) for _ in range(2)] == [1, 0]


def new_envelope() -> BoxEnvelope:
    return BoxEnvelope(PARAMETERS.smoothing.envelope_share_per_second)


def widths(boxes: list[Box], rate: float = RATE) -> list[float]:
    envelope = new_envelope()
    return [
        envelope.step([face(box)], index / rate)[0].box.width for index, box in enumerate(boxes)
    ]


def test_a_size_decays_slowly() -> None:
    small = BOX.padded(-0.2)
    seen = widths([BOX] + [small] * 30)
    assert seen[1] > 0.95 * BOX.width
    assert all(later <= earlier for earlier, later in pairwise(seen))
    assert seen[-1] == pytest.approx(small.width, rel=0.01)


def test_a_size_jumps_up_at_once() -> None:
    large = BOX.padded(0.5)
    assert widths([BOX, large]) == pytest.approx([BOX.width, large.width])


def test_a_size_decays_as_fast_at_any_frame_rate() -> None:
    tiny = BOX.padded(-0.45)
    slow, fast = widths([BOX] + [tiny] * 5, rate=5), widths([BOX] + [tiny] * 60, rate=60)
    assert slow[-1] == pytest.approx(fast[-1]) == pytest.approx(BOX.width / 2)


def test_each_face_has_a_size_of_its_own() -> None:
    envelope = new_envelope()
    envelope.step([face(), face(BOX.padded(-0.3), 1)], 0.0)
    first, second = envelope.step([face(BOX.padded(-0.3)), face(BOX.padded(-0.3), 1)], 0.04)
    assert first.box.width > 0.95 * BOX.width
    assert second.box.width == pytest.approx(0.4 * BOX.width)


def test_the_size_of_a_face_that_was_away_is_forgotten() -> None:
    envelope = new_envelope()
    envelope.step([face()], 0.0)
    assert envelope.step([], 0.04) == ()
    (back,) = envelope.step([face(BOX.padded(-0.2))], 0.08)
    assert back.box.width == pytest.approx(0.6 * BOX.width)


BOXES = st.builds(
    Box.from_xywh,
    st.floats(-100, 600),
    st.floats(-100, 600),
    st.floats(1, 400),
    st.floats(1, 400),
)


@settings(max_examples=50)
@given(st.lists(BOXES, min_size=1, max_size=20), st.lists(st.floats(-1, 2), max_size=20))
def test_no_box_shrinks_whatever_the_times(boxes: list[Box], steps: list[float]) -> None:
    envelope, seconds = new_envelope(), 0.0
    for index, box in enumerate(boxes):
        seconds += steps[index] if index < len(steps) else 0.04
        (enlarged,) = envelope.step([face(box)], seconds)
        assert enlarged.box.padded(1e-9).covers(box)
        assert enlarged.box.center == pytest.approx(box.center)


def test_frames_go_out_early_rather_than_fill_the_memory() -> None:
    limits = replace(PARAMETERS.smoothing, max_waiting_megabytes=1)
    side = 300  # 360,000 bytes with four planes
    waiting: list[int] = []

    def frames() -> Iterator[ArrayFrame]:
        for _ in range(10):
            plane = Plane(np.zeros((side, side), np.uint8))
            yield ArrayFrame([plane], PixelLayout("gray"), index=len(waiting))
            waiting.append(1)

    class Tracker:
        def step(self, image: Image, seconds: float) -> Step:
            return Step((), NONE, is_detection_frame=True)

    sent = []
    for out, _ in look_ahead(
        frames(), lambda frame: frame.view((30, 30)), Tracker(), None, 8, limits
    ):
        sent.append(out.index)
        if len(waiting) < 10:
            assert len(waiting) - out.index <= 3
    assert sent == list(range(10))
