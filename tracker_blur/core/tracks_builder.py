"""Collects faces into tracks while they grow."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.core.tracks import ORIGINS, Track

if TYPE_CHECKING:
    from collections.abc import Set

    from tracker_blur.core.tracks import Face


@dataclass(slots=True)
class _Rows:
    """The rows of a track that grows, in any order of frames."""

    frames: array[int] = field(default_factory=lambda: array("i"))
    boxes: array[float] = field(default_factory=lambda: array("f"))
    scores: array[float] = field(default_factory=lambda: array("f"))
    origins: array[int] = field(default_factory=lambda: array("B"))


class TracksBuilder:
    """Collects faces into tracks, in any order of frames."""

    def __init__(self) -> None:
        self._rows: defaultdict[int, _Rows] = defaultdict(_Rows)

    def add(self, frame: int, face: Face) -> None:
        """Add a face; two boxes for the same frame and track become one that covers both."""
        rows = self._rows[face.track_id]
        rows.frames.append(frame)
        rows.boxes.extend(face.box.as_tuple())
        rows.scores.append(face.score)
        rows.origins.append(ORIGINS.index(face.origin))

    def add_rows(
        self,
        track_id: int,
        frames: npt.NDArray[np.float64],
        boxes: npt.NDArray[np.float64],
        scores: npt.NDArray[np.float64],
        origins: npt.NDArray[np.float64],
    ) -> None:
        """Add many boxes of a track as `add` does.

        Args:
            track_id: the track.
            frames: their frames, shape (n,).
            boxes: their edges, shape (n, 4).
            scores: their scores, shape (n,).
            origins: the places of their origins in `ORIGINS`, shape (n,).
        """
        rows = self._rows[track_id]
        rows.frames.frombytes(frames.astype(np.intc).tobytes())
        rows.boxes.frombytes(boxes.astype(np.float32).tobytes())
        rows.scores.frombytes(scores.astype(np.float32).tobytes())
        rows.origins.frombytes(origins.astype(np.uint8).tobytes())

    @property
    def track_ids(self) -> Set[int]:
        """The identifiers of the tracks so far."""
        return self._rows.keys()

    def tracks(self) -> tuple[Track, ...]:
        """Return the tracks so far, ordered by identifier."""
        return tuple(_track(track_id, rows) for track_id, rows in sorted(self._rows.items()))

    def between(self, start: int, stop: int) -> tuple[Track, ...]:
        """Return what the tracks are in these frames, which are counted from `start`."""
        pieces = (
            _between(track_id, rows, start, stop) for track_id, rows in sorted(self._rows.items())
        )
        return tuple(piece for piece in pieces if piece is not None)

    def forget(self, before: int) -> None:
        """Forget all faces in earlier frames than this one."""
        for track_id, rows in list(self._rows.items()):
            if max(rows.frames) < before:
                del self._rows[track_id]
            elif min(rows.frames) < before:
                self._rows[track_id] = _since(rows, before)


def _since(rows: _Rows, first: int) -> _Rows:
    keep = np.array(rows.frames, np.int32) >= first
    boxes = np.array(rows.boxes, np.float32).reshape(-1, 4)
    return _Rows(
        array("i", np.array(rows.frames, np.intc)[keep].tobytes()),
        array("f", boxes[keep].tobytes()),
        array("f", np.array(rows.scores, np.float32)[keep].tobytes()),
        array("B", np.array(rows.origins, np.uint8)[keep].tobytes()),
    )


def _between(track_id: int, rows: _Rows, start: int, stop: int) -> Track | None:
    track = _track(track_id, rows)
    piece = track.rows((track.frames >= start) & (track.frames < stop))
    return None if piece is None else replace(piece, frames=piece.frames - np.int32(start))


def _track(track_id: int, rows: _Rows) -> Track:
    frames = np.array(rows.frames, np.int32)
    boxes = np.array(rows.boxes, np.float32).reshape(-1, 4)
    scores = np.array(rows.scores, np.float32)
    # Of several boxes in a frame, the most reliable origin counts: it comes first in ORIGINS.
    origins = np.array(rows.origins, np.uint8)
    order = np.lexsort((origins, frames))
    frames, boxes = frames[order], boxes[order]
    starts = np.flatnonzero(np.diff(frames, prepend=frames[0] - 1))
    covered = np.concatenate(
        [np.minimum.reduceat(boxes[:, :2], starts), np.maximum.reduceat(boxes[:, 2:], starts)], 1
    )
    return Track(
        track_id,
        frames[starts],
        covered,
        np.maximum.reduceat(scores[order], starts),
        origins[order][starts],
    )
