"""Steadies the boxes of faces as they come: sizes may jump up but only glide down.

A window over the newest frames of a video, in which faces are refined as in two passes.

What later frames tell of a face is known for those that wait: where it was between two sights, just
before its first one, and how its box is to be moved so that it is calm and uncovers nothing.

One pass over a video: frames come out a few frames late, with what was found meanwhile.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Frame, Image
from tracker_blur.core.tracks import ORIGINS, Face, Origin, Track, TracksBuilder
from tracker_blur.tracking.backtracking import Backtracked
from tracker_blur.tracking.online import Step
from tracker_blur.tracking.scene_cuts import Change, Scenes
from tracker_blur.tracking.smoothing import settled

_SHRINK_PER_SECOND = 0.5  # what is left, a second later, of a size that was hidden once


class BoxEnvelope:
    """A detector's boxes pump, and a small one among larger ones uncovers a rim of the face."""

    def __init__(self) -> None:
        self._sizes: dict[int, tuple[float, float]] = {}
        self._seconds: float | None = None

    def step(self, faces: Sequence[Face], seconds: float) -> tuple[Face, ...]:
        """Return the next frame's faces, none of them smaller; `seconds` is its time."""
        elapsed = 0.0 if self._seconds is None else max(0.0, seconds - self._seconds)
        self._seconds = seconds
        left = _SHRINK_PER_SECOND**elapsed
        sizes = {}
        steady = []
        for face in faces:
            width, height = self._sizes.get(face.track_id, (0.0, 0.0))
            size = max(face.box.width, left * width), max(face.box.height, left * height)
            sizes[face.track_id] = size
            steady.append(replace(face, box=Box.around(face.box.center, *size)))
        self._sizes = sizes
        return tuple(steady)


F = TypeVar("F", bound=Frame)

_KEPT_FRAMES = 3  # after they went: boxes are steadied over both sides


@dataclass(slots=True)
class _Place(Generic[F]):
    frame: F
    faces: list[Face]
    change: Change


class SlidingWindow(Generic[F]):
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


class Stepping(Protocol):
    """What a `OnlineTracker` does."""

    def step(self, image: Image, seconds: float) -> Step:
        """Return the faces of the next frame."""
        ...


class Backtracking(Protocol):
    """What a `Rewind` does."""

    def step(self, index: int, image: Image, step: Step) -> Iterator[tuple[Face, Backtracked]]:
        """Give each face that is new in this frame with where it was before."""
        ...


def look_ahead(
    frames: Iterable[F],
    view: Callable[[Frame], Image],
    follower: Stepping,
    rewind: Backtracking | None,
    delay_frames: int,
    delay_seconds: float = math.inf,
    margin_seconds: float = 0.0,
) -> Iterator[tuple[F, tuple[Face, ...]]]:
    """Give each frame, in order, with its faces in pixels of the frame.

    view            reduces a frame to what is looked at
    follower        knows the faces of each frame as it comes
    rewind          finds where new faces were before; None: nobody does
    delay_frames    how many frames come in before the first goes out: a face is hidden in up to
                    so many frames before its first detection
    delay_seconds   a frame goes out when one comes that is later by so much, however few they are
    margin_seconds  how long before its first and after its last sight a face is hidden, too, as
                    far as frames wait
    """
    window: SlidingWindow[F] = SlidingWindow(margin_seconds)
    glide = BoxEnvelope()
    for index, frame in enumerate(frames):
        image = view(frame)
        step = follower.step(image, frame.seconds)
        faces = [_full_size(face, image, frame) for face in step.faces]
        window.add(frame, glide.step(faces, frame.seconds), step.change)
        if rewind is not None:
            for _, before in rewind.step(index, image, step):
                for earlier, seen, face in before.faces:
                    window.add_face(index - earlier, _full_size(face, seen, frame))
        while window and (len(window) > delay_frames or window.seconds >= delay_seconds):
            yield window.leave()
    while window:
        yield window.leave()


def _full_size(face: Face, image: Image, frame: Frame) -> Face:
    height, width = image.shape[:2]
    return face.scaled(frame.size[0] / width, frame.size[1] / height)
