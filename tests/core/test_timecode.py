"""Time codes name the frame on the screen at a time."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from tests.track_samples import two_tracks
from tracker_blur.core.timecode import frame_at, time_code
from tracker_blur.core.times import format_seconds
from tracker_blur.core.tracks import Tracks
from tracker_blur.errors import SettingsError


@pytest.mark.parametrize("time_base", [Fraction(1, 90000), Fraction(1, 1000), Fraction(1, 30000)])
@pytest.mark.parametrize("start", [0, -2002, 10**15])
def test_every_frame_is_found_by_its_time_code(time_base: Fraction, start: int) -> None:
    step = round(Fraction(1001, 60000) / time_base)
    times = start + step * np.arange(500_000, step=997, dtype=np.int64)
    tracks = Tracks((64, 36), time_base, times)
    for frame in range(tracks.frame_count):
        assert frame_at(tracks, time_code(tracks, frame)) == frame


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("0", 0), ("49", 49), ("0s", 0), ("0.04s", 1), ("0.0399s", 0), ("0.079s", 1), ("1s", 25),
        ("0:01", 25), ("0:00:01.5", 37), ("00:00:01.52", 38), ("99s", 49), ("1:00:00", 49),
    ],
)  # fmt: skip
def test_seconds_times_and_frames_are_understood(text: str, frame: int) -> None:
    assert frame_at(two_tracks(), text) == frame


def test_a_clock_has_no_sixty_seconds_and_with_hours_no_sixty_minutes() -> None:
    tracks = replace(two_tracks(), times=np.arange(50, dtype=np.int64) * 90_000 * 200)
    assert frame_at(tracks, "90:00") == frame_at(tracks, "1:30:00")
    for text in ("0:60", "0:99:99", "1:60:00", "1:00:60.5"):
        with pytest.raises(SettingsError, match=f"'{text}' has 60 or more minutes or seconds"):
            frame_at(tracks, text)


@pytest.mark.parametrize("text", ["50", "", "-1", "1.5", "1.5 s", "1:2:3:4", "x", "1e3s"])
def test_text_that_is_not_a_time_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        frame_at(two_tracks(), text)


@pytest.mark.parametrize(("text", "frame"), [("1.96s", 49), ("2s", 49), ("0s", 0)])
def test_the_last_frame_stays_for_as_long_as_the_longest(text: str, frame: int) -> None:
    assert frame_at(two_tracks(), text, may_be_later=False) == frame


def test_a_time_after_the_end_may_be_refused() -> None:
    with pytest.raises(SettingsError, match=r"no frame at 99s: the last one is at 0:00:01\.960"):
        frame_at(two_tracks(), "99s", may_be_later=False)


def test_a_video_without_frames_has_no_times() -> None:
    empty = replace(two_tracks(), times=np.empty(0, np.int64), tracks=())
    for text in ("0", "0s"):
        with pytest.raises(SettingsError):
            frame_at(empty, text)


def test_a_time_code_is_what_players_show() -> None:
    tracks = Tracks((64, 36), Fraction(1, 1000), np.array([70, 70 + 3_723_004], np.int64))
    assert [time_code(tracks, frame) for frame in (0, 1)] == ["0:00:00.000", "1:02:03.004"]


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (Fraction(0), "0:00:00.000"),
        (Fraction("62.04"), "0:01:02.040"),
        (Fraction(1, 30), "0:00:00.034"),
        (Fraction(36000), "10:00:00.000"),
    ],
)
def test_a_time_code_is_rounded_up_to_milliseconds(seconds: Fraction, code: str) -> None:
    assert format_seconds(seconds) == code
