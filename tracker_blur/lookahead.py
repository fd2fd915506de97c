"""One pass over a video: frames come out a few frames late, with what was found meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from tracker_blur.follow import Follower
from tracker_blur.frames import Frame, Image
from tracker_blur.glide import Glide
from tracker_blur.rewind import Rewind
from tracker_blur.tracks import Face


@dataclass(slots=True)
class _Pending:
    frame: Frame
    faces: list[Face] = field(default_factory=list)


def look_ahead(
    frames: Iterable[Frame],
    view: Callable[[Frame], Image],
    follower: Follower,
    rewind: Rewind | None,
    delay_frames: int,
) -> Iterator[tuple[Frame, tuple[Face, ...]]]:
    """Give each frame, in order, with its faces in pixels of the frame.

    view          reduces a frame to what is looked at
    follower      knows the faces of each frame as it comes
    rewind        finds where new faces were before; None: nobody does
    delay_frames  how many frames come in before the first goes out: a face is hidden in up to so
                  many frames before its first detection
    """
    pending: deque[_Pending] = deque()
    glide = Glide()
    for index, frame in enumerate(frames):
        image = view(frame)
        step = follower.step(image, frame.seconds)
        faces = glide.step(step.faces, frame.seconds)
        pending.append(_Pending(frame, [_full_size(face, image, frame) for face in faces]))
        if rewind is not None:
            oldest = index + 1 - len(pending)
            for _, before in rewind.step(index, image, step):
                for earlier, seen, face in before.faces:
                    if earlier >= oldest:
                        late = pending[earlier - oldest]
                        late.faces.append(_full_size(face, seen, late.frame))
        if len(pending) > delay_frames:
            first = pending.popleft()
            yield first.frame, tuple(first.faces)
    for left in pending:
        yield left.frame, tuple(left.faces)


def _full_size(face: Face, image: Image, frame: Frame) -> Face:
    height, width = image.shape[:2]
    return face.scaled(frame.size[0] / width, frame.size[1] / height)
