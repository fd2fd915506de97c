"""A window over the newest frames of a video, in which faces are refined as in two passes.

What later frames tell of a face is known for those that wait: where it was between two sights, just
before its first one, and how its box is to be moved so that it is calm and uncovers nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np

from tracker_blur.core.frame import Frame
from tracker_blur.core.tracks import ORIGINS, Face, Origin, Track, TracksBuilder
from tracker_blur.tracking.scene_cuts import Change
from tracker_blur.tracking.scenes import Scenes
from tracker_blur.tracking.smoothing import settled

F = TypeVar("F", bound=Frame)

_KEPT_FRAMES = 3  # after they went: boxes are steadied over both sides


@dataclass(slots=True)
class _Place(Generic[F]):
    frame: F
    faces: list[Face]
    change: Change


class Window(Generic[F]):
    """Holds frames that wait, and a few of those that went before.

    margin_seconds  how long before its first and after its last sight a face is hidden, too
    """

    def __init__(self, margin_seconds: float) -> None:
        self._margin_seconds = margin_seconds
        self._places: deque[_Place[F]] = deque()
        self._gone = 0  # how many of them went already

    def __len__(self) -> int:
        return len(self._places) - self._gone

    @property
    def seconds(self) -> float:
        """For how long the first frame has waited, by the times of frames."""
        return self._places[-1].frame.seconds - self._places[self._gone].frame.seconds

    def add(self, frame: F, faces: tuple[Face, ...], change: Change) -> None:
        """Have a frame wait, with its faces in its pixels."""
        if change is Change.RETURN:  # it was but a flash of light
            for place in reversed(self._places):
                if place.change is not Change.NONE:
                    place.change = Change.NONE
                    break
            change = Change.NONE
        self._places.append(_Place(frame, list(faces), change))

    def add_face(self, back: int, face: Face) -> None:
        """Add a face, in pixels of its frame, to one that came so many before the newest.

        Where that went already, it is too late.
        """
        if back < len(self):
            self._places[-1 - back].faces.append(face)

    def leave(self) -> tuple[F, tuple[Face, ...]]:
        """Return the first frame with its faces, as all that wait tell of them."""
        place = self._places[self._gone]
        faces = tuple(place.faces) if len(self) == 1 else tuple(self._refined(self._gone))
        if self._gone == _KEPT_FRAMES:
            self._places.popleft()
        else:
            self._gone += 1
        return place.frame, faces

    def _refined(self, index: int) -> Iterator[Face]:
        seconds = np.array([place.frame.seconds for place in self._places])
        cuts = [at for at, place in enumerate(self._places) if at and place.change is Change.CUT]
        scenes = Scenes(cuts, len(self._places))
        builder, last = TracksBuilder(), {}
        for at, place in enumerate(self._places):
            for face in place.faces:
                builder.add(at, face)
                last[face.track_id] = face
        for track in builder.tracks():
            whole = settled(_without_holds(track), seconds, scenes, self._margin_seconds)
            row = index - whole.first
            if 0 <= row < len(whole):
                yield replace(
                    last[track.track_id],
                    box=whole.box(row),
                    score=float(whole.scores[row]),
                    origin=ORIGINS[whole.origins[row]],
                )


def _without_holds(track: Track) -> Track:
    """Return the track without the boxes of a loss that came to its end: it is known better."""
    held = track.has(Origin.HELD)
    known = np.flatnonzero(~held)
    if not len(known):
        return track
    keep = ~held
    keep[: known[0]] = keep[known[-1] :] = True
    return track.rows(keep) or track
