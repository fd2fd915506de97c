"""Checks of the types and ranges of settings, which users of the library may get wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection


def as_path(value: object, name: str) -> Path:
    """Return a path that may have been given as text; raises SettingsError for anything else."""
    try:
        path = Path(value)  # type: ignore[arg-type]  # what is no path raises
    except TypeError:
        path = None
    if path is None or "\0" in str(path):
        raise SettingsError(f"is {value!r}: give a path", setting=name)
    return path


def check_text(value: object, name: str) -> None:
    """Raise SettingsError for what is no text."""
    if not isinstance(value, str):
        raise SettingsError(f"is {value!r}: give text", setting=name)


def check_bool(value: object, name: str) -> None:
    """Raise SettingsError for what is neither True nor False."""
    if not isinstance(value, bool):
        raise SettingsError(f"is {value!r}: give True or False", setting=name)


def check_choice(value: object, name: str, choices: Collection[object]) -> None:
    """Raise SettingsError unless the value is one of these; None is a choice that is not named."""
    # Only what has the type of a choice is compared: arrays compare item by item.
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        known = ", ".join(sorted(str(choice) for choice in choices if choice is not None))
        raise SettingsError(f"is '{value}': choose one of {known}", setting=name)


def check_number(value: object, name: str, low: float, high: float) -> None:
    """Raise SettingsError for what is no number, or outside of these bounds."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        shown = f"{value:g}" if isinstance(value, float) else repr(value)
        raise SettingsError(f"is {shown}: give a number from {low:g} to {high:g}", setting=name)


def check_whole_number(value: object, name: str, low: int, high: int) -> None:
    """Raise SettingsError for what is no whole number, or outside of these bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise SettingsError(f"is {value!r}: give a whole number from {low} to {high}", setting=name)
