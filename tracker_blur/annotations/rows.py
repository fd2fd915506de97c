"""Values from files that people and other programs wrote, checked one by one.

A track as rows of plain numbers, for files: edges in hundredths of a pixel, never inward.

Collects boxes from a file that anybody may have written into tracks.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tracker_blur.core import plugins
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import ORIGINS, Boxes, Face, Origin, Track, TracksBuilder
from tracker_blur.errors import TrackFileError, reason_of
from tracker_blur.settings import MethodAliases

_SHOWN_CHARACTERS = 40
_LABEL_CHARACTERS = 100


class RefusedError(ValueError):
    """A value makes no sense; says what is wrong and what to do, but not where."""


@dataclass(slots=True)
class Place:
    """Where a file is being read: the line, from 1; 0 where lines mean nothing."""

    line: int = 0


@contextmanager
def reading(path: Path) -> Iterator[Place]:
    """Name the file, and the line that the block sets, in what goes wrong in the block.

    Raises TrackFileError for RefusedError, OSError and UnicodeDecodeError.
    """
    place = Place()
    try:
        yield place
    except RefusedError as error:
        raise TrackFileError(f"{_where(path, place)}: {error}") from error
    except UnicodeDecodeError as error:
        raise TrackFileError(
            f"{_where(path, place)}: is no UTF-8 text: check that it is the right file, or save "
            "it as UTF-8"
        ) from error
    except OSError as error:
        reason = reason_of(error)
        raise TrackFileError(f"{path}: cannot be read ({reason}): check its name") from error


def whole_number(value: object, name: str, low: int, high: int) -> int:
    """Return an integer within bounds, both included; raises RefusedError."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RefusedError(f"{name} is {shown(value)}: give a whole number from {low} to {high}")
    return value


def number(value: object, name: str, low: float, high: float) -> float:
    """Return a number within bounds, both included, neither NaN nor endless; or RefusedError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise RefusedError(f"{name} is {shown(value)}: give a number from {low:g} to {high:g}")
    return float(value)


def parsed(text: str, name: str) -> float:
    """Return the finite number that a text says; raises RefusedError."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise RefusedError(f"{name} is {shown(text)}: give a number")
    return value


def parsed_whole(text: str, name: str) -> int:
    """Return the whole number that a text says, "12.0" too; raises RefusedError."""
    value = parsed(text, name)
    if not value.is_integer():
        raise RefusedError(f"{name} is {shown(text)}: give a whole number")
    return int(value)


def name_text(value: object, name: str) -> str:
    """Return a short text that a terminal can show; raises RefusedError."""
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= _LABEL_CHARACTERS
        or not value.isprintable()
    ):
        raise RefusedError(f"{name} is {shown(value)}: give a short text")
    return value


