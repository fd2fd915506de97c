"""Hidden sizes jump up, and only glide down."""

from __future__ import annotations

from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.tracking.lookahead import BoxEnvelope

RATE = 25.0
FACE = Box.from_xywh(176, 60, 96, 120)


def face(box: Box = FACE, track_id: int = 0) -> Face:
    return Face(track_id, box, 0.9, Origin.DETECTED)


def widths(boxes: list[Box], rate: float = RATE) -> list[float]:
    glide = BoxEnvelope()
    return [glide.step([face(box)], index / rate)[0].box.width for index, box in enumerate(boxes)]


def test_a_size_that_was_hidden_once_only_glides_down() -> None:
    small = FACE.padded(-0.2)
    seen = widths([FACE] + [small] * 30)
    assert seen[1] > 0.95 * FACE.width
    assert all(later <= earlier for earlier, later in pairwise(seen))
    assert seen[-1] == pytest.approx(small.width, rel=0.01)


def test_a_size_jumps_up_at_once() -> None:
    large = FACE.padded(0.5)
    assert widths([FACE, large]) == pytest.approx([FACE.width, large.width])


def test_a_size_glides_down_as_fast_at_any_frame_rate() -> None:
    tiny = FACE.padded(-0.45)
    slow, fast = widths([FACE] + [tiny] * 5, rate=5), widths([FACE] + [tiny] * 60, rate=60)
    assert slow[-1] == pytest.approx(fast[-1]) == pytest.approx(FACE.width / 2)


def test_each_face_has_a_size_of_its_own() -> None:
    glide = BoxEnvelope()
    glide.step([face(), face(FACE.padded(-0.3), 1)], 0.0)
    first, second = glide.step([face(FACE.padded(-0.3)), face(FACE.padded(-0.3), 1)], 0.04)
    assert first.box.width > 0.95 * FACE.width
    assert second.box.width == pytest.approx(0.4 * FACE.width)


def test_a_face_that_was_away_starts_anew() -> None:
    glide = BoxEnvelope()
    glide.step([face()], 0.0)
    assert glide.step([], 0.04) == ()
    (back,) = glide.step([face(FACE.padded(-0.2))], 0.08)
    assert back.box.width == pytest.approx(0.6 * FACE.width)


BOXES = st.builds(
    Box.from_xywh,
    st.floats(-100, 600),
    st.floats(-100, 600),
    st.floats(1, 400),
    st.floats(1, 400),
)


@settings(max_examples=50)
@given(st.lists(BOXES, min_size=1, max_size=20), st.lists(st.floats(-1, 2), max_size=20))
def test_gliding_uncovers_nothing_whatever_the_times(boxes: list[Box], steps: list[float]) -> None:
    glide, seconds = BoxEnvelope(), 0.0
    for index, box in enumerate(boxes):
        seconds += steps[index] if index < len(steps) else 0.04
        (steady,) = glide.step([face(box)], seconds)
        assert steady.box.padded(1e-9).covers(box)
        assert steady.box.center == pytest.approx(box.center)
