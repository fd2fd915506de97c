"""Tracks of a whole video, given to its frames as they are read again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from tracker_blur.core.frame import Frame
from tracker_blur.core.timeline import Timeline
from tracker_blur.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracker_blur.core.tracks import Face, Tracks

F = TypeVar("F", bound=Frame)


def frames_with_faces(
    frames: Iterable[F], pieces: Iterable[Tracks], name: str
) -> Iterator[tuple[F, tuple[Face, ...]]]:
    """Yield each frame of a video with the faces to hide in it, in pixels of the frame.

    Args:
        frames: The frames of the video.
        pieces: The tracks of its pieces, in order. The whole video may be one; with zones and
            limits it must be, because they count times from its first frame.
        name: Its name, for messages.

    Raises:
        SourceError: number, times or size of the frames are not those of the tracks.
    """
    remaining = iter(frames)
    for number, piece in enumerate(pieces):
        if number and piece.rules.concerns_frames:
            raise ValueError("zones and limits need the tracks of the whole video at once")
        timeline = Timeline(piece)
        shape = piece.size, piece.time_base
        for index, pts in enumerate(piece.times.tolist()):
            frame = next(remaining, None)
            if frame is None or frame.pts != pts or (frame.size, frame.time_base) != shape:
                raise _other_video(name)
            yield frame, timeline.faces(index)
    if next(remaining, None) is not None:
        raise _other_video(name)


def with_times_of(frames: Iterable[Frame], tracks: Tracks) -> Tracks:
    """Return the tracks with the times that another reader of the same video gives its frames.

    Args:
        frames: All frames of the video. If their number is another, the tracks stay as they are.
        tracks: The tracks.
    """
    times = [(frame.pts, frame.time_base) for frame in frames]
    if not times or len(times) != tracks.frame_count:
        return tracks
    return replace(
        tracks, times=np.array([pts for pts, _ in times], np.int64), time_base=times[0][1]
    )


def _other_video(name: str) -> SourceError:
    return SourceError(
        f"{name}: its frames are not those of the tracks: use the tracks of this video, and do not "
        "change it during the run"
    )
