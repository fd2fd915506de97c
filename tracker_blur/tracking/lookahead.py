"""One pass over a video: frames come out a few frames late, with what was found meanwhile."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from tracker_blur.core.frame import Frame, Image
from tracker_blur.core.tracks import Face
from tracker_blur.tracking.backtracking import Rewound
from tracker_blur.tracking.glide import Glide
from tracker_blur.tracking.online import Step
from tracker_blur.tracking.sliding import Window

F = TypeVar("F", bound=Frame)


class Stepping(Protocol):
    """What a `Follower` does."""

    def step(self, image: Image, seconds: float) -> Step:
        """Return the faces of the next frame."""
        ...


class Rewinding(Protocol):
    """What a `Rewind` does."""

    def step(self, index: int, image: Image, step: Step) -> Iterator[tuple[Face, Rewound]]:
        """Give each face that is new in this frame with where it was before."""
        ...


def look_ahead(
    frames: Iterable[F],
    view: Callable[[Frame], Image],
    follower: Stepping,
    rewind: Rewinding | None,
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
    window: Window[F] = Window(margin_seconds)
    glide = Glide()
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
