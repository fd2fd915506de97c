"""A source that plays a script, and frames for it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

from tracker_blur.errors import SourceError
from tracker_blur.realtime.sources import CapturedFrame, CapturedItem

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator


def solid_frame(size: tuple[int, int], level: int = 200) -> av.VideoFrame:
    """Return a gray RGB frame of this (width, height)."""
    return av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), level, np.uint8), "rgb24")


def captured_frame(timestamp: float | None = None) -> CapturedFrame:
    """Return a small frame with this timestamp."""
    return CapturedFrame(solid_frame((64, 48)), timestamp)


class ScriptedSource:
    """A source that yields one of these lists each time it is opened; errors in it are raised."""

    name = "script"
    rate: Fraction | None = Fraction(25)
    has_audio = True

    def __init__(self, *parts: list[CapturedItem | Exception], is_finite: bool = True) -> None:
        self.is_finite = is_finite
        self._parts = list(parts)
        self.opened = self.closed = 0

    def open(self) -> None:
        self.opened += 1
        if not self._parts:
            raise SourceError("script: is gone")

    def read(self, stopping: threading.Event) -> Iterator[CapturedItem]:
        for item in self._parts.pop(0):
            if isinstance(item, Exception):
                raise item
            yield item

    def close(self) -> None:
        self.closed += 1

    def abort(self) -> None:
        pass
