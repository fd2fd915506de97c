"""Values from files that people and other programs wrote, checked one by one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tracker_blur.errors import TrackFileError

_SHOWN_CHARACTERS = 40
_LABEL_CHARACTERS = 100


class RefusedError(ValueError):
    """A value makes no sense; says what is wrong and what to do, but not where."""


@dataclass(slots=True)
class Place:
    """Where a file is being read: the line, from 1; 0 where lines mean nothing."""

    line: int = 0


@contextmanager
def reading(path: Path) -> Iterator[Place]:
    """Name the file, and the line that the block sets, in what goes wrong in the block.

    Raises TrackFileError for RefusedError, OSError and UnicodeDecodeError.
    """
    place = Place()
    try:
        yield place
    except RefusedError as error:
        raise TrackFileError(f"{_where(path, place)}: {error}") from error
    except UnicodeDecodeError as error:
        raise TrackFileError(
            f"{_where(path, place)}: is no UTF-8 text: check that it is the right file, or save "
            "it as UTF-8"
        ) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise TrackFileError(f"{path}: cannot be read ({reason}): check its name") from error


def whole_number(value: object, name: str, low: int, high: int) -> int:
    """Return an integer within bounds, both included; raises RefusedError."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RefusedError(f"{name} is {shown(value)}: give a whole number from {low} to {high}")
    return value


def number(value: object, name: str, low: float, high: float) -> float:
    """Return a number within bounds, both included, neither NaN nor endless; or RefusedError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise RefusedError(f"{name} is {shown(value)}: give a number from {low:g} to {high:g}")
    return float(value)


def parsed(text: str, name: str) -> float:
    """Return the finite number that a text says; raises RefusedError."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise RefusedError(f"{name} is {shown(text)}: give a number")
    return value


def parsed_whole(text: str, name: str) -> int:
    """Return the whole number that a text says, "12.0" too; raises RefusedError."""
    value = parsed(text, name)
    if not value.is_integer():
        raise RefusedError(f"{name} is {shown(text)}: give a whole number")
    return int(value)


def name_text(value: object, name: str) -> str:
    """Return a short text that a terminal can show; raises RefusedError."""
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= _LABEL_CHARACTERS
        or not value.isprintable()
    ):
        raise RefusedError(f"{name} is {shown(value)}: give a short text")
    return value


def shown(value: object) -> str:
    """Return a value as an error message can show it."""
    text = ascii(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"


def printable(text: str) -> str:
    """Return a text of any origin as a terminal can show it, on one line."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _where(path: Path, place: Place) -> str:
    return f"{path}, line {place.line}" if place.line else str(path)
