"""Telling a user something, from threads that have more to do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress


def unfailing(tell: Callable[[str], None]) -> Callable[[str], None]:
    """Return a function that tells, too, and raises nothing, as where a disk is full."""

    def told(text: str) -> None:
        with suppress(Exception):
            tell(text)

    return told
