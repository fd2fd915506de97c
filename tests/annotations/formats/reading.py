"""The type of the fixture `read_as`."""

from __future__ import annotations

from collections.abc import Callable

from tracker_blur.core.tracks import Tracks

ReadAs = Callable[[str, str], Tracks]
"""Reads a text in a format, about the video of `two_tracks`: (format, text)."""
