"""APNG: decodes and encodes animated PNG files, frame by frame and of any depth.

Pillow fills what a frame disposes of with black where the file has a palette or a transparent
color, reads 8 bits only, and holds all frames of a file that it writes. So it decodes and encodes
single frames here.

PNG Specification, Third Edition, W3C 2025, sections 11.3.5 and 11.3.7.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.images import chunks, exif
from tracker_blur.images.frame import Encoding, ImageFrame, changed_box, cropped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import BinaryIO

    from tracker_blur.core.frame import Samples
    from tracker_blur.images.pixel_limit import PixelLimit

_CONTROL = struct.Struct(">IIIIIHHBB")
_TO_CLEAR, _TO_PREVIOUS = 1, 2
_OVER = 1
_DEFAULT_DENOMINATOR = 100
_BAND_ROWS = 64  # blended at once: the intermediate results are large
_MAX_TERM = (1 << 16) - 1  # of a duration, a fraction
_SHARED = {b"PLTE", b"tRNS"} | chunks.KEPT  # what frames have in common


@dataclass(slots=True)
class _Part:
    """A frame as the file stores it: its control chunk and its compressed data."""

    size: tuple[int, int]
    offset: tuple[int, int]
    duration: Fraction
    disposal: int
    blending: int
    data: list[bytes]


class ApngDecoder:
    """The frames of an APNG, see `tracker_blur.images.decode.Decoder`; decode them in order.

    Args:
        data: The file.
        decode_still: Decodes a PNG of one frame.
        limit: How large it may be.
    """

    may_move = True

    def __init__(
        self, data: bytes, decode_still: Callable[[bytes], ImageFrame], limit: PixelLimit
    ) -> None:
        self._decode_still = decode_still
        self._limit = limit
        self._header = data[16:29]
        width, height = struct.unpack_from(">II", self._header)
        limit.check((width, height))
        self._size = width, height
        self._shared: list[bytes] = []
        self._exif = b""
        self._stated, self._plays = 1, 0
        self._parts, self.is_complete = self._parsed(data)
        self._canvas: list[Samples] = []  # colors, then alpha
        self._before: list[Samples] | None = None  # what the last frame covered, if it returns
        self._encoding = Encoding()
        self._next = 0

    @property
    def count(self) -> int:
        """How many frames there should be."""
        self._limit.check(self._size, self._stated)
        return self._stated

    def decode(self, index: int) -> ImageFrame:
        """Return a frame, composed with those before it, upright."""
        if index >= len(self._parts):
            raise EOFError("no more frames")
        if index + 1 < self._next:  # from the start again
            self._next = 0
            self._canvas = []
        while self._next <= index:
            self._show(self._parts[self._next])
            self._next += 1
        tags = exif.parse(self._exif)
        orientation = exif.orientation(tags)
        *colors, alpha = (np.array(orientation.upright(plane), order="C") for plane in self._canvas)
        is_opaque = int(alpha.min()) == np.iinfo(alpha.dtype).max
        return ImageFrame(
            channels=tuple(colors),
            alpha=None if is_opaque else alpha,
            encoding=replace(self._encoding, plays=self._plays, exif=exif.harmless(tags)),
            duration=round(self._parts[index].duration * 1_000_000),
        )

    def _show(self, part: _Part) -> None:
        """Draw a frame onto the canvas, after the last one is disposed of."""
        width, height = part.size
        if part.offset[0] + width > self._size[0] or part.offset[1] + height > self._size[1]:
            raise ValueError("a frame exceeds the image")
        frame = self._decode_still(self._still(part))
        if not self._canvas:
            shape, dtype = self._size[::-1], frame.channels[0].dtype
            self._canvas = [np.zeros(shape, dtype) for _ in (*frame.channels, None)]
            self._encoding = frame.encoding
        if self._next:
            last = self._parts[self._next - 1]
            if last.disposal == _TO_CLEAR or (last.disposal == _TO_PREVIOUS and self._next == 1):
                for region in self._regions(last):
                    region[...] = 0
            elif last.disposal == _TO_PREVIOUS and self._before is not None:
                for region, before in zip(self._regions(last), self._before, strict=True):
                    region[...] = before
        regions = self._regions(part)
        is_kept = part.disposal == _TO_PREVIOUS
        self._before = [region.copy() for region in regions] if is_kept else None
        alpha = frame.alpha
        if alpha is None:
            alpha = np.full_like(frame.channels[0], np.iinfo(frame.channels[0].dtype).max)
        if part.blending == _OVER:
            _blend(regions, [*frame.channels, alpha])
        else:
            for region, plane in zip(regions, (*frame.channels, alpha), strict=True):
                region[...] = plane

    def _regions(self, part: _Part) -> list[Samples]:
        """Return the part of each plane of the canvas that a frame covers (views)."""
        (left, top), (width, height) = part.offset, part.size
        return [plane[top : top + height, left : left + width] for plane in self._canvas]

    def _still(self, part: _Part) -> bytes:
        """Return a frame as a PNG of its own."""
        header = struct.pack(">II", *part.size) + self._header[8:]
        return b"".join(
            [
                chunks.PNG_SIGNATURE,
                chunks.png_chunk(b"IHDR", header),
                *self._shared,
                chunks.png_chunk(b"IDAT", b"".join(part.data)),
                chunks.png_chunk(b"IEND", b""),
            ]
        )

    def _parsed(self, data: bytes) -> tuple[list[_Part], bool]:
        """Return the frames that are complete, and whether the file is."""
        parts: list[_Part] = []
        part: _Part | None = None
        for name, content in _chunks(data):
            if name in (b"fcTL", b"IEND") and part is not None:
                parts.append(part)
                part = None
            if name == b"acTL":
                self._stated, self._plays = struct.unpack_from(">II", content)
            elif name == b"fcTL":
                part = _part(content)
            elif name == b"IDAT" and part is not None:
                part.data.append(content)
            elif name == b"fdAT" and part is not None:
                part.data.append(content[4:])
            elif name in _SHARED:
                self._shared.append(chunks.png_chunk(name, content))
            elif name == b"eXIf":
                self._exif = content
            elif name == b"IEND":
                return parts, True
        return parts, False


def is_apng(data: bytes) -> bool:
    """Return whether a file is a PNG that states to be animated."""
    return any(name == b"acTL" for name, _ in chunks.png_head(data))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and content of each chunk up to the first damaged one."""
    position = len(chunks.PNG_SIGNATURE)
    while position + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        content = data[position + 8 : end]
        if data[end : end + 4] != zlib.crc32(content, zlib.crc32(name)).to_bytes(4, "big"):
            return
        yield name, content
        position = end + 4


