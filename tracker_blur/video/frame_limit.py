"""FrameLimit: how large a video's frames may be, so that a small file cannot fill the memory.

FFmpeg's own limit is 268 million pixels, of which a file of a few kilobytes may hold any number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracker_blur.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from av.video.codeccontext import VideoCodecContext

_MEGA = 1_000_000
# Decoder, queues and x264 take 190 bytes for each pixel of a frame, a still image some 20.
# Frames of 8K fit, and take 7 GB (docs/media.md).
_SHARE_OF_IMAGES = 1 / 8
_CODED_RATIO = 1.25  # decoders count whole blocks


@dataclass(frozen=True, slots=True)
class FrameLimit:
    """How many pixels a frame may have.

    Attributes:
        megapixels: The most of a still image, in millions; a frame may have an eighth of that.
    """

    megapixels: float

    @property
    def pixels(self) -> int:
        """The most pixels of a frame."""
        return int(self.megapixels * _MEGA * _SHARE_OF_IMAGES)

    def check(self, path: Path, size: tuple[int, int]) -> None:
        """Check a size that a file states or asks for; raises SourceError if it is too large."""
        width, height = size
        if width * height > self.pixels:
            raise SourceError(
                f"{path}: has frames of {width} x {height} pixels "
                f"({width * height / _MEGA:.3g} million), more than the limit of "
                f"{self.pixels / _MEGA:.3g} million: reduce it, or raise the limit with",
                remedy="max_megapixels",
            )

    def restrict(self, decoder: VideoCodecContext) -> None:
        """Have a decoder that is not open yet refuse larger frames, which may come later."""
        decoder.options = {**decoder.options, "max_pixels": str(int(_CODED_RATIO * self.pixels))}
