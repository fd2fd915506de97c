"""Time codes: how people and players name a frame, counted from the first frame's time."""

from __future__ import annotations

import math
import re
from fractions import Fraction

import numpy as np

from tracker_blur.core.tracks import Tracks
from tracker_blur.errors import SettingsError

_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d{1,2}(?:\.\d{1,9})?)")
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
_FRAME = re.compile(r"\d{1,9}")


def time_code(tracks: Tracks, frame: int) -> str:
    """Return a frame's time, such as "0:01:02.040"; `frame_at` finds the frame by it.

    It is rounded up to milliseconds, so that the frame is on the screen at that time.
    """
    ticks = int(tracks.times[frame] - tracks.times[0])
    seconds, milliseconds = divmod(math.ceil(ticks * tracks.time_base * 1000), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}.{milliseconds:03}"


def frame_at(tracks: Tracks, text: str) -> int:
    """Return the frame on the screen at a time: "12.5s", "1:02.5", "1:02:03"; "375" is a frame.

    Raises SettingsError when the text is neither, and for a frame that the video does not have.
    """
    if _FRAME.fullmatch(text):
        if int(text) >= tracks.frame_count:
            raise SettingsError(
                f"there is no frame {text}: the last one is {tracks.frame_count - 1}"
            )
        return int(text)
    if not tracks.frame_count:
        raise SettingsError("the video has no frames")
    ticks = int(tracks.times[0]) + math.floor(_seconds(text) / tracks.time_base)
    ticks = min(ticks, int(tracks.times[-1]))
    return int(np.searchsorted(tracks.times, ticks, side="right")) - 1


def _seconds(text: str) -> Fraction:
    if match := _SECONDS.fullmatch(text):
        return Fraction(match[1])
    if match := _CLOCK.fullmatch(text):
        hours, minutes, seconds = match.groups(default="0")
        return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)
    raise SettingsError(
        f"'{text}' is no time: give seconds as 12.5s, a time as 1:02:03.4, or a frame as 375"
    )
