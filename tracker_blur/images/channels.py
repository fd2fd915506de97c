"""The channels of Pillow's images, whatever their mode."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageCms

if TYPE_CHECKING:
    from tracker_blur.core.frame import Samples

FOREIGN_MODES = frozenset({"CMYK", "LAB"})
"""Modes whose colors become sRGB, so that a color profile of theirs is of no use."""

_BAND_ROWS = 512


class UnsupportedError(ValueError):
    """The file is complete, but its samples cannot be written as they were."""


def planes_of(image: Image.Image) -> list[Samples]:
    """Return the channels of an image of 8 bits: one or three colors, and alpha if there is one.

    It goes by bands, because a whole copy of a large image would take as much memory again.
    """
    width, height = image.size
    planes: list[Samples] = []
    for top in range(0, height, _BAND_ROWS):
        bottom = min(top + _BAND_ROWS, height)
        band = np.asarray(_common_mode(image.crop((0, top, width, bottom))))
        parts = [band] if band.ndim == 2 else [band[..., i] for i in range(band.shape[2])]
        planes = planes or [np.empty((height, width), np.uint8) for _ in parts]
        for plane, part in zip(planes, parts, strict=True):
            plane[top:bottom] = part
    return planes


def _common_mode(image: Image.Image) -> Image.Image:
    """Return an image of 8 bits in one of the modes L, LA, RGB and RGBA."""
    if image.mode in ("L", "LA", "RGB", "RGBA") and "transparency" not in image.info:
        return image
    if image.mode in ("1", "L"):
        return image.convert("LA" if "transparency" in image.info else "L")
    if image.mode in ("P", "PA", "RGB", "RGBX", "YCbCr"):
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode in FOREIGN_MODES:
        return _as_srgb(image)
    raise UnsupportedError(f"has pixels of a rare kind ({image.mode})")


def _as_srgb(image: Image.Image) -> Image.Image:
    """Return CMYK or Lab colors as sRGB, by the file's own profile where it has a valid one."""
    profile = image.info.get("icc_profile")
    if profile or image.mode == "LAB":
        try:
            source = (
                ImageCms.ImageCmsProfile(io.BytesIO(profile))
                if profile
                else ImageCms.createProfile("LAB")
            )
            converted = ImageCms.profileToProfile(
                image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            assert converted is not None  # it is only None where it works in place
            return converted
        except ImageCms.PyCMSError:
            if image.mode == "LAB":
                raise
    return image.convert("RGB")


def alpha_of_color(planes: list[Samples], color: int | tuple[int, ...]) -> Samples:
    """Return alpha of 16 bits that makes one color transparent; OpenCV ignores it in grays."""
    values = (color,) if isinstance(color, int) else color
    is_clear = np.logical_and.reduce(
        [plane == value for plane, value in zip(planes, values, strict=True)]
    )
    return np.where(is_clear, 0, np.iinfo(np.uint16).max).astype(np.uint16)
