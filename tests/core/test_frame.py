"""At which size pictures are looked at."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker_blur.core.frame import usual_view_px, view_size

SIDES = st.integers(1, 20_000)
ASPECTS = st.fractions(Fraction(1, 4), 4)


@pytest.mark.parametrize(
    ("size", "longest"),
    [((640, 360), 640), ((1920, 1080), 640), ((1080, 1920), 640), ((3840, 2160), 1280)],
)
def test_large_pictures_are_looked_at_in_more_detail(size: tuple[int, int], longest: int) -> None:
    assert usual_view_px(size) == longest
    assert max(view_size(size, None)) == longest


@given(SIDES, SIDES, st.integers(1, 5000), ASPECTS)
def test_a_view_is_never_larger_than_the_picture_or_than_asked_for(
    width: int, height: int, longest: int, aspect: Fraction
) -> None:
    seen = view_size((width, height), longest, aspect)
    assert all(1 <= side <= full for side, full in zip(seen, (width, height), strict=True))
    assert max(seen) <= longest
