"""Times as people write them: "12.5s", "1:02.5" or "1:02:03"; they count from the first frame."""

from __future__ import annotations

import math
import re
from fractions import Fraction

_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d{1,2}(?:\.\d{1,9})?)")
_SIXTY = 60
_SHORTEST_SECONDS = 1e-6  # for intervals of length 0: everything is due
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")


def format_seconds(seconds: Fraction) -> str:
    """Return the time code of a frame, `seconds` after the first one.

    It is rounded up to milliseconds, so that the frame is on the screen at that time.
    """
    whole, milliseconds = divmod(math.ceil(seconds * 1000), 1000)
    minutes, whole = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{whole:02}.{milliseconds:03}"


def seconds_of(text: str) -> Fraction | None:
    """Return the seconds that "12.5s", "1:02.5" or "1:02:03" stands for; None for other text.

    After a colon there are less than 60 minutes or seconds.
    """
    if match := _SECONDS.fullmatch(text):
        return Fraction(match[1])
    if match := _CLOCK.fullmatch(text):
        hours, minutes, seconds = match.groups()
        if Fraction(seconds) >= _SIXTY or (hours is not None and int(minutes) >= _SIXTY):
            return None  # a slip: no one can tell which time was meant
        return int(hours or 0) * 3600 + int(minutes) * _SIXTY + Fraction(seconds)
    return None


def why_no_time(text: str) -> str:
    """Return what is wrong with a text for which `seconds_of` returns None."""
    if text.startswith("-"):
        return "is negative, and times count from the first frame"
    if _NUMBER.fullmatch(text):
        return f"has no unit, as in {text}s"
    if _CLOCK.fullmatch(text):
        return "has 60 or more minutes or seconds after a colon"
    return "is no time"


def slot_of(seconds: float, interval_seconds: float) -> int | None:
    """Return the number of the interval that a time is in; one of them begins at 0.

    What is done once in each of them does not depend on when it was done first. Infinite times are
    in none.
    """
    if math.isinf(seconds):
        return None
    return math.floor(seconds / max(interval_seconds, _SHORTEST_SECONDS))


def time_text(seconds: Fraction) -> str:
    """Return seconds, rounded to nanoseconds, as the text that `seconds_of` reads."""
    digits = f"{float(seconds):.9f}".rstrip("0").rstrip(".")
    return f"{digits}s"
