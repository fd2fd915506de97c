"""Tracks for tests: any tracks, by Hypothesis, and two that are easy to reason about."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.core.tracks import ORIGINS, Face, Origin, Track, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder

EVERYTHING = ("hide", "method", "label", "origins", "scores")


@st.composite
def any_track(draw: st.DrawFn, track_id: int, frame_count: int) -> Track:
    frames = sorted(draw(st.sets(st.integers(0, frame_count - 1), min_size=1, max_size=12)))
    builder = TracksBuilder()
    for frame in frames:
        x, y = draw(st.tuples(*[st.floats(-300, 5000, width=32)] * 2))
        width, height = draw(st.tuples(*[st.floats(0.5, 800, width=32)] * 2))
        score = draw(st.floats(0, 1, width=32))
        origin = draw(st.sampled_from(ORIGINS))
        builder.add(frame, Face(track_id, Box.from_xywh(x, y, width, height), score, origin))
    return replace(
        builder.tracks()[0],
        hide=draw(st.booleans()),
        method=draw(st.sampled_from([None, "solid", "pixelated", "gaussian"])),
        label=draw(st.sampled_from(["face", "head", 'a "plate" <&> é'])),
    )


@st.composite
def any_tracks(draw: st.DrawFn) -> Tracks:
    steps = draw(st.lists(st.sampled_from([1, 33, 34, 512, 90000]), min_size=1, max_size=40))
    count = len(steps)
    ids = sorted(draw(st.sets(st.integers(0, 2**31 - 1), max_size=4)))
    return Tracks(
        size=draw(st.tuples(*[st.integers(1, 8192)] * 2)),
        time_base=draw(st.sampled_from([Fraction(1, 90000), Fraction(1001, 30000)])),
        times=np.cumsum([draw(st.integers(-(2**40), 2**40)), *steps[1:]], dtype=np.int64),
        cuts=tuple(
            sorted(draw(st.sets(st.integers(1, count - 1), max_size=3)) if count > 1 else [])
        ),
        tracks=tuple(draw(any_track(track_id, count)) for track_id in ids),
    )


def two_tracks() -> Tracks:
    """Return 50 frames at 25 per second: track 3 in frames 10 to 29, track 7 in all even frames."""
    builder = TracksBuilder()
    for frame in range(10, 30):
        origin = Origin.DETECTED if frame % 2 else Origin.TRACKED
        builder.add(frame, Face(3, Box(100 + frame, 50, 140 + frame, 100), 0.9, origin))
    for frame in range(0, 50, 2):
        builder.add(frame, Face(7, Box(300.5, 60.25, 350, 120), 0.75, Origin.DETECTED))
    times = np.arange(50, dtype=np.int64) * 3600
    return Tracks((640, 360), Fraction(1, 90000), times, (25,), builder.tracks())


def assert_same(
    found: Tracks, expected: Tracks, carried: tuple[str, ...] = EVERYTHING, px: float = 0.0101
) -> None:
    """Assert that the video is the same, and of the tracks what a format carries.

    Boxes must cover the expected ones and be at most `px` pixels larger on each side, besides the
    rounding of 32-bit floats.
    """
    assert found.size == expected.size
    assert found.time_base == expected.time_base
    assert found.cuts == expected.cuts
    np.testing.assert_array_equal(found.times, expected.times)
    assert [track.track_id for track in found.tracks] == [
        track.track_id for track in expected.tracks
    ]
    for one, other in zip(found.tracks, expected.tracks, strict=True):
        np.testing.assert_array_equal(one.frames, other.frames)
        assert (one.boxes[:, :2] <= other.boxes[:, :2]).all()
        assert (one.boxes[:, 2:] >= other.boxes[:, 2:]).all()
        np.testing.assert_allclose(one.boxes, other.boxes, rtol=0, atol=px)
        if "scores" in carried:
            np.testing.assert_allclose(one.scores, other.scores, rtol=0, atol=5.1e-5)
        if "origins" in carried:
            np.testing.assert_array_equal(one.origins, other.origins)
        for name in {"hide", "method", "label"} & set(carried):
            assert getattr(one, name) == getattr(other, name)
