"""One pass over a video in which frames wait for what later ones show of their faces.

A waiting frame learns where a face was between two detections and just before its first one, and
its boxes are smoothed as in two passes.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Frame, Image
from tracker_blur.core.tracks import ORIGINS, Face, Origin, Track, TracksBuilder
from tracker_blur.tracking.scene_cuts import Change, Scenes
from tracker_blur.tracking.smoothing import smooth_track

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tracker_blur.core.parameters import SmoothingParameters
    from tracker_blur.tracking.backtracking import Backtracked
    from tracker_blur.tracking.online import Step

F = TypeVar("F", bound=Frame)


class FrameTracker(Protocol):
    """What an `OnlineTracker` does."""

    def step(self, image: Image, seconds: float) -> Step:
        """Return the faces of the next frame."""
        ...


class FrameBacktracker(Protocol):
    """What a `Backtracker` does."""

    def step(self, index: int, image: Image, step: Step) -> Iterator[tuple[Face, Backtracked]]:
        """Yield each new face of this frame and its earlier positions."""
        ...


def look_ahead(
    frames: Iterable[F],
    view: Callable[[Frame], Image],
    tracker: FrameTracker,
    backtracker: FrameBacktracker | None,
    delay_frames: int,
    parameters: SmoothingParameters,
    *,
    delay_seconds: float = math.inf,
    margin_seconds: float = 0.0,
) -> Iterator[tuple[F, tuple[Face, ...]]]:
    """Yield each frame, in order, with its faces in pixels of the frame.

    Args:
        frames: In order.
        view: Returns the view of a frame.
        tracker: Tracks the faces of each frame as it comes.
        backtracker: Tracks new faces back in time; None: not done.
        delay_frames: How many frames come in before the first goes out. In up to so many frames
            before its first detection a face is hidden.
        parameters: Tuning parameters.
        delay_seconds: A frame goes out when one comes that is later by this, even if fewer wait.
        margin_seconds: How long before its first and after its last detection a face is hidden, as
            far as frames wait.
    """
    window: SlidingWindow[F] = SlidingWindow(margin_seconds, parameters)
    envelope = BoxEnvelope(parameters.envelope_share_per_second)
    for index, frame in enumerate(frames):
        image = view(frame)
        step = tracker.step(image, frame.seconds)
        faces = [_full_size(face, image, frame) for face in step.faces]
        window.add(frame, envelope.step(faces, frame.seconds), step.change)
        if backtracker is not None:
            for _, before in backtracker.step(index, image, step):
                for past_index, past_image, face in before.faces:
                    window.add_face(index - past_index, _full_size(face, past_image, frame))
        while window and (
            len(window) > delay_frames
            or window.seconds >= delay_seconds
            or window.waiting_bytes > parameters.max_waiting_megabytes << 20
        ):
            yield window.pop()
    while window:
        yield window.pop()


def _full_size(face: Face, image: Image, frame: Frame) -> Face:
    height, width = image.shape[:2]
    return face.scaled(frame.size[0] / width, frame.size[1] / height)


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


@dataclass(slots=True)
class _WaitingFrame(Generic[F]):
    frame: F | None  # None: it went out
    seconds: float
    faces: list[Face]
    change: Change


class SlidingWindow(Generic[F]):
    """The frames that wait, and a few that went out: boxes are smoothed over both sides.

    Args:
        margin_seconds: How long before its first and after its last detection a face is hidden.
        parameters: Tuning parameters.
    """

    def __init__(self, margin_seconds: float, parameters: SmoothingParameters) -> None:
        self._margin_seconds = margin_seconds
        self._parameters = parameters
        self._frames: deque[_WaitingFrame[F]] = deque()
        self._gone = 0  # how many of them went out already

    def __len__(self) -> int:
        return len(self._frames) - self._gone

    @property
    def seconds(self) -> float:
        """How long the first frame has waited, in time of the video."""
        return self._frames[-1].seconds - self._frames[self._gone].seconds

    @property
    def waiting_bytes(self) -> int:
        """How much memory the waiting frames take, at most."""
        return sum(
            _most_bytes(waiting.frame) for waiting in self._frames if waiting.frame is not None
        )

    def add(self, frame: F, faces: tuple[Face, ...], change: Change) -> None:
        """Have a frame wait, with its faces in pixels of the frame."""
        if change is Change.RETURN:  # the last cut was only a flash of light
            for waiting in reversed(self._frames):
                if waiting.change is not Change.NONE:
                    waiting.change = Change.NONE
                    break
            change = Change.NONE
        self._frames.append(_WaitingFrame(frame, frame.seconds, list(faces), change))

    def add_face(self, frames_back: int, face: Face) -> None:
        """Add a face, in pixels of its frame, to an earlier frame unless that went out already.

        Args:
            frames_back: How many frames before the newest.
            face: The face.
        """
        if frames_back < len(self):
            self._frames[-1 - frames_back].faces.append(face)

    def pop(self) -> tuple[F, tuple[Face, ...]]:
        """Return the first frame with its faces, as far as the waiting frames show them."""
        first = self._frames[self._gone]
        frame = first.frame
        assert frame is not None  # it has not gone out
        faces = tuple(first.faces)
        if len(self) > 1:
            faces = tuple(self._refined(self._gone, frame.size))
        if self._gone == self._parameters.kept_frames:
            self._frames.popleft()
        else:
            self._gone += 1
        first.frame = None  # only its faces and its time still matter
        return frame, faces

    def _refined(self, index: int, frame_size: tuple[int, int]) -> Iterator[Face]:
        seconds = np.array([waiting.seconds for waiting in self._frames])
        cuts = [i for i, waiting in enumerate(self._frames) if i and waiting.change is Change.CUT]
        scenes = Scenes(cuts, len(self._frames))
        builder, last = TracksBuilder(), {}
        for i, waiting in enumerate(self._frames):
            for face in waiting.faces:
                builder.add(i, face)
                last[face.track_id] = face
        for track in builder.tracks():
            smooth = smooth_track(
                _without_holds(track),
                seconds,
                scenes,
                self._margin_seconds,
                frame_size,
                self._parameters,
            )
            row = index - smooth.first
            if 0 <= row < len(smooth):
                yield replace(
                    last[track.track_id],
                    box=smooth.box(row),
                    score=float(smooth.scores[row]),
                    origin=ORIGINS[smooth.origins[row]],
                )


def _most_bytes(frame: Frame) -> int:
    """Return the bytes of a frame of four planes at full size; subsampled ones take less."""
    width, height = frame.size
    return width * height * 4 * (2 if frame.layout.bits > 8 else 1)


def _without_holds(track: Track) -> Track:
    """Return the track without held boxes between known ones: interpolation is more precise."""
    held = track.has(Origin.HELD)
    known = np.flatnonzero(~held)
    if not len(known):
        return track
    keep = ~held
    keep[: known[0]] = keep[known[-1] :] = True
    return track.rows(keep) or track
