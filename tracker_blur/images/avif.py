"""AVIF: what Pillow does not report of a file, or does not write.

AV1 Image File Format 1.1.0, AOMedia 2022; ISO/IEC 23008-12 (image properties).
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import features

from tracker_blur.video.iso_boxes import iso_boxes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracker_blur.images.frame import ImageFrame

_BRANDS = frozenset({b"avif", b"avis"})
_HEADERS = frozenset({b"meta", b"moov"})  # the boxes that describe images and animations
_CODED_COLOR, _CODES_SIZE = b"colrnclx", 4  # the codes: 2 bytes each for primaries and transfer


def is_avif(data: bytes) -> bool:
    """Return whether a file says that it is AVIF, first or among the brands it conforms to."""
    if data[4:8] != b"ftyp":
        return False
    end = int.from_bytes(data[:4], "big")
    return any(data[at : at + 4] in _BRANDS for at in (8, *range(16, min(end, len(data)), 4)))


def is_supported() -> bool:
    """Return whether this build of Pillow reads and writes AVIF."""
    return bool(features.check("avif"))


def is_cropped(avif: bytes) -> bool:
    """Return whether viewers show only a part of the image, which Pillow does not respect."""
    return any(avif.find(b"clap", start, end) >= 0 for start, end in _headers(avif))


def color_codes(avif: bytes) -> bytes:
    """Return the codes of the color primaries and the transfer curve; empty if there are none."""
    at = next(_coded_colors(avif), None)
    return b"" if at is None else avif[at : at + _CODES_SIZE]


def with_color_codes(avif: bytes, codes: bytes) -> bytes:
    """Return an AVIF file with its codes of primaries and transfer curve replaced."""
    changed = bytearray(avif)
    for at in _coded_colors(avif):
        changed[at : at + _CODES_SIZE] = codes
    return bytes(changed)


def without_exif(avif: bytes) -> bytes:
    """Return an AVIF file whose EXIF tags are marked as something unknown."""
    changed = bytearray(avif)
    for start, end in _headers(avif):
        changed[start:end] = changed[start:end].replace(b"Exif", b"none")
    return bytes(changed)


def durations(frames: Iterable[ImageFrame]) -> list[int]:
    """Return how long each frame is shown, in whole milliseconds whose sum does not drift."""
    rounded, end, last = [], 0, 0
    for frame in frames:
        end += frame.shown_duration
        now = max(round(float(end * frame.time_base * 1000)), last + 1)
        rounded.append(now - last)
        last = now
    return rounded


def _coded_colors(avif: bytes) -> Iterator[int]:
    """Yield the places of the color codes."""
    for start, end in _headers(avif):
        at = avif.find(_CODED_COLOR, start, end)
        while at >= 0:
            at += len(_CODED_COLOR)
            yield at
            at = avif.find(_CODED_COLOR, at, end)


def _headers(avif: bytes) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each box that holds descriptions, not pixels."""
    for box in iso_boxes(io.BytesIO(avif), 0, len(avif)):
        if box.kind in _HEADERS:
            yield box.start, box.end
