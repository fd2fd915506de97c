"""Frames that go out as they come, or soon after: each with what is known of it by then.

Frames are observed, and boxes smoothed, as where a file is read ahead. But a frame does not wait
until no later one changes its boxes: it waits for a few frames, or for none. By then little is
known of a track, so all that was seen is hidden, except for what the classifier clearly takes for
no face (`ClassificationParameters.at_once_log_odds`). Later frames show where a face was between
two detections and just before its first one.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Frame
from tracker_blur.core.tracks import ORIGINS, Face, Origin
from tracker_blur.tracking.first_pass import Seen, SeenFace
from tracker_blur.tracking.linking import LinkedTrack
from tracker_blur.tracking.smoothing import smooth_face

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tracker_blur.core.parameters import SmoothingParameters
    from tracker_blur.core.tracks import Track
    from tracker_blur.tracking.final_tracks import Target

F = TypeVar("F", bound=Frame)

_FORGETTING_FRAMES = (
    32  # forgetting what went out takes longer than keeping it for this many frames
)


class FrameObserver(Protocol):
    """What a `VideoObserver` does."""

    @property
    def targets(self) -> Sequence[Target]:
        """The target classes; their first passes are empty."""
        ...

    def step(self, frame: Frame, /) -> Sequence[Seen]:
        """Return what is seen of the next frame, for each class."""
        ...


@dataclass(frozen=True, slots=True)
class Delay:
    """How long frames wait for later ones.

    Attributes:
        frames: How many frames come in before the first goes out.
        seconds: A frame goes out when one comes that is later by this, even if fewer wait.
    """

    frames: int
    seconds: float = math.inf


def look_ahead(
    frames: Iterable[F],
    observer_of: Callable[[F], FrameObserver],
    delay: Delay,
    parameters: SmoothingParameters,
    margin_seconds: float,
) -> Iterator[tuple[F, tuple[Face, ...]]]:
    """Yield each frame, in order, with its faces in pixels of the frame.

    Args:
        frames: In order, of one size.
        observer_of: Returns what observes them, given the first.
        delay: How long they wait.
        parameters: Tuning parameters.
        margin_seconds: How long before its first and after its last detection a face is hidden, as
            far as frames wait.
    """
    waiting: deque[F] = deque()
    observer: FrameObserver | None = None
    due: DueFaces | None = None
    for frame in frames:
        if observer is None or due is None:
            observer = observer_of(frame)
            due = DueFaces(observer.targets, parameters, margin_seconds)
        waiting.append(frame)
        due.add(observer.step(frame))
        while waiting and (
            len(waiting) > delay.frames
            or waiting[-1].seconds - waiting[0].seconds >= delay.seconds
            or _most_bytes(waiting) > parameters.max_waiting_megabytes << 20
        ):
            yield waiting.popleft(), due.take()
    while waiting and due is not None:
        yield waiting.popleft(), due.take()


def _most_bytes(waiting: Iterable[Frame]) -> int:
    """Return the bytes of frames of four planes at full size; subsampled ones take less."""
    return sum(
        frame.size[0] * frame.size[1] * 4 * (2 if frame.layout.bits > 8 else 1) for frame in waiting
    )


class DueFaces:
    """Says what is hidden in each frame when it has to go out.

    Args:
        targets: The target classes.
        parameters: Tuning parameters.
        margin_seconds: How long before its first and after its last detection a face is hidden.
    """

    def __init__(
        self, targets: Sequence[Target], parameters: SmoothingParameters, margin_seconds: float
    ) -> None:
        self._classes = [_DueClass(target, parameters, margin_seconds) for target in targets]
        self._next = 0

    def add(self, seen: Sequence[Seen]) -> None:
        """Take what was seen when the next frame was observed, for each class."""
        for one, of_class in zip(self._classes, seen, strict=True):
            one.add(of_class)

    def take(self) -> tuple[Face, ...]:
        """Return the faces of the next frame that goes out; their identifiers are unique."""
        frame, self._next = self._next, self._next + 1
        count = len(self._classes)
        return tuple(
            face.numbered(face.track_id * count + number)
            for number, one in enumerate(self._classes)
            for face in one.take(frame)
        )


class _DueClass:
    """The faces of one class."""

    def __init__(
        self, target: Target, parameters: SmoothingParameters, margin_seconds: float
    ) -> None:
        self._first_pass = target.first_pass
        self._label = target.label
        self._parameters = parameters
        self._margin_seconds = margin_seconds
        self._envelope = BoxEnvelope(parameters.envelope_share_per_second)
        self._newest: tuple[Face, ...] = ()

    def add(self, seen: Seen) -> None:
        """Take what was seen when the next frame was observed."""
        now = [one.face for one in seen.faces if not one.back]
        self._newest = self._envelope.step(now, float(seen.pts * self._first_pass.time_base))
        faces = (
            *(SeenFace(0, face, None) for face in self._newest),
            *(one for one in seen.faces if one.back),
        )
        # Nothing is decided later, so what that takes is not kept.
        self._first_pass.add(Seen(seen.pts, seen.change, seen.is_detection_frame, faces, (), ()))

    def take(self, frame: int) -> Iterator[Face]:
        """Yield the faces of a frame, as far as the frames that came later show them."""
        known = self._first_pass.frame_count
        if frame + 1 == known:
            for face in self._newest:
                yield replace(face, label=self._label)
        else:
            yield from self._refined(frame, known)
        if not frame % _FORGETTING_FRAMES:
            self._first_pass.forget(max(0, frame - self._parameters.kept_frames))

    def _refined(self, frame: int, known: int) -> Iterator[Face]:
        start = max(0, frame - self._parameters.kept_frames)
        tracks = self._first_pass.window(start, known).tracks
        span = frame - start, frame - start + 1
        for track in tracks.tracks:
            face = LinkedTrack(_without_holds(track), None, (track,))
            smooth = smooth_face(
                face, tracks, self._margin_seconds, self._parameters, span, believes_trackers=True
            )
            if smooth is not None:
                score, origin = float(smooth.scores[0]), ORIGINS[smooth.origins[0]]
                yield Face(track.track_id, smooth.box(0), score, origin, label=self._label)


def _without_holds(track: Track) -> Track:
    """Return the track without held boxes between known ones: interpolation is more precise."""
    held = track.has(Origin.HELD)
    known = np.flatnonzero(~held)
    if not len(known):
        return track
    keep = ~held
    keep[: known[0]] = keep[known[-1] :] = True
    return track.rows(keep) or track


class BoxEnvelope:
    """Lets the size of a box jump up, but only decay slowly.

    The sizes of detected boxes fluctuate, and a small one among larger ones uncovers the rim of
    the face.

    Args:
        share_per_second: What is left, a second later, of a size that was once hidden.
    """

    def __init__(self, share_per_second: float) -> None:
        self._share_per_second = share_per_second
        self._sizes: dict[int, tuple[float, float]] = {}
        self._seconds: float | None = None

    def step(self, faces: Sequence[Face], seconds: float) -> tuple[Face, ...]:
        """Return the next frame's faces, none of them smaller; `seconds` is its time."""
        elapsed = 0.0 if self._seconds is None else max(0.0, seconds - self._seconds)
        self._seconds = seconds
        share = self._share_per_second**elapsed
        sizes = {}
        enlarged = []
        for face in faces:
            width, height = self._sizes.get(face.track_id, (0.0, 0.0))
            size = max(face.box.width, share * width), max(face.box.height, share * height)
            sizes[face.track_id] = size
            enlarged.append(replace(face, box=Box.around(face.box.center, *size)))
        self._sizes = sizes
        return tuple(enlarged)
