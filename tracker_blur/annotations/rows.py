"""Rows of track files and exchange formats: collects what is read, rounds what is written."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from tracker_blur.annotations.values import (
    InvalidValueError,
    invalid,
    method_name,
    name_text,
    number,
    whole_number,
)
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import ORIGINS, Boxes, Face, Origin, Track
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.settings import FACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracker_blur.annotations.box_lines import BoxRows

FARTHEST_PX = 1e5
"""No edge lies farther from the frame's corner: nothing there needs hiding, and 32-bit floats still
resolve hundredths of a pixel."""

THINNEST_PX = 0.0099
"""Least width and height of a box."""

LARGEST_ID = 2**31 - 1
"""Largest number of a track."""

_MAX_BOXES = 40_000_000  # 200 faces for almost two hours; more than 1 GB
_EDGES = ("left", "top", "right", "bottom")
_ORIGINS = {origin.value: origin for origin in Origin}


class Row(NamedTuple):
    """One face in one frame, as files hold it: edges to 0.01 pixels, the score to 0.0001."""

    frame: int
    edges: tuple[float, float, float, float]
    score: float
    origin: Origin

    @property
    def x_y_width_height(self) -> tuple[float, float, float, float]:
        """The box by its upper left corner and its size; sums are the right and lower edges."""
        left, top, right, bottom = self.edges
        return left, top, round(right - left, 2), round(bottom - top, 2)


def rows(track: Track) -> Iterator[Row]:
    """Yield a track's rows in the order of their frames.

    Raises:
        ValueError: A box has no area, a score is not from 0 to 1, or frames do not ascend.
    """
    if not np.logical_and(track.scores >= 0, track.scores <= 1).all():
        raise ValueError(f"track {track.track_id} has scores outside of 0 to 1")
    if np.any(np.diff(track.frames) <= 0):
        raise ValueError(f"the frames of track {track.track_id} do not ascend")
    scores = np.round(track.scores.astype(np.float64), 4)
    for frame, edges, score, origin in zip(
        track.frames.tolist(),
        outward(track.boxes).tolist(),
        scores.tolist(),
        track.origins.tolist(),
        strict=True,
    ):
        yield Row(frame, tuple(edges), score, ORIGINS[origin])


def outward(boxes: Boxes) -> npt.NDArray[np.float64]:
    """Return boxes with edges rounded outward to hundredths of a pixel.

    Read back as 32-bit floats they still cover the given boxes, and rounding them again changes
    nothing. Edges far outside of any frame are moved to `FARTHEST_PX`.

    Args:
        boxes: shape (n, 4).

    Raises:
        ValueError: A box has no area.
    """
    wide = np.clip(boxes.astype(np.float64), -FARTHEST_PX, FARTHEST_PX)
    if not (wide[:, :2] < wide[:, 2:]).all():
        raise ValueError("a box has no area")
    nearest = np.round(wide * 100) / 100
    away = np.hstack([np.floor(wide[:, :2] * 100), np.ceil(wide[:, 2:] * 100)]) / 100
    is_exact = np.equal(nearest.astype(np.float32), wide.astype(np.float32))
    return np.where(is_exact, nearest, away) + 0.0  # -0.0 becomes 0.0


def rotated(edges: Sequence[float], degrees: float) -> tuple[float, ...]:
    """Return the upright box around one that is rotated about its center."""
    if not degrees:
        return tuple(edges)
    left, top, right, bottom = edges
    x, y = (left + right) / 2, (top + bottom) / 2
    cosine, sine = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    half_width = ((right - left) * cosine + (bottom - top) * sine) / 2
    half_height = ((right - left) * sine + (bottom - top) * cosine) / 2
    return x - half_width, y - half_height, x + half_width, y + half_height


class _Properties(NamedTuple):
    hide: bool
    method: str | None
    label: str


class TrackCollector:
    """Collects boxes in any order into tracks; raises InvalidValueError for invalid values.

    Two boxes for one track and frame become one box around both. A track that is not described is
    hidden. A described track without boxes is left out.
    """

    def __init__(self, frame_count: int) -> None:
        self._last_frame = frame_count - 1
        self._builder = TracksBuilder()
        self._boxes = 0
        self._properties: dict[int, _Properties] = {}

    def describe(
        self, track_id: object, hide: object = True, method: object = None, label: object = FACE
    ) -> None:
        """Set, once, whether a track is hidden, by which method, and its label."""
        checked_id = self._track_id(track_id)
        if checked_id in self._properties:
            raise InvalidValueError(f"track {checked_id} is described twice: remove one of them")
        if not isinstance(hide, bool):
            raise invalid("hide", hide, "true or false")
        properties = _Properties(hide, method_name(method), name_text(label, "label"))
        self._properties[checked_id] = properties

    def add(
        self,
        track_id: object,
        frame: object,
        edges: Sequence[object],
        score: object = 1.0,
        origin: object = Origin.DRAWN.value,
    ) -> None:
        """Add a box: left, top, right and bottom, in pixels of the full-size upright frame."""
        checked_id = self._track_id(track_id)
        checked_frame = whole_number(frame, "frame", 0, self._last_frame)
        checked_score = number(score, "score", 0.0, 1.0)
        if not isinstance(origin, str) or origin not in _ORIGINS:
            raise invalid("origin", origin, f"one of {', '.join(_ORIGINS)}")
        self._boxes += 1
        if self._boxes > _MAX_BOXES:
            raise InvalidValueError(
                f"has more than {_MAX_BOXES} boxes, the most that are read: split the video"
            )
        face = Face(checked_id, track_box(edges), checked_score, _ORIGINS[origin])
        self._builder.add(checked_frame, face)

    def add_rows(self, rows: BoxRows) -> bool:
        """Add many boxes, in any order.

        Args:
            rows: as of `boxes_of`: their numbers are finite and, except for edges, not negative.

        Returns:
            Whether all make sense; if not, none was added.
        """
        edges = rows[:, 2:6]
        is_far = np.abs(edges).max(initial=0) > FARTHEST_PX
        is_thin = (edges[:, :2] > edges[:, 2:] - THINNEST_PX).any()
        latest = rows[:, :2].max(axis=0, initial=0)
        is_unknown = latest[0] > LARGEST_ID or latest[1] > self._last_frame
        if is_far or is_thin or is_unknown or self._boxes + len(rows) > _MAX_BOXES:
            return False
        self._boxes += len(rows)
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
        starts = np.flatnonzero(np.diff(rows[:, 0])) + 1
        for part in np.split(rows, starts):
            self._builder.add_rows(
                int(part[0, 0]), part[:, 1], part[:, 2:6], part[:, 6], part[:, 7]
            )
        return True

    def tracks(self) -> tuple[Track, ...]:
        """Return the tracks in the order of their numbers."""
        return tuple(
            replace(track, **self._properties[track.track_id]._asdict())
            if track.track_id in self._properties
            else track
            for track in self._builder.tracks()
        )

    def _track_id(self, track_id: object) -> int:
        return whole_number(track_id, "track", 0, LARGEST_ID)


def track_box(edges: Sequence[object]) -> Box:
    """Return the box with these edges; raises InvalidValueError if it has no area."""
    box = Box(
        *(
            number(value, f"the box's {name}", -FARTHEST_PX, FARTHEST_PX)
            for value, name in zip(edges, _EDGES, strict=True)
        )
    )
    if min(box.width, box.height) < THINNEST_PX:
        raise InvalidValueError(
            f"the box {list(box.as_tuple())} has no area: give left < right and top < bottom, or "
            "remove it"
        )
    return box
