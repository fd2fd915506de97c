"""Checks of what callers of the library pass: every wrong argument is an InputError."""

from __future__ import annotations

import os
from collections.abc import Iterable
from fractions import Fraction
from numbers import Rational, Real
from pathlib import Path
from typing import TypeAlias, TypeGuard

from tracker_blur.errors import InputError
from tracker_blur.settings import VIEW_PX_LIMITS, Settings

PathLike: TypeAlias = str | os.PathLike[str]

_MAX_SHOWN_CHARACTERS = 60
_LOWEST_RATE, _HIGHEST_RATE = 0.001, 100_000


def shown(value: object) -> str:
    """Return a value for a message, in one short line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else f"{text[:_MAX_SHOWN_CHARACTERS]}…"


def path_of(value: object, name: str) -> Path:
    """Return the path of a file that a caller named; raises InputError."""
    if not isinstance(value, (str, os.PathLike)):
        raise InputError(f"{name} is {shown(value)}: give the path of a file")
    text = os.fspath(value)
    if not isinstance(text, str) or not text or "\0" in text:
        raise InputError(f"{name} is {shown(value)}: give the path of a file")
    return Path(text)


def settings_of(value: object) -> Settings:
    """Return the settings that a caller gave, or the defaults for None; raises InputError."""
    if value is None:
        return Settings()
    if not isinstance(value, Settings):
        raise InputError(f"settings is {shown(value)}: give tracker_blur.Settings(...)")
    return value


def is_iterable(value: object) -> bool:
    """Return whether a value can be iterated over, which an array without an axis only claims."""
    return isinstance(value, Iterable) and getattr(value, "ndim", 1) != 0


def check_callable(value: object, name: str) -> None:
    """Raise InputError for what is neither None nor can be called."""
    if value is not None and not callable(value):
        raise InputError(f"{name} is {shown(value)}: give a function")


def check_share(value: object, name: str) -> None:
    """Raise InputError for what is neither None nor a number from 0 to 1."""
    if value is not None and not (_is_number(value) and 0 <= value <= 1):
        raise InputError(f"{name} is {shown(value)}: give a number from 0 to 1")


def check_view_size(value: object, name: str) -> None:
    """Raise InputError for what is neither None nor a side of a view, in pixels."""
    low, high = VIEW_PX_LIMITS
    is_whole = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    if value is not None and not is_whole:
        raise InputError(f"{name} is {shown(value)}: give a whole number from {low} to {high}")


def rate_of(value: object) -> Fraction:
    """Return frames per second as an exact number; raises InputError."""
    if not _is_number(value) or not _LOWEST_RATE <= value <= _HIGHEST_RATE:
        raise InputError(
            f"rate is {shown(value)}: give the frames per second, a number above 0, from "
            f"{_LOWEST_RATE:g} to {_HIGHEST_RATE:,}"
        )
    exact = Fraction(value) if isinstance(value, Rational) else Fraction(float(value))
    return exact.limit_denominator(100_000)


def _is_number(value: object) -> TypeGuard[float]:
    """Return whether a value is a real number, which `float` stands for in types; bool is none."""
    return isinstance(value, Real) and not isinstance(value, bool)
