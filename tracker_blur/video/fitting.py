"""Brings all frames of a video into one shape: recordings may change it on the way.

A phone that is turned, a call whose bandwidth grows, and a broadcast that goes from 4:3 to 16:9
change the size, the pixel aspect or the rotation between two frames. Such frames are scaled, turned
and put on black, so that nothing in them is stretched.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from tracker_blur.core.frame import Orientation
from tracker_blur.video import alpha, pixel_formats
from tracker_blur.video.stated_orientation import StatedOrientation

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream

    from tracker_blur.core.frame import Samples

_SAME_SHAPE = 0.01  # bars thinner than this share of a side are left out
_ALIGNMENT_PX = 4  # every chroma subsampling divides it


@dataclass(frozen=True, slots=True)
class Shape:
    """How a frame is stored, and how it is shown.

    Attributes:
        size: (width, height) in pixels of the stored frame.
        pixel_aspect: Width of a stored pixel over its height.
        orientation: How the stored pixels are turned to stand upright.
    """

    size: tuple[int, int]
    pixel_aspect: Fraction
    orientation: Orientation

    def __str__(self) -> str:
        """Return it for people, such as "720x576 (pixels 16:15)"."""
        width, height = self.size[::-1] if self.orientation.swaps_sides else self.size
        text = f"{width}x{height}"
        if self.pixel_aspect != 1:
            aspect = 1 / self.pixel_aspect if self.orientation.swaps_sides else self.pixel_aspect
            text += f" (pixels {aspect.numerator}:{aspect.denominator})"
        return text


class FrameFitter:
    """Fits frames of any shape into one, in one native pixel format.

    Args:
        shape: That of all frames returned.
        pixel_format: That of all frames returned; native.
    """

    def __init__(self, shape: Shape, pixel_format: str) -> None:
        self._shape = shape
        self._format = pixel_format
        self._reformatter = VideoReformatter()

    def fit(self, frame: av.VideoFrame, shape: Shape) -> av.VideoFrame:
        """Return a frame of this shape in the common one: the same object, if it already is.

        What its alpha hides is blackened.
        """
        fitted = self._fitted(frame, shape)
        if pixel_formats.has_alpha(self._format):
            alpha.clear_hidden(fitted)
        return fitted

    def _fitted(self, frame: av.VideoFrame, shape: Shape) -> av.VideoFrame:
        if shape != self._shape:
            return self._on_black(frame, shape)
        if frame.format.name != self._format:
            return self._native(frame, shape.size)
        return frame

    def _native(self, frame: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
        """Return a frame in the common format, scaled; if that has no alpha, as shown on black."""
        if pixel_formats.has_alpha(frame.format.name) and not pixel_formats.has_alpha(self._format):
            frame = alpha.on_black(frame, self._reformatter)
        is_scaled = (frame.width, frame.height) != size
        return pixel_formats.reformat(
            self._reformatter,
            frame,
            size,
            self._format,
            interpolation=Interpolation.BICUBIC if is_scaled else None,
        )

    def _on_black(self, frame: av.VideoFrame, shape: Shape) -> av.VideoFrame:
        inner = inner_size(shape, self._shape)
        is_swapped = shape.orientation.swaps_sides != self._shape.orientation.swaps_sides
        scaled = self._native(frame, inner[::-1] if is_swapped else inner)
        if inner == self._shape.size and shape.orientation is self._shape.orientation:
            return scaled
        canvas = av.VideoFrame(*self._shape.size, self._format)
        pixel_formats.copy_properties(scaled, canvas)
        left, top = (
            (whole - part) // 2 // _ALIGNMENT_PX * _ALIGNMENT_PX
            for whole, part in zip(self._shape.size, inner, strict=True)
        )
        sources, targets = pixel_formats.planes(scaled), pixel_formats.planes(canvas)
        for source, target, black in zip(
            sources, targets, pixel_formats.black(canvas), strict=True
        ):
            target.samples[...] = black
            x, y = left // target.x_step, top // target.y_step
            columns, rows = -(-inner[0] // target.x_step), -(-inner[1] // target.y_step)
            part = target.samples[y : y + rows, x : x + columns]
            part[...] = self._turned(source.samples, shape.orientation, part)
        if pixel_formats.has_alpha(self._format):
            opacity = alpha.plane(canvas)
            opacity[...] = (1 << canvas.format.components[0].bits) - 1
            part = opacity[top : top + inner[1], left : left + inner[0]]
            part[...] = self._turned(alpha.plane(scaled), shape.orientation, part)
        return canvas

    def _turned(self, samples: Samples, orientation: Orientation, part: Samples) -> Samples:
        """Return a plane, turned as the common shape is, in the size of the part that it fills."""
        turned = self._shape.orientation.stored(orientation.upright(samples))
        if turned.shape != part.shape:  # 4:2:2, turned by 90 degrees, is 4:4:0
            height, width = part.shape
            turned = np.asarray(cv2.resize(np.ascontiguousarray(turned), (width, height)))
        return turned


def inner_size(shape: Shape, into: Shape) -> tuple[int, int]:
    """Return the size at which a frame of one shape fits into another, in stored pixels of that."""
    width, height = shape.size[0] * shape.pixel_aspect, Fraction(shape.size[1])
    if shape.orientation.swaps_sides != into.orientation.swaps_sides:
        width, height = height, width
    available = into.size[0] * into.pixel_aspect, Fraction(into.size[1])
    ratio = min(available[0] / width, available[1] / height)
    exact = width * ratio / into.pixel_aspect, height * ratio
    return _side(exact[0], into.size[0]), _side(exact[1], into.size[1])


def _side(exact: Fraction, whole: int) -> int:
    if exact >= whole * (1 - _SAME_SHAPE):
        return whole
    return min(whole, max(_ALIGNMENT_PX, round(exact / _ALIGNMENT_PX) * _ALIGNMENT_PX))


class FrameShapes:
    """Tells the shape of each decoded frame, in order of presentation.

    PyAV's frames do not say their pixel aspect. The decoder does, but of the frame that it decoded
    last, which may be shown later: a new aspect counts from the next key frame on.

    Args:
        stream_aspect: What the container says about the first frame. It may correct the codec's
            value, and is then taken to correct all later ones by as much.
        correction: By how much, where it is known because frames before were left out.

    Attributes:
        correction: By how much the container corrects the codec's values, once a frame came out.
    """

    def __init__(self, stream_aspect: Fraction, correction: Fraction | None = None) -> None:
        self._stream_aspect = stream_aspect
        self.correction = correction
        self._stated: Fraction | None = None  # by the decoder, last
        self._aspect = Fraction(1)  # of the frame before
        self._changes: deque[tuple[int | None, Fraction]] = deque()
        self._keys: deque[int] = deque()
        self._orientation: Orientation | None = None
        self._stated_orientation = StatedOrientation()

    def add_packet(self, packet: Packet[Stream]) -> None:
        """Note a packet on its way to the decoder."""
        if packet.is_keyframe and packet.pts is not None:
            self._keys.append(packet.pts)

    def add_aspect(self, stated: Fraction | None) -> None:
        """Note what the decoder says after frames came out, before `of` is called for them."""
        stated = stated or Fraction(1)
        if self._stated is None:
            if self.correction is None:
                self.correction = self._stream_aspect / stated
            self._aspect = stated
        elif stated != self._stated:
            self._changes.append((self._keys[0] if self._keys else None, stated))
        self._stated = stated

    def of(self, frame: av.VideoFrame) -> Shape:
        """Return the shape of the next frame."""
        pts = frame.pts
        while self._changes:
            start, aspect = self._changes[0]
            if pts is not None and start is not None and pts < start:
                break
            self._aspect = aspect
            self._changes.popleft()
        while self._keys and (pts is None or self._keys[0] <= pts):
            self._keys.popleft()
        aspect = self._aspect * (self.correction or Fraction(1))
        return Shape((frame.width, frame.height), aspect, self._turn(frame))

    def _turn(self, frame: av.VideoFrame) -> Orientation:
        stated = self._stated_orientation.of(frame)
        # A message in the video holds until the next key frame, and frames between have none.
        if self._orientation is None or stated is not None or frame.key_frame:
            self._orientation = stated or Orientation.UPRIGHT
        return self._orientation
