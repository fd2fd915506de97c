"""BmpDecoder: the BMP files that Pillow does not read, or reads without their alpha.

Run lengths with gaps, 2 and 16 bits, any channel masks, and short OS/2 headers. Windows' reference
of `BITMAPV5HEADER`; OS/2's of `BITMAPINFOHEADER2`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.images.frame import Encoding, ImageFrame

if TYPE_CHECKING:
    from tracker_blur.core.frame import Samples
    from tracker_blur.images.pixel_limit import PixelLimit

_FILE_HEADER = 14
_OS2_HEADERS = {12: "<HHHH", 16: "<iiHH"}  # width, height, planes, bits
_RAW, _RLE8, _RLE4, _MASKS, _MASKS_WITH_ALPHA = 0, 1, 2, 3, 6
_DEFAULT_MASKS = {16: (0x7C00, 0x3E0, 0x1F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
_MASKS_AT = 40  # in the header, or right after one of this size
_INCHES_PER_METER = 0.0254
_BAND_ROWS = 64  # converted at once: the intermediate results are large


@dataclass(frozen=True, slots=True)
class _Header:
    size: tuple[int, int]
    is_top_down: bool
    bits: int
    compression: int
    masks: tuple[int, int, int, int]  # of red, green, blue and alpha
    palette: npt.NDArray[np.uint8]  # shape (colors, 3), red first
    pixels_at: int
    dpi: tuple[float, float] | None


def is_rare(data: bytes) -> bool:
    """Return whether a file is a BMP of a kind that is decoded here."""
    if data[:2] != b"BM" or len(data) < _FILE_HEADER + 16:
        return False
    header = int.from_bytes(data[14:18], "little")
    if header in _OS2_HEADERS:
        return header == 16
    bits, compression = struct.unpack_from("<HI", data, 28)
    return bits in (2, 16) or compression in (_RLE8, _RLE4, _MASKS, _MASKS_WITH_ALPHA)


class BmpDecoder:
    """The image of a rare BMP, see `tracker_blur.images.decode.Decoder`."""

    may_move = False
    is_complete = True
    count = 1

    def __init__(self, data: bytes, limit: PixelLimit) -> None:
        self._data = data
        self._header = _parsed(data)
        limit.check(self._header.size)

    def decode(self, index: int) -> ImageFrame:  # noqa: ARG002  # there is one
        """Return the image."""
        header, width = self._header, self._header.size[0]
        if header.compression in (_RLE8, _RLE4):
            samples = _run_lengths(self._data, header)
        else:
            row_bytes = (width * header.bits + 31) // 32 * 4
            stored = np.frombuffer(
                self._data, np.uint8, row_bytes * header.size[1], header.pixels_at
            )
            samples = stored.reshape(header.size[1], row_bytes)
        if not header.is_top_down:
            samples = samples[::-1]
        planes = _looked_up(samples, header) if header.bits <= 8 else _masked(samples, header)
        alpha = planes.pop() if len(planes) == 4 else None
        return ImageFrame(
            channels=tuple(planes),
            alpha=alpha if alpha is not None and alpha.any() else None,
            encoding=Encoding(format="BMP", dpi=header.dpi),
        )


def _parsed(data: bytes) -> _Header:
    pixels_at, length = struct.unpack_from("<II", data, 10)
    compression, colors, dpi = _RAW, 0, None
    if length in _OS2_HEADERS:
        width, height, _, bits = struct.unpack_from(_OS2_HEADERS[length], data, 18)
    elif length >= _MASKS_AT:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
        across, down, colors = struct.unpack_from("<iiI", data, 38)
        if across > 0 and down > 0:
            dpi = across * _INCHES_PER_METER, down * _INCHES_PER_METER
    else:
        raise ValueError(f"its header has {length} bytes")
    if width <= 0 or height == 0 or bits not in (1, 2, 4, 8, 16, 24, 32):
        raise ValueError(f"{width} x {height} pixels of {bits} bits")
    masks = _DEFAULT_MASKS.get(bits, (0, 0, 0, 0))
    palette_at = _FILE_HEADER + length
    if compression in (_MASKS, _MASKS_WITH_ALPHA):
        has_alpha = length >= _MASKS_AT + 16 or compression == _MASKS_WITH_ALPHA
        given = struct.unpack_from("<4I" if has_alpha else "<3I", data, _FILE_HEADER + _MASKS_AT)
        masks = (*given, 0)[:4]
    elif compression not in (_RAW, _RLE8, _RLE4):
        raise ValueError(f"compression {compression}")
    if (compression, bits) in ((_RLE8, 4), (_RLE4, 8)) or (compression in (1, 2) and bits > 8):
        raise ValueError(f"run lengths of {bits} bits")
    entry = 3 if length == 12 else 4
    count = min(colors or 1 << bits, 1 << bits) if bits <= 8 else 0
    stored = data[palette_at : palette_at + count * entry]
    palette = np.zeros((256, 3), np.uint8)
    whole = np.frombuffer(stored[: len(stored) // entry * entry], np.uint8).reshape(-1, entry)
    palette[: len(whole)] = whole[:, 2::-1]
    return _Header(
        (width, abs(height)), height < 0, bits, compression, masks, palette, pixels_at, dpi
    )


def _run_lengths(data: bytes, header: _Header) -> Samples:
    """Return the indices of an image of run lengths, a byte each, in stored order.

    What is skipped has the first color of the palette, as in Windows.
    """
    width, height = header.size
    is_rle4 = header.compression == _RLE4
    samples = np.zeros((height, width), np.uint8)
    x, y, at = 0, 0, header.pixels_at
    while y < height:
        if at + 2 > len(data):
            raise ValueError("its pixels end early")
        count, value = data[at], data[at + 1]
        at += 2
        if count:
            run = (value >> 4, value & 15) if is_rle4 else (value,)
            samples[y, x : x + count] = np.resize(np.array(run, np.uint8), count)[
                : max(0, width - x)
            ]
            x += count
        elif value == 0:  # the end of a row
            x, y = 0, y + 1
        elif value == 1:  # the end of the image
            break
        elif value == 2:  # a jump
            x, y, at = x + data[at], y + data[at + 1], at + 2
        else:
            size = (value + 1) // 2 if is_rle4 else value
            stored = np.frombuffer(data, np.uint8, size, at)
            if is_rle4:
                stored = np.stack([stored >> 4, stored & 15], -1).ravel()
            samples[y, x : x + value] = stored[:value][: max(0, width - x)]
            x, at = x + value, at + size + size % 2
    return samples


def _looked_up(samples: Samples, header: _Header) -> list[Samples]:
    """Return the colors of palette indices, which are packed unless they were run lengths."""
    width, height = header.size
    planes: list[Samples] = [np.empty((height, width), np.uint8) for _ in range(3)]
    is_packed = header.compression == _RAW and header.bits < 8
    for start in range(0, height, _BAND_ROWS):
        band = samples[start : start + _BAND_ROWS]
        if is_packed:
            bits = np.unpackbits(band, axis=1).reshape(len(band), -1, header.bits)
            band = np.packbits(bits, axis=2)[..., 0] >> (8 - header.bits)
        for channel, plane in enumerate(planes):
            plane[start : start + _BAND_ROWS] = header.palette[band[:, :width], channel]
    return planes


def _masked(samples: Samples, header: _Header) -> list[Samples]:
    """Return red, green, blue, and alpha if there is one, of pixels that hold all of them."""
    width, height = header.size
    if header.bits == 24:
        pixels = samples[:, : width * 3].reshape(height, width, 3)
        return [np.ascontiguousarray(pixels[..., channel]) for channel in (2, 1, 0)]
    masks = header.masks if header.masks[3] else header.masks[:3]
    planes: list[Samples] = [np.empty((height, width), np.uint8) for _ in masks]
    for start in range(0, height, _BAND_ROWS):
        band = np.ascontiguousarray(samples[start : start + _BAND_ROWS])
        pixels = band.view(f"<u{header.bits // 8}")[:, :width].astype(np.uint64)
        for mask, plane in zip(masks, planes, strict=True):
            shift = (mask & -mask).bit_length() - 1 if mask else 0
            peak = max(1, mask >> shift)
            plane[start : start + _BAND_ROWS] = ((pixels & mask) >> shift) * 255 // peak
    return planes
