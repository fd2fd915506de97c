"""An image of yours over the face, such as a logo or an emoji.

The image, `settings.image`, stands upright and fills the area around the face; the sides that do
not fit are cropped. Under its transparent parts lies `settings.color`, never the face.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from tracker_blur.errors import SettingsError, reason_of
from tracker_blur.redaction import color

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.frame import Orientation, PixelLayout, Samples
    from tracker_blur.redaction.methods import Patch
    from tracker_blur.settings import Settings

CLASS = "destructive"

_LONGEST_PX = 1024  # few faces are larger, and every face costs time by the image's size


def make(settings: Settings, setting: str = "image") -> ImageOverlay:
    """Return the method.

    Args:
        settings: Its `image` and `color`.
        setting: The setting that the image is from, for the message.

    Raises:
        SettingsError: The image is missing or cannot be read, or the color is invalid.
    """
    if settings.image is None:
        raise SettingsError("image needs an image: give one with", setting="method", remedy="image")
    return ImageOverlay(_read(settings.image, color.parse(settings.color), setting))


class ImageOverlay:
    """Fills a patch with an image.

    Args:
        image: shape (height, width, 3), red, green, blue.
    """

    def __init__(self, image: npt.NDArray[np.uint8]) -> None:
        self._image = image
        self._stored = lru_cache(maxsize=2)(self._make_stored)
        self._scaled = lru_cache(maxsize=8)(self._make_scaled)

    def hide(self, patch: Patch) -> tuple[Samples, ...]:
        """Return the part of the image that lies on the patch."""
        left, top, right, bottom = patch.box.outward()
        planes = self._scaled(
            (right - left, bottom - top), patch.orientation, patch.layout, patch.steps
        )
        fills = []
        for plane, samples in zip(patch.planes, planes, strict=True):
            rows, columns = plane.samples.shape
            x, y = -left // plane.x_step, -top // plane.y_step
            fills.append(samples[y : y + rows, x : x + columns])
        return tuple(fills)

    def _make_stored(self, orientation: Orientation, layout: PixelLayout) -> tuple[Samples, ...]:
        """Return the image as a frame stores it, all planes at full size."""
        return color.to_planes(np.ascontiguousarray(orientation.stored(self._image)), layout)

    def _make_scaled(
        self,
        size: tuple[int, int],
        orientation: Orientation,
        layout: PixelLayout,
        steps: tuple[tuple[int, int], ...],
    ) -> tuple[Samples, ...]:
        """Return the image's planes, scaled to cover a size (width, height) in pixels."""
        width, height = size
        planes = self._stored(orientation, layout)
        rows, columns = planes[0].shape
        ratio = max(width / columns, height / rows)
        inner = max(1, round(width / ratio)), max(1, round(height / ratio))
        left, top = (columns - inner[0]) // 2, (rows - inner[1]) // 2
        interpolation = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
        return tuple(
            cv2.resize(
                plane[top : top + inner[1], left : left + inner[0]],
                (width // x_step, height // y_step),
                interpolation=interpolation,
            )
            for plane, (x_step, y_step) in zip(planes, steps, strict=True)
        )


def _read(file: Path, background: color.Color, setting: str) -> npt.NDArray[np.uint8]:
    try:
        with Image.open(file) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        is_unknown = isinstance(error, UnidentifiedImageError)
        reason = "not an image of a known format" if is_unknown else reason_of(error)
        is_missing = isinstance(error, FileNotFoundError)
        remedy = "check the name" if is_missing else "give a complete image, such as a PNG or JPEG"
        raise SettingsError(
            f"is {file}, which cannot be read ({reason}): {remedy}", setting=setting
        ) from error
    upright.thumbnail((_LONGEST_PX, _LONGEST_PX))
    flat = Image.alpha_composite(Image.new("RGBA", upright.size, (*background, 255)), upright)
    return np.asarray(flat.convert("RGB"))
