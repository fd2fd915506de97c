"""DecodedFrame: a frame of a video as PyAV decoded it, not yet copied or converted."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from tracker_blur.core.frame import Frame, Image, Orientation, PixelLayout, Plane
from tracker_blur.video import pixel_formats

if TYPE_CHECKING:
    from fractions import Fraction


class Scaler:
    """Makes small BGR views of frames. One serves all frames, because it keeps its tables."""

    def __init__(self) -> None:
        # By size: swscale makes its tables again for each other size.
        self._reformatters: defaultdict[tuple[int, int], VideoReformatter] = defaultdict(
            VideoReformatter
        )
        self._lock = threading.Lock()

    def scaled(self, frame: av.VideoFrame, size: tuple[int, int], layout: PixelLayout) -> Image:
        """Return the stored frame at this (width, height) in pixels, as BGR."""
        width, height = size
        # Averages keep the shape of small faces; what is enlarged has nothing to average.
        is_enlarged = width > frame.width or height > frame.height
        # For untagged frames swscale would assume BT.601.
        is_yuv = layout.family == "yuv"
        matrix = pixel_formats.SWSCALE_MATRIX.get(layout.matrix) if is_yuv else None
        with self._lock:
            bgr = pixel_formats.reformat(
                self._reformatters[size],
                frame,
                size,
                "bgr24",
                src_colorspace=matrix,
                interpolation=Interpolation.BICUBIC if is_enlarged else Interpolation.AREA,
            )
        (plane,) = bgr.planes
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(height, plane.line_size)
        return rows[:, : width * 3].reshape(height, width, 3)


class DecodedFrame(Frame):
    """A frame of a video, in one of the native pixel formats.

    One thread at a time may use a frame.

    Attributes:
        av_frame: PyAV's frame; an encoder takes it as it is. Its samples may be shared with the
            decoder until `planes` is called.
    """

    def __init__(
        self, av_frame: av.VideoFrame, index: int, orientation: Orientation, scaler: Scaler
    ) -> None:
        if av_frame.pts is None or av_frame.time_base is None:
            raise ValueError("a frame needs a time")
        self.av_frame = av_frame
        self.index = index
        self.pts: int = av_frame.pts
        self.time_base: Fraction = av_frame.time_base
        self.layout = pixel_formats.layout(av_frame)
        self.orientation = orientation
        self._scaler = scaler
        self._planes: tuple[Plane, ...] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels of the upright frame."""
        width, height = self.av_frame.width, self.av_frame.height
        return (height, width) if self.orientation.swaps_sides else (width, height)

    def view(self, size: tuple[int, int]) -> Image:
        """Return the upright frame, scaled to `size` (width, height), as contiguous BGR."""
        stored = (size[1], size[0]) if self.orientation.swaps_sides else size
        bgr = self._scaler.scaled(self.av_frame, stored, self.layout)
        return np.ascontiguousarray(self.orientation.upright(bgr))

    def planes(self) -> tuple[Plane, ...]:
        """Return the color planes, in stored orientation, safe to write into.

        The decoder predicts later frames from this one's samples. If it still holds them, they are
        copied first.
        """
        if self._planes is None:
            self.av_frame.make_writable()
            self._planes = pixel_formats.planes(self.av_frame)
        return self._planes

    @property
    def size_bytes(self) -> int:
        """How much memory its samples take."""
        return sum(plane.buffer_size for plane in self.av_frame.planes)

    def duplicate(self) -> DecodedFrame:
        """Return the same frame with color planes of its own; alpha is left out."""
        source = self.av_frame
        target = av.VideoFrame(source.width, source.height, source.format.name)
        pixel_formats.copy_properties(source, target)
        for plane, copied in zip(
            pixel_formats.planes(source), pixel_formats.planes(target), strict=True
        ):
            copied.samples[...] = plane.samples
        return DecodedFrame(target, self.index, self.orientation, self._scaler)
