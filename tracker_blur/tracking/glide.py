"""Steadies the boxes of faces as they come: sizes may jump up but only glide down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face

_SHRINK_PER_SECOND = 0.5  # what is left, a second later, of a size that was hidden once


class Glide:
    """A detector's boxes pump, and a small one among larger ones uncovers a rim of the face."""

    def __init__(self) -> None:
        self._sizes: dict[int, tuple[float, float]] = {}
        self._seconds: float | None = None

    def step(self, faces: Sequence[Face], seconds: float) -> tuple[Face, ...]:
        """Return the next frame's faces, none of them smaller; `seconds` is its time."""
        elapsed = 0.0 if self._seconds is None else max(0.0, seconds - self._seconds)
        self._seconds = seconds
        left = _SHRINK_PER_SECOND**elapsed
        sizes = {}
        steady = []
        for face in faces:
            width, height = self._sizes.get(face.track_id, (0.0, 0.0))
            size = max(face.box.width, left * width), max(face.box.height, left * height)
            sizes[face.track_id] = size
            steady.append(replace(face, box=Box.around(face.box.center, *size)))
        self._sizes = sizes
        return tuple(steady)
