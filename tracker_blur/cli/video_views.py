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
    video: FileIdentity, size: tuple[int, int], wanted: Container[int]
) -> Iterator[tuple[int, Image]]:
    """Yield the wanted frames of a video with their numbers, as BGR of this size."""
    reader = ImageReader if is_image(video.path) else VideoReader
    with reader(video.path, identity=video) as frames:
        for number, frame in enumerate(frames):
            if number in wanted:
                yield number, frame.view(size)
