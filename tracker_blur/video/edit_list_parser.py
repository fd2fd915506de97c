"""Reads the edit lists of an MP4 or MOV: which parts of its tracks are shown.

ISO 14496-12, 8.6.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from tracker_blur.video.iso_boxes import iso_boxes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LARGEST_LIST = 1 << 20  # bytes; no editor makes a longer one
_PARENTS = {b"moov", b"trak", b"edts", b"mdia"}
_DEPTH = 3  # of parents in each other
_EMPTY_EDIT = -1

Spans = list[tuple[float, float]]
"""Intervals of a track's own time, in its ticks; ascending and apart."""


@dataclass(frozen=True, slots=True)
class EditList:
    """A track's edit list.

    Attributes:
        spans: What is shown of the track.
        tolerance: How exact they are, in ticks of the track.
    """

    spans: Spans
    tolerance: int


def edit_lists(path: Path) -> dict[int, EditList]:
    """Return the edit list of each track that has one, by the track's identifier."""
    movie_scale = 0
    tracks: list[dict[bytes, bytes]] = []
    with path.open("rb") as file:
        for kind, body in _movie_boxes(file, 0, path.stat().st_size):
            if kind == b"mvhd":
                movie_scale = _time_scale(body)
            elif kind == b"trak":
                tracks.append({})
            elif tracks:
                tracks[-1].setdefault(kind, body)
    edits = {}
    for boxes in tracks:
        if movie_scale and {b"tkhd", b"mdhd", b"elst"} <= boxes.keys():
            header = boxes[b"tkhd"]
            at = 20 if header[:1] == b"\1" else 12
            scale = _time_scale(boxes[b"mdhd"])
            identifier = int.from_bytes(header[at : at + 4], "big")
            spans = _merged(_spans(boxes[b"elst"], movie_scale, scale))
            edits[identifier] = EditList(spans, 1 + scale // movie_scale)
    return edits


def _movie_boxes(
    file: BinaryIO, start: int, end: int, depth: int = 0
) -> Iterator[tuple[bytes, bytes]]:
    """Yield (type, body) of each box that matters here; a parent's body is empty."""
    for box in iso_boxes(file, start, end):
        if box.kind in _PARENTS and depth < _DEPTH:
            yield box.kind, b""
            yield from _movie_boxes(file, box.content, min(end, box.end), depth + 1)
        elif box.kind in (b"mvhd", b"tkhd", b"mdhd", b"elst"):
            file.seek(box.content)
            yield box.kind, file.read(min(box.end - box.content, _LARGEST_LIST))


def _time_scale(header: bytes) -> int:
    """Return the ticks per second of an "mvhd" or "mdhd" box."""
    at = 20 if header[:1] == b"\1" else 12
    return int.from_bytes(header[at : at + 4], "big")


def _spans(box: bytes, movie_scale: int, scale: int) -> Iterator[tuple[float, float]]:
    """Yield which parts of a track an "elst" box shows, in ticks of the track."""
    width = 8 if box[:1] == b"\1" else 4
    count = int.from_bytes(box[4:8], "big")
    step = 2 * width + 4
    for at in range(8, min(len(box) - step + 1, 8 + count * step), step):
        duration = int.from_bytes(box[at : at + width], "big")
        start = int.from_bytes(box[at + width : at + 2 * width], "big", signed=True)
        if start != _EMPTY_EDIT:
            # FFmpeg takes an edit without a duration for one up to the end.
            yield start, start + duration * scale / movie_scale if duration else float("inf")


def _merged(spans: Iterator[tuple[float, float]]) -> Spans:
    merged: Spans = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged
