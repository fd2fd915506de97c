"""Values of options: each is read, or refused with what is wanted instead."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable


def whole_number(text: str) -> int:
    """Read a whole number."""
    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(f"'{text}': give a whole number") from None


def from_zero(text: str) -> int:
    """Read a whole number from 0."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise ArgumentTypeError(f"'{text}': give a whole number from 0")
    return number


def positive(text: str) -> int:
    """Read a whole number from 1."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise ArgumentTypeError(f"'{text}': give a whole number from 1")
    return number


def number(text: str) -> float:
    """Read a number."""
    try:
        return float(text)
    except ValueError:
        raise ArgumentTypeError(f"'{text}': give a number") from None


def between(low: float, high: float) -> Callable[[str], float]:
    """Return what reads a number within these bounds."""

    def read(text: str) -> float:
        value = number(text)
        if not low <= value <= high:  # nor is what is no number at all
            raise ArgumentTypeError(f"'{text}': give a number from {low:g} to {high:g}")
        return value

    return read


def numbers(text: str) -> tuple[float, ...]:
    """Read numbers joined by commas."""
    try:
        return tuple(map(float, text.split(",")))
    except ValueError:
        raise ArgumentTypeError(f"'{text}': give numbers joined by commas") from None


def names(text: str) -> tuple[str, ...]:
    """Read names joined by commas."""
    return tuple(filter(None, text.split(",")))


def every(text: str) -> int | str:
    """Read a whole number, or 'auto'."""
    if text == "auto":
        return text
    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(f"'{text}': give a whole number, or 'auto'") from None
