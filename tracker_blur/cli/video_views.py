"""Frames of the video that a track file belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.files.paths import is_image
from tracker_blur.images.reader import ImageReader
from tracker_blur.video.reader import VideoReader

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from tracker_blur.core.frame import Image
    from tracker_blur.files.identity import FileIdentity


def views(
    video: FileIdentity, size: tuple[int, int], wanted: Container[int], partial: bool
) -> Iterator[tuple[int, Image]]:
    """Yield the wanted frames of a video with their numbers, as BGR of this size.

    Args:
        video: the video.
        size: (width, height) in pixels.
        wanted: numbers of frames.
        partial: accept a truncated video, as when its tracks were made.
    """
    reader = ImageReader if is_image(video.path) else VideoReader
    with reader(video.path, partial=partial, identity=video) as frames:
        for number, frame in enumerate(frames):
            if number in wanted:
                yield number, frame.view(size)
