"""Collects boxes from a file that anybody may have written into tracks."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from tracker_blur.annotations.rows import FARTHEST_PX, THINNEST_PX
from tracker_blur.annotations.validation import RefusedError, name_text, number, shown, whole_number
from tracker_blur.core import plugins
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin, Track, TracksBuilder
from tracker_blur.settings import MethodAliases

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
