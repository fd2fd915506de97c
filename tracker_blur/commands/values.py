"""Values of options: each is read, or refused with what is wanted instead."""

from __future__ import annotations

from argparse import ArgumentTypeError


def whole_number(text: str) -> int:
    """Read a whole number."""
    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(f"'{text}': give a whole number") from None


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
