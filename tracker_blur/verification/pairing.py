"""Frames of two videos that show the same moment."""

from __future__ import annotations

from collections.abc import Iterator

from tracker_blur.core.frame import Frame


def paired(after: Iterator[Frame], before: Iterator[Frame]) -> Iterator[tuple[Frame, Frame | None]]:
    """Pair each frame with the other video's of the nearest time; both begin together."""
    other, upcoming = next(before, None), next(before, None)
    start = None if other is None else other.seconds
    first: float | None = None
    for frame in after:
        first = frame.seconds if first is None else first
        seconds = frame.seconds - first + (start or 0.0)
        while other is not None and upcoming is not None:
            if abs(upcoming.seconds - seconds) > abs(other.seconds - seconds):
                break
            other, upcoming = upcoming, next(before, None)
        yield frame, other
    while upcoming is not None:  # count what is left
        upcoming = next(before, None)
