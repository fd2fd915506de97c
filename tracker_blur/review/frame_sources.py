"""Where the frames of a review come from: a video, an animation or a still image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from tracker_blur.files.paths import media_kind
from tracker_blur.images.frame import ImageFrame
from tracker_blur.images.reader import ImageReader
from tracker_blur.settings import MAX_MEGAPIXELS
from tracker_blur.video.frame import DecodedFrame
from tracker_blur.video.seeking import AbandonedError, VideoFrames

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tracker_blur.core.tracks import Tracks
    from tracker_blur.files.identity import FileIdentity

KeptFrame: TypeAlias = DecodedFrame | ImageFrame
FrameRun: TypeAlias = "Generator[KeptFrame, int | None, None]"
"""Frames one after the other; a number that is sent is the next one."""


class FrameSource(Protocol):
    """The frames of a video or an image, from any number on."""

    def prepare(self) -> None:
        """Do what makes later jumps quick."""
        ...

    def start_of(self, number: int) -> int:
        """Return from which frame on is decoded to get the one of this number."""
        ...

    def frames(self, first: int, is_wanted: Callable[[], bool]) -> FrameRun:
        """Yield the frame of this number and all that follow.

        Send a later number to get the frame of that number next.

        Raises:
            AbandonedError: `is_wanted` said no on the way to the first one, or to one that was
                sent.
            SourceError: they cannot be read, or the file has changed.
        """
        ...


class ImageFrames:
    """The only frame of an image, or the frames of an animation.

    Args:
        identity: the image, as it was when its tracks were made.
        partial: accept a truncated animation, as when its tracks were made.
        max_megapixels: as of `ImageReader`.
    """

    def __init__(
        self, identity: FileIdentity, *, partial: bool, max_megapixels: float = MAX_MEGAPIXELS
    ) -> None:
        self._identity = identity
        self._partial = partial
        self._max_megapixels = max_megapixels

    def prepare(self) -> None:
        """Nothing makes jumps quicker: each frame of an animation changes the previous one."""

    def start_of(self, number: int) -> int:
        """Return 0: animations are read from their start."""
        return min(number, 0)

    def frames(self, first: int, is_wanted: Callable[[], bool]) -> FrameRun:
        """Yield the frame of this number and all that follow; see `FrameSource`."""
        number = first
        with ImageReader(
            self._identity.path,
            partial=self._partial,
            identity=self._identity,
            max_megapixels=self._max_megapixels,
        ) as reader:
            for frame in reader:
                if frame.index >= number:
                    sent = yield frame
                    number = frame.index + 1 if sent is None else sent
                elif not is_wanted():
                    raise AbandonedError


def frame_source(identity: FileIdentity, tracks: Tracks, *, partial: bool) -> FrameSource:
    """Return the frames of the file that tracks were made for.

    Raises:
        SourceError: it cannot be read.
    """
    if media_kind(identity.path, identity.path) == "image":
        return ImageFrames(identity, partial=partial)
    return VideoFrames(identity, tracks.times, tracks.size, partial=partial)
