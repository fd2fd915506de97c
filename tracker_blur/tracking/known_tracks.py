"""Tracks of a whole video, given to its frames as they are read again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from tracker_blur.core.frame import Frame
from tracker_blur.core.tracks import Face, Timeline, Tracks
from tracker_blur.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

F = TypeVar("F", bound=Frame)


def frames_with_faces(
    frames: Iterable[F], tracks: Tracks, name: str
) -> Iterator[tuple[F, tuple[Face, ...]]]:
    """Yield each frame of a video with the faces to hide in it, in pixels of the frame.

    Args:
        frames: The frames of the video.
        tracks: Its tracks.
        name: Its name, for messages.

    Raises:
        SourceError: number, times or size of the frames are not those of the tracks.
    """
    timeline = Timeline(tracks)
    shape = tracks.size, tracks.time_base
    count = 0
    for count, frame in enumerate(frames, 1):
        is_known = count <= tracks.frame_count and frame.pts == tracks.times[count - 1]
        if not is_known or (frame.size, frame.time_base) != shape:
            raise _other_video(name)
        yield frame, timeline.faces(count - 1)
    if count != tracks.frame_count:
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
