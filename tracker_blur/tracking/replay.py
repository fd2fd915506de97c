"""The second pass over a video: each frame with the faces that are known from its tracks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from tracker_blur.core.frame import Frame
from tracker_blur.core.tracks import Face, Timeline, Tracks
from tracker_blur.errors import SourceError

F = TypeVar("F", bound=Frame)


def replay(frames: Iterable[F], tracks: Tracks, path: Path) -> Iterator[tuple[F, tuple[Face, ...]]]:
    """Give each frame of a video with the faces to hide in it, in pixels of the frame.

    path   of the video, for messages

    Raises SourceError when number, times or size of the frames are not those of the tracks.
    """
    timeline = Timeline(tracks)
    kind = tracks.size, tracks.time_base
    count = 0
    for count, frame in enumerate(frames, 1):
        is_known = count <= tracks.frame_count and frame.pts == tracks.times[count - 1]
        if not is_known or (frame.size, frame.time_base) != kind:
            raise SourceError(_OTHER_VIDEO.format(path))
        yield frame, timeline.faces(count - 1)
    if count != tracks.frame_count:
        raise SourceError(_OTHER_VIDEO.format(path))


_OTHER_VIDEO = (
    "{}: its frames are not those that were looked at: use its own tracks, and let nothing write "
    "to it meanwhile"
)