def _part(control: bytes) -> _Part:
    _, width, height, left, top, delay, unit, disposal, blending = _CONTROL.unpack(control)
    duration = Fraction(delay, unit or _DEFAULT_DENOMINATOR)
    return _Part((width, height), (left, top), duration, disposal, blending, [])


def _blend(below: Sequence[Samples], above: Sequence[Samples]) -> None:
    """Draw colors and alpha, the last plane, over others in place (straight alpha)."""
    for start in range(0, len(below[-1]), _BAND_ROWS):
        rows = slice(start, start + _BAND_ROWS)
        _blend_rows([plane[rows] for plane in below], [plane[rows] for plane in above])


def _blend_rows(below: Sequence[Samples], above: Sequence[Samples]) -> None:
    peak = np.iinfo(above[-1].dtype).max
    opacity, alpha = above[-1].astype(np.float64) / peak, below[-1].astype(np.float64) / peak
    result = opacity + alpha * (1 - opacity)
    share = np.divide(opacity, result, out=np.zeros_like(result), where=result > 0)
    for lower, upper in zip(below[:-1], above[:-1], strict=True):
        lower[...] = np.rint(lower + (upper.astype(np.float64) - lower) * share)
    below[-1][...] = np.rint(result * peak)


def write(
    file: BinaryIO,
    frames: Sequence[ImageFrame],
    still: Callable[[ImageFrame], bytes],
    extra: bytes,
) -> None:
    """Write an animation; of each frame, only the part that changes.

    Args:
        file: The output.
        frames: The frames, of one size.
        still: Encodes a frame, or a part of one, as a PNG; all with the same depth and colors.
        extra: Chunks that come before the first image.
    """
    number = 0

    def control(frame: ImageFrame, offset: tuple[int, int]) -> bytes:
        nonlocal number
        seconds = (frame.duration * frame.time_base).limit_denominator(_MAX_TERM)
        if seconds > _MAX_TERM:
            raise ValueError(f"a frame is shown for {float(seconds):.0f} seconds")
        if seconds.numerator > _MAX_TERM:
            seconds = Fraction(round(seconds))
        content = _CONTROL.pack(
            number, *frame.size, *offset, seconds.numerator, seconds.denominator, 0, 0
        )
        number += 1
        return chunks.png_chunk(b"fcTL", content)

    before: ImageFrame | None = None
    for frame in frames:
        box = (0, 0, *frame.size) if before is None else changed_box(before, frame)
        part = cropped(frame, box)
        content = dict[bytes, bytes]()
        for name, data in _chunks(still(part)):
            content[name] = content.get(name, b"") + data
        if before is None:
            file.write(chunks.PNG_SIGNATURE + chunks.png_chunk(b"IHDR", content[b"IHDR"]))
            file.write(extra)
            animation = struct.pack(">II", len(frames), frame.encoding.plays)
            file.write(chunks.png_chunk(b"acTL", animation))
            file.write(control(part, box[:2]))
            file.write(chunks.png_chunk(b"IDAT", content[b"IDAT"]))
        else:
            file.write(control(part, box[:2]))
            sequence = struct.pack(">I", number)
            number += 1
            file.write(chunks.png_chunk(b"fdAT", sequence + content[b"IDAT"]))
        before = frame
    file.write(chunks.png_chunk(b"IEND", b""))
