"""A picture of yours over the face, such as a logo or an emoji.

The picture, `settings.image`, stands upright and covers the area around the face, cut at the sides
that do not fit. Where it is transparent, `settings.color` lies under it, never the face.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Picture
from PIL import ImageOps

from tracker_blur.core.frame import Orientation, PixelLayout, Samples
from tracker_blur.errors import SettingsError
from tracker_blur.redaction import color
from tracker_blur.redaction.methods import Patch
from tracker_blur.settings import Settings

_LONGEST_PX = 1024
"""Longest side to which a picture is kept: few faces are larger, and each costs by it."""


def make(settings: Settings) -> ImageOverlay:
    """Return the method; raises SettingsError for an unreadable picture or a wrong color."""
    if settings.image is None:
        raise SettingsError("`method` 'image' needs a picture: name one with `image`")
    return ImageOverlay(_read(settings.image, color.parse(settings.color)))


class ImageOverlay:
    """Fills with a picture.

    picture  shape (height, width, 3), red, green, blue
    """

    def __init__(self, picture: npt.NDArray[np.uint8]) -> None:
        self._picture = picture
        self._stored = lru_cache(maxsize=2)(self._make_stored)
        self._scaled = lru_cache(maxsize=8)(self._make_scaled)

    def hide(self, patch: Patch) -> tuple[Samples, ...]:
        """Return the part of the picture that lies on the patch."""
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
        """Return the picture as it is stored in a frame, all planes at full size."""
        return color.from_rgb(np.ascontiguousarray(orientation.stored(self._picture)), layout)

    def _make_scaled(
        self,
        size: tuple[int, int],
        orientation: Orientation,
        layout: PixelLayout,
        steps: tuple[tuple[int, int], ...],
    ) -> tuple[Samples, ...]:
        """Return the picture's planes so that they cover a size (width, height), in pixels."""
        width, height = size
        planes = self._stored(orientation, layout)
        rows, columns = planes[0].shape
        ratio = max(width / columns, height / rows)
        inner = max(1, round(width / ratio)), max(1, round(height / ratio))
        left, top = (columns - inner[0]) // 2, (rows - inner[1]) // 2
        how = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
        return tuple(
            cv2.resize(
                plane[top : top + inner[1], left : left + inner[0]],
                (width // x_step, height // y_step),
                interpolation=how,
            )
            for plane, (x_step, y_step) in zip(planes, steps, strict=True)
        )


def _read(file: Path, under: color.Color) -> npt.NDArray[np.uint8]:
    try:
        with Picture.open(file) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGBA")
    except (OSError, ValueError, SyntaxError, Picture.DecompressionBombError) as error:
        raise SettingsError(
            f"the picture {file} to put over faces cannot be read ({error}): "
            "name a whole picture, such as a PNG or JPEG"
        ) from error
    upright.thumbnail((_LONGEST_PX, _LONGEST_PX))
    flat = Picture.alpha_composite(Picture.new("RGBA", upright.size, (*under, 255)), upright)
    return np.asarray(flat.convert("RGB"))
