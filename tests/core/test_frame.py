"""The size of a frame's view."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker_blur.core.frame import default_view_px, view_size

SIDES = st.integers(1, 20_000)
ASPECTS = st.fractions(Fraction(1, 4), 4)


@pytest.mark.parametrize(
    ("size", "longest"),
    [((640, 360), 640), ((1920, 1080), 640), ((1080, 1920), 640), ((3840, 2160), 1280)],
)
def test_large_frames_have_larger_views(size: tuple[int, int], longest: int) -> None:
    assert default_view_px(size) == longest
    assert max(view_size(size, None)) == longest


@given(SIDES, SIDES, st.integers(1, 5000), ASPECTS)
def test_a_view_is_never_larger_than_the_frame_or_than_asked_for(
    width: int, height: int, longest: int, aspect: Fraction
) -> None:
    view = view_size((width, height), longest, aspect)
    assert all(1 <= side <= full for side, full in zip(view, (width, height), strict=True))
    assert max(view) <= longest
    assert max(view_size((width, height), longest, aspect, 2.0)) <= min(longest, 2 * max(view) + 1)