def shown(value: object) -> str:
    """Return a value as an error message can show it."""
    text = ascii(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"


def printable(text: str) -> str:
    """Return a text of any origin as a terminal can show it, on one line."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _where(path: Path, place: Place) -> str:
    return f"{path}, line {place.line}" if place.line else str(path)


FARTHEST_PX = 1e5
"""No edge lies further from the picture's corner: nothing is there to hide, and 32-bit floats still
tell hundredths of a pixel apart."""

THINNEST_PX = 0.0099
"""A box is at least that wide and high."""


class Row(NamedTuple):
    """One face in one frame; edges in hundredths of a pixel, score in ten-thousandths of one."""

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
    """Give a track's rows in the order of their frames.

    Raises ValueError for a box that holds no area and for a score that is no number from 0 to 1.
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
    """Return boxes, shape (n, 4), with edges in hundredths of a pixel that cover the given ones.

    Read back as 32-bit floats they still cover them, and rounding them again changes nothing.
    Edges too far outside any picture are drawn in. Raises ValueError for boxes without an area.
    """
    wide = np.clip(boxes.astype(np.float64), -FARTHEST_PX, FARTHEST_PX)
    if not (wide[:, :2] < wide[:, 2:]).all():
        raise ValueError("a box holds no area")
    nearest = np.round(wide * 100) / 100
    away = np.hstack([np.floor(wide[:, :2] * 100), np.ceil(wide[:, 2:] * 100)]) / 100
    is_exact = np.equal(nearest.astype(np.float32), wide.astype(np.float32))
    return np.where(is_exact, nearest, away) + 0.0  # -0.0 becomes 0.0


def rotated(edges: Sequence[float], degrees: float) -> tuple[float, ...]:
    """Return the upright box around one that is turned about its middle."""
    if not degrees:
        return tuple(edges)
    left, top, right, bottom = edges
    x, y = (left + right) / 2, (top + bottom) / 2
    cosine, sine = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    half_width = ((right - left) * cosine + (bottom - top) * sine) / 2
    half_height = ((right - left) * sine + (bottom - top) * cosine) / 2
    return x - half_width, y - half_height, x + half_width, y + half_height


LARGEST_ID = 2**31 - 1

_EDGES = ("left", "top", "right", "bottom")
_ORIGINS = {origin.value: origin for origin in Origin}


class _Facts(NamedTuple):
    hide: bool
    method: str | None
    label: str


class TrackCollector:
    """Takes boxes in any order, and refuses what makes no sense with a RefusedError.

    Two boxes for one track and frame are both covered. A track that nothing is said about is
    hidden; one without boxes is left out.
    """

    def __init__(self, frame_count: int) -> None:
        self._last_frame = frame_count - 1
        self._builder = TracksBuilder()
        self._facts: dict[int, _Facts] = {}

    def describe(
        self, track_id: object, hide: object = True, method: object = None, label: object = "face"
    ) -> None:
        """Say once of a track whether it is hidden, how, and what it is."""
        checked_id = self._track_id(track_id)
        if checked_id in self._facts:
            raise RefusedError(f"track {checked_id} is described twice: leave one of them")
        if not isinstance(hide, bool):
            raise RefusedError(f"hide is {shown(hide)}: give true or false")
        facts = _Facts(hide, method_name(method), name_text(label, "label"))
        self._facts[checked_id] = facts

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
        if origin not in _ORIGINS:
            raise RefusedError(f"origin is {shown(origin)}: give one of {', '.join(_ORIGINS)}")
        face = Face(checked_id, _box(edges), checked_score, _ORIGINS[str(origin)])
        self._builder.add(checked_frame, face)

    def tracks(self) -> tuple[Track, ...]:
        """Return the tracks in the order of their identifiers."""
        return tuple(
            replace(track, **self._facts[track.track_id]._asdict())
            if track.track_id in self._facts
            else track
            for track in self._builder.tracks()
        )

    def _track_id(self, track_id: object) -> int:
        return whole_number(track_id, "track", 0, LARGEST_ID)


def method_name(method: object) -> str | None:
    """Return a method's own name, None for the settings' method; raises RefusedError."""
    if method is None:
        return None
    if not isinstance(method, str) or method not in _methods():
        known = ", ".join(sorted(set(_methods()) | {"simple"}))
        raise RefusedError(f"method is {shown(method)}: give null or one of {known}")
    return _methods()[method]


@functools.lru_cache(maxsize=1)
def _methods() -> dict[str, str]:
    names = plugins.names("tracker_blur.redaction.methods")
    return {name: name for name in names} | dict(MethodAliases)


def _box(edges: Sequence[object]) -> Box:
    box = Box(
        *(
            number(value, f"the box's {name}", -FARTHEST_PX, FARTHEST_PX)
            for value, name in zip(edges, _EDGES, strict=True)
        )
    )
    if min(box.width, box.height) < THINNEST_PX:
        raise RefusedError(
            f"the box {list(box.as_tuple())} holds no area: give left < right and top < bottom, "
            "or leave it out"
        )
    return box
