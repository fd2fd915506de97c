"""Checks of values that are read from annotations."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

from tracker_blur.core import plugins
from tracker_blur.settings import MethodAliases

if TYPE_CHECKING:
    from collections.abc import Collection

_MAX_SHOWN_CHARACTERS = 40
_MAX_NAME_CHARACTERS = 100


class InvalidValueError(ValueError):
    """A value is invalid. The message says what is wrong and what to do, but not where."""


def invalid(name: str, value: object, expected: str) -> InvalidValueError:
    """Return the error for a value; `expected` completes "give ..."."""
    return InvalidValueError(f"{name} is {shown(value)}: give {expected}")


def whole_number(value: object, name: str, low: int, high: int) -> int:
    """Return an integer within bounds, both included; raises InvalidValueError."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise invalid(name, value, f"a whole number from {low} to {high}")
    return value


def number(value: object, name: str, low: float, high: float) -> float:
    """Return a number within bounds, both included; raises InvalidValueError, also for NaN."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise invalid(name, value, f"a number from {low:g} to {high:g}")
    return float(value)


def parsed(text: str, name: str) -> float:
    """Return the finite number that a text stands for; raises InvalidValueError."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise invalid(name, text, "a number")
    return value


def parsed_whole(text: str, name: str) -> int:
    """Return the whole number that a text stands for, also "12.0"; raises InvalidValueError."""
    value = parsed(text, name)
    if not value.is_integer():
        raise invalid(name, text, "a whole number")
    return int(value)


def name_text(value: object, name: str) -> str:
    """Return a short, printable text; raises InvalidValueError."""
    is_short = isinstance(value, str) and 0 < len(value) <= _MAX_NAME_CHARACTERS
    if not isinstance(value, str) or not is_short or not value.isprintable():
        raise invalid(name, value, "a short text")
    return value


def items(
    value: object, name: str, count: int | None = None, expected: str = "a list"
) -> list[Any]:
    """Return a list, of `count` items if that is given; raises InvalidValueError."""
    if not isinstance(value, list) or count not in (None, len(value)):
        raise invalid(name, value, expected)
    return value


def check_keys(
    line: dict[str, Any], needed: Collection[str], allowed: Collection[str] = ()
) -> None:
    """Raise InvalidValueError if a key is missing or unknown."""
    for key in needed:
        if key not in line:
            raise InvalidValueError(f"{key} is missing")
    for key in line:
        if key not in needed and key not in allowed:
            known = ", ".join(sorted({*needed, *allowed}))
            raise InvalidValueError(f"{shown(key)} is unknown here: give {known}")


def check_same_video(value: object, video_value: object, name: str) -> None:
    """Raise InvalidValueError if a value differs from the video's."""
    if value != video_value:
        raise InvalidValueError(
            f"{name} is {shown(value)}, but that of the video is {video_value}: is this file about "
            "another video?"
        )


def method_name(method: object, unset: str = "null") -> str | None:
    """Return a method's own name, None for the settings' method.

    Args:
        method: The name, an alias, or None.
        unset: What stands for the settings' method, for the message.

    Raises:
        InvalidValueError: There is no such method.
    """
    if method is None:
        return None
    if not isinstance(method, str) or method not in _methods():
        known = ", ".join(sorted(set(_methods()) | {"simple"}))
        raise invalid("method", method, f"{unset} or one of {known}")
    return _methods()[method]


@functools.lru_cache(maxsize=1)
def _methods() -> dict[str, str]:
    names = plugins.names("tracker_blur.redaction.methods")
    return {name: name for name in names} | dict(MethodAliases)


def shown(value: object) -> str:
    """Return a value, shortened and escaped for an error message."""
    text = ascii(value)
    is_short = len(text) <= _MAX_SHOWN_CHARACTERS
    return text if is_short else f"{text[: _MAX_SHOWN_CHARACTERS - 1]}…"
