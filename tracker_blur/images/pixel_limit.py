"""PixelLimit: how large an image may be, so that a small file cannot fill the memory.

Pillow has a limit of its own for the whole process, which is too low for the cameras of phones.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEGA = 1_000_000
_ANIMATION_IMAGES = 10  # an animation takes time and space on the disk, but no more memory
_lock = threading.RLock()


class TooLargeError(ValueError):
    """An image, or all frames of an animation, have more pixels than allowed."""


@dataclass(frozen=True, slots=True)
class PixelLimit:
    """How many pixels an image may have.

    Attributes:
        megapixels: The most, in millions; all frames of an animation may have 10 times as many.
    """

    megapixels: float

    def check(self, size: tuple[int, int], count: int = 1) -> None:
        """Raise TooLargeError if an image, or this many frames of the size, exceed the limit."""
        width, height = size
        pixels = width * height
        if pixels > self.megapixels * _MEGA:
            raise TooLargeError(
                f"has {width} x {height} pixels ({pixels / _MEGA:.0f} million), more than the "
                f"limit of {self.megapixels:g} million"
            )
        if pixels * count > self.megapixels * _MEGA * _ANIMATION_IMAGES:
            raise TooLargeError(
                f"has {count} frames of {width} x {height} pixels "
                f"({pixels * count / _MEGA:.0f} million), more than the limit of "
                f"{self.megapixels * _ANIMATION_IMAGES:g} million"
            )

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """Turn off Pillow's own limit in the block, which is one for the whole process."""
        with _lock:
            before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                yield
            finally:
                Image.MAX_IMAGE_PIXELS = before
