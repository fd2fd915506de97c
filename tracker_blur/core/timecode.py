"""Time codes: how people and players name a frame. They count from the first frame's time."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.core.times import format_seconds, seconds_of, why_no_time
from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from fractions import Fraction

    from tracker_blur.core.tracks import Tracks

_FRAME = re.compile(r"\d{1,9}")


def time_code(tracks: Tracks, frame: int) -> str:
    """Return a frame's time code, such as "0:01:02.040"; `frame_at` is its inverse."""
    ticks = int(tracks.times[frame] - tracks.times[0])
    return format_seconds(ticks * tracks.time_base)


def frame_at(tracks: Tracks, text: str, *, may_be_later: bool = True) -> int:
    """Return the frame on the screen at a time: "12.5s", "1:02.5" or "1:02:03".

    A bare number, such as "375", is the frame itself.

    Args:
        tracks: Of the video.
        text: The time or number.
        may_be_later: A time after the end is that of the last frame, as in a span up to it.

    Raises:
        SettingsError: the text is neither, or the video has no such frame.
    """
    place = read_place(text)
    if isinstance(place, int):
        if place >= tracks.frame_count:
            raise SettingsError(
                f"there is no frame {text}: the last frame is {tracks.frame_count - 1}"
            )
        return place
    if not tracks.frame_count:
        raise SettingsError("the video has no frames")
    ticks = int(tracks.times[0]) + math.floor(place / tracks.time_base)
    last = int(tracks.times[-1])
    longest = int(np.diff(tracks.times).max(initial=0))  # the last frame may stay for as long
    if ticks > last + longest and not may_be_later:
        end = time_code(tracks, tracks.frame_count - 1)
        raise SettingsError(f"there is no frame at {text}: the last one is at {end}")
    ticks = min(ticks, last)
    return int(np.searchsorted(tracks.times, ticks, side="right")) - 1


def read_place(text: str) -> int | Fraction:
    """Return what a text names: the number of a frame, or a time in seconds as a fraction.

    Raises:
        SettingsError: it is neither.
    """
    if _FRAME.fullmatch(text):
        return int(text)
    seconds = seconds_of(text)
    if seconds is None:
        raise SettingsError(
            f"'{text}' {why_no_time(text)}: give seconds (12.5s), a time (1:02:03.4) or a frame "
            "(375)"
        )
    return seconds
