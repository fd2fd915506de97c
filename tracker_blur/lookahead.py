"""One pass over a video: frames come out a few frames late, with what was found meanwhile."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from tracker_blur.follow import Step
from tracker_blur.frames import Frame, Image
from tracker_blur.glide import Glide
from tracker_blur.rewind import Rewind
from tracker_blur.tracks import Face

F = TypeVar("F", bound=Frame)


class Stepping(Protocol):
    """What a `Follower` does."""

    def step(self, image: Image, seconds: float) -> Step:
        """Return the faces of the next frame."""
        ...


@dataclass(slots=True)
class _Pending(Generic[F]):
    frame: F
    faces: list[Face] = field(default_factory=list)


def look_ahead(
    frames: Iterable[F],
    view: Callable[[Frame], Image],
    follower: Stepping,
    rewind: Rewind | None,
    delay_frames: int,
    delay_seconds: float = math.inf,
) -> Iterator[tuple[F, tuple[Face, ...]]]:
    """Give each frame, in order, with its faces in pixels of the frame.

    view          reduces a frame to what is looked at
    follower      knows the faces of each frame as it comes
    rewind        finds where new faces were before; None: nobody does
    delay_frames  how many frames come in before the first goes out: a face is hidden in up to so
                  many frames before its first detection
    delay_seconds a frame goes out when one comes that is later by so much, however few they are
    """
    pending: deque[_Pending[F]] = deque()
    glide = Glide()
    for index, frame in enumerate(frames):
        image = view(frame)
        step = follower.step(image, frame.seconds)
        faces = glide.step([_full_size(face, image, frame) for face in step.faces], frame.seconds)
        pending.append(_Pending(frame, list(faces)))
        if rewind is not None:
            oldest = index + 1 - len(pending)
            for _, before in rewind.step(index, image, step):
                for earlier, seen, face in before.faces:
                    if earlier >= oldest:
                        late = pending[earlier - oldest]
                        late.faces.append(_full_size(face, seen, late.frame))
        while len(pending) > delay_frames or (
            frame.seconds - pending[0].frame.seconds >= delay_seconds
        ):
            first = pending.popleft()
            yield first.frame, tuple(first.faces)
            if not pending:
                break
    for left in pending:
        yield left.frame, tuple(left.faces)


def _full_size(face: Face, image: Image, frame: Frame) -> Face:
    height, width = image.shape[:2]
    return face.scaled(frame.size[0] / width, frame.size[1] / height)
