"""Checks of the types of settings, which users of the library may get wrong."""

from __future__ import annotations

from pathlib import Path

from tracker_blur.errors import SettingsError


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
        raise SettingsError(f"is {value!r}: give its name as text", setting=name)


def check_bool(value: object, name: str) -> None:
    """Raise SettingsError for what is neither True nor False."""
    if not isinstance(value, bool):
        raise SettingsError(f"is {value!r}: give True or False", setting=name)
