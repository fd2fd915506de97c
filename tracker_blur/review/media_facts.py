"""What a page must know of a file before any frame of it is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from tracker_blur.files.paths import media_kind
from tracker_blur.video.opening import open_input, video_stream

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """Facts about a video or an image.

    Attributes:
        pixel_aspect: width of a pixel over its height, upright.
        has_audio: whether it can be heard.
    """

    pixel_aspect: Fraction
    has_audio: bool

    @classmethod
    def of(cls, path: Path, size: tuple[int, int]) -> MediaFacts:
        """Return the facts about a file.

        Args:
            path: the file.
            size: (width, height) in pixels of its upright frames.

        Raises:
            SourceError: it cannot be read.
        """
        if media_kind(path, path) == "image":
            return cls(Fraction(1), has_audio=False)
        with open_input(path) as container:
            stream = video_stream(container, path)
            context = stream.codec_context
            aspect = stream.sample_aspect_ratio or Fraction(1)
            stands = (context.width, context.height) == size or context.width == context.height
            return cls(aspect if stands else 1 / aspect, bool(container.streams.audio))
