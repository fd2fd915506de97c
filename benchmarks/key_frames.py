"""Annotations by key frames: a few boxes of each head, and straight lines between them.

A file has a row for each key frame, with the columns track,frame,x,y,w,h,kind:

    0,0,170,200,110,120,bent
    0,36,150,250,110,120,
    0,48,120,290,110,115,gone
    0,55,90,300,110,110,bent

The rows of a track are in order. Between two key frames, the box runs in a straight line. `kind`
holds from its key frame on, until another one is given:

- a word for what makes the face hard to detect, or several, joined by "+": `small+profile`;
- `head`: a head from behind, or one so small, dark or hidden that no one could be recognized. To
  hide it is not wrong, to leave it is neither;
- `gone`: the key frame is the last one with a box until the next key frame.
"""

from __future__ import annotations

import csv
import itertools
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD, GONE = "head", "gone"
SEPARATOR = "+"


class Annotation(NamedTuple):
    """A head in a frame; x, y, width and height in pixels of the clip."""

    frame: int
    track: str
    x: float
    y: float
    w: float
    h: float
    kind: str

    @property
    def is_face(self) -> bool:
        """Whether it is a face that must be hidden."""
        return self.kind != HEAD

    @property
    def difficulties(self) -> list[str]:
        """What makes it hard to detect."""
        return self.kind.split(SEPARATOR)


def read_key_frames(file: Path) -> list[Annotation]:
    """Return every head in every frame.

    Raises:
        ValueError: A row is out of order, or its first kind is missing.
    """
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    annotations: list[Annotation] = []
    for track, keys in itertools.groupby(rows, key=lambda row: row["track"]):
        if any(track == annotation.track for annotation in annotations):
            raise ValueError(f"{file}: the rows of track {track} are not together")
        annotations += _interpolated(track, list(keys), file)
    return annotations


def _interpolated(track: str, rows: list[dict[str, str]], file: Path) -> Iterator[Annotation]:
    kind, keys = "", []
    for row in rows:
        is_last = row["kind"] == GONE
        kind = kind if is_last else row["kind"] or kind
        box = [float(row[name]) for name in ("x", "y", "w", "h")]
        keys.append((int(row["frame"]), box, kind, is_last))
    if not keys[0][2]:
        raise ValueError(f"{file}: track {track} begins without a kind")
    for (first, start, kind, is_last), (last, end, _, _) in itertools.pairwise(keys):
        if last <= first:
            raise ValueError(f"{file}: track {track}: frame {last} comes after frame {first}")
        for frame in [first] if is_last else range(first, last):
            share = (frame - first) / (last - first)
            x, y, w, h = (a + share * (b - a) for a, b in zip(start, end, strict=True))
            yield Annotation(frame, track, x, y, w, h, kind)
    frame, (x, y, w, h), kind, _ = keys[-1]
    yield Annotation(frame, track, x, y, w, h, kind)
