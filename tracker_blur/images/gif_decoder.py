"""GifDecoder: the frames of a GIF as browsers show them.

Pillow fills what a frame disposes of with the background color unless its first frame is
transparent, and enlarges the canvas for a later frame that exceeds it. So it decodes single frames
here, and they are put together as browsers do: what is disposed of becomes transparent, and the
canvas is the logical screen, enlarged by nothing but the first frame.

Graphics Interchange Format, version 89a, CompuServe 1990; NETSCAPE2.0 for repetitions.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from tracker_blur.images import gif
from tracker_blur.images.frame import Encoding, ImageFrame

if TYPE_CHECKING:
    from tracker_blur.images.pixel_limit import PixelLimit

_SIGNATURES = (b"GIF87a", b"GIF89a")
_SCREEN = struct.Struct("<HHBBB")
_CONTROL = struct.Struct("<BBHB")  # size, flags, delay, transparent index
_FRAME = struct.Struct("<HHHHB")
_INDEX_PALETTE = bytes(index for value in range(256) for index in (value, value, value))
_LOOPING = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_TO_CLEAR, _TO_PREVIOUS = 2, 3
_TICK_MICROSECONDS = 10_000

Pixels = npt.NDArray[np.uint8]
"""Shape (height, width, 4): red, green, blue and alpha."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A frame as the file stores it: its place, its colors, and where its data starts."""

    box: tuple[int, int, int, int]  # left, top, width, height
    palette: bytes
    flags: int
    data: tuple[int, int]
    transparent: int | None
    disposal: int
    delay: int


def is_gif(data: bytes) -> bool:
    """Return whether a file starts like a GIF."""
    return data[:6] in _SIGNATURES


class GifDecoder:
    """The frames of a GIF, see `tracker_blur.images.decode.Decoder`; decode them in order."""

    may_move = True

    def __init__(self, data: bytes, limit: PixelLimit) -> None:
        self._data = data
        self._limit = limit
        self.is_complete = False
        self._plays = 1
        self._parts = self._parsed()
        if not self._parts:
            raise ValueError("it holds no complete image")
        left, top, width, height = self._parts[0].box
        screen_width, screen_height, *_ = _SCREEN.unpack_from(data, 6)
        self._size = max(screen_width, left + width), max(screen_height, top + height)
        if 0 in self._size:
            raise ValueError("it has no pixels")
        limit.check(self._size)
        self._canvas: Pixels = np.zeros((self._size[1], self._size[0], 4), np.uint8)
        self._before: Pixels | None = None  # what the last frame covered, if it is to return
        self._next = 0

    @property
    def count(self) -> int:
        """How many frames there are."""
        self._limit.check(self._size, len(self._parts))
        return len(self._parts)

    def decode(self, index: int) -> ImageFrame:
        """Return a frame, composed with those before it."""
        if index >= len(self._parts):
            raise EOFError("no more frames")
        if index + 1 < self._next:  # from the start again
            self._next = 0
            self._canvas[...] = 0
        while self._next <= index:
            self._show(self._parts[self._next])
            self._next += 1
        canvas, part = self._canvas, self._parts[index]
        alpha = np.ascontiguousarray(canvas[..., 3])
        channels = tuple(np.ascontiguousarray(canvas[..., channel]) for channel in range(3))
        used = gif.used_colors(gif.packed(channels)[alpha > 0])
        return ImageFrame(
            channels=channels,
            alpha=None if alpha.all() else alpha,
            palette=used if used.size <= 256 else None,
            encoding=Encoding(format="GIF", plays=self._plays),
            duration=part.delay * _TICK_MICROSECONDS,
        )

    def _show(self, part: _Part) -> None:
        """Draw a frame onto the canvas, after the last one is disposed of."""
        if self._next:
            last = self._parts[self._next - 1]
            if last.disposal == _TO_CLEAR:
                self._region(last)[...] = 0
            elif last.disposal == _TO_PREVIOUS and self._before is not None:
                self._region(last)[...] = self._before
        region = self._region(part)
        self._before = region.copy() if part.disposal == _TO_PREVIOUS else None
        height, width = region.shape[:2]
        if not region.size:
            return
        index = self._indices(part)[:height, :width]
        colors = np.zeros((256, 4), np.uint8)
        table = np.frombuffer(part.palette, np.uint8).reshape(-1, 3)
        colors[: len(table), :3] = table
        colors[:, 3] = 255
        shown = np.take(colors.view(np.uint32).ravel(), index)  # whole pixels: four times as fast
        is_shown = True if part.transparent is None else index != part.transparent
        np.copyto(region.view(np.uint32)[..., 0], shown, where=is_shown)

    def _region(self, part: _Part) -> Pixels:
        """Return the part of the canvas that a frame covers (a view)."""
        left, top, width, height = part.box
        return self._canvas[top : top + height, left : left + width]

    def _indices(self, part: _Part) -> Pixels:
        """Return the frame's palette indices, shape (height, width)."""
        _, _, width, height = part.box
        self._limit.check((width, height))
        start, end = part.data
        alone = (
            _SIGNATURES[1]
            + _SCREEN.pack(width, height, 0xF7, 0, 0)
            + _INDEX_PALETTE  # gray, so that Pillow returns the indices
            + b","
            + _FRAME.pack(0, 0, width, height, part.flags & 0x40)
            + self._data[start:end]
            + b";"
        )
        with self._limit.lifted(), Image.open(io.BytesIO(alone), formats=["GIF"]) as image:
            return np.asarray(image.convert("L"))

    def _parsed(self) -> list[_Part]:
        """Return the frames that are complete, and note the repetitions."""
        data, parts = self._data, []
        transparent, disposal, delay = None, 0, 0
        try:
            *_, flags, _, _ = _SCREEN.unpack_from(data, 6)
            position = gif.HEADER_SIZE + gif.table_size(flags)
            screen_palette = data[gif.HEADER_SIZE : position]
            while data[position] != gif.TRAILER:
                if data[position] == gif.EXTENSION:
                    label, end = data[position + 1], gif.end_of_blocks(data, position + 2)
                    if label == 0xF9:  # graphic control
                        _, control, delay, clear = _CONTROL.unpack_from(data, position + 2)
                        transparent = clear if control & 1 else None
                        disposal = control >> 2 & 7
                    elif label == 0xFF:
                        self._note_plays(data[position + 3 : end])
                    position = end
                elif data[position] == gif.FRAME:
                    left, top, width, height, flags = _FRAME.unpack_from(data, position + 1)
                    colors = position + 1 + _FRAME.size
                    start = colors + gif.table_size(flags)
                    palette = data[colors:start] or screen_palette
                    end = gif.end_of_blocks(data, start + 1)
                    box = left, top, width, height
                    parts.append(
                        _Part(box, palette, flags, (start, end), transparent, disposal, delay)
                    )
                    transparent, disposal, delay = None, 0, 0
                    position = end
                else:  # decoders skip bytes that do not belong there
                    position += 1
        except (IndexError, struct.error):
            return parts
        self.is_complete = True
        return parts

    def _note_plays(self, extension: bytes) -> None:
        name, block = extension[:11], extension[11:]
        if name in _LOOPING and len(block) >= 4 and block[:2] == b"\x03\x01":
            repetitions = int.from_bytes(block[2:4], "little")
            self._plays = repetitions and repetitions + 1
