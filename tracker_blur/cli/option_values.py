"""Types of option values: each reads a text, or raises ArgumentTypeError that says what to give."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import TYPE_CHECKING

from tracker_blur.settings import TRACK_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable


def whole_number(text: str) -> int:
    """Read a whole number."""
    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(f"'{text}': give a whole number") from None


def whole_number_from(least: int) -> Callable[[str], int]:
    """Return a type that reads a whole number of at least this."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise ArgumentTypeError(f"'{text}': give a whole number from {least}")
        return value

    return read


def number(text: str) -> float:
    """Read a number."""
    try:
        return float(text)
    except ValueError:
        raise ArgumentTypeError(f"'{text}': give a number") from None


def number_between(low: float, high: float) -> Callable[[str], float]:
    """Return a type that reads a number within these bounds."""

    def read(text: str) -> float:
        value = number(text)
        if not low <= value <= high:  # also refuses NaN
            raise ArgumentTypeError(f"'{text}': give a number from {low:g} to {high:g}")
        return value

    return read


def numbers(text: str) -> tuple[float, ...]:
    """Read numbers separated by commas."""
    try:
        return tuple(map(float, text.split(",")))
    except ValueError:
        raise ArgumentTypeError(f"'{text}': give numbers separated by commas") from None


def names(text: str) -> tuple[str, ...]:
    """Read names separated by commas; none may be empty."""
    values = tuple(name.strip() for name in text.split(","))
    if not all(values):
        raise ArgumentTypeError(f"'{text}': give names separated by commas")
    return values


def tracks(text: str) -> tuple[int | str, ...]:
    """Read numbers and kinds of tracks separated by commas."""
    listed = tuple(int(name) if name.isdecimal() else name for name in text.split(","))
    if not all(isinstance(name, int) or name in TRACK_KINDS for name in listed):
        raise ArgumentTypeError(
            f"'{text}': give track numbers, 'audio' or 'subtitles', separated by commas"
        )
    return listed


def whole_number_or_auto(text: str) -> int | str:
    """Read a whole number, or 'auto'."""
    if text == "auto":
        return text
    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(f"'{text}': give a whole number, or 'auto'") from None


def time(text: str) -> float:
    """Read a time with its unit: "12.5s" or "1:02:03.4", in seconds."""
    from tracker_blur.core.times import seconds_of, why_no_time

    seconds = seconds_of(text)
    if seconds is None:
        raise ArgumentTypeError(
            f"'{text}' {why_no_time(text)}: give seconds (12.5s) or a time (1:02:03.4)"
        )
    return float(seconds)
