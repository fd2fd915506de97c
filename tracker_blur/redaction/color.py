"""Converts RGB colors and images to the samples of a frame's planes.

YUV follows ITU-R BT.601-7, BT.709-6 and BT.2020-2 (non-constant luminance): their luma weights and
quantization, with 219 and 224 steps in video range, and all values in full range.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from tracker_blur.core.frame import PixelLayout, Samples

Color = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

_LUMA_WEIGHTS = {  # of red and of blue
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
}


def parse(text: str) -> Color:
    """Return the color that "#rrggbb" names; raises SettingsError for any other text."""
    if not (isinstance(text, str) and re.fullmatch(r"#[0-9a-fA-F]{6}", text)):
        raise SettingsError(
            f"is '{text}': write it as #rrggbb, such as #000000 for black", setting="color"
        )
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


@lru_cache(maxsize=16)
def to_samples(color: Color, layout: PixelLayout) -> tuple[int, ...]:
    """Return a color as one sample value for each plane of a layout."""
    planes = to_planes(np.array([[color]], np.uint8), layout)
    return tuple(int(plane[0, 0]) for plane in planes)


def to_planes(image: npt.NDArray[np.uint8], layout: PixelLayout) -> tuple[Samples, ...]:
    """Return an image as the planes of a layout, all at full size.

    Args:
        image: shape (height, width, 3), red, green, blue.
        layout: what the samples mean.
    """
    dtype = np.uint8 if layout.bits == 8 else np.uint16
    values = _components(image.astype(np.float32) * np.float32(1 / 255), layout)
    return tuple(np.clip(np.rint(value), 0, layout.peak).astype(dtype) for value in values)


def from_samples(values: npt.NDArray[Any], layout: PixelLayout) -> Color:
    """Return the color of one sample value for each plane: the reverse of `to_samples`."""
    if layout.family == "rgb":
        red, green, blue = values / layout.peak
    else:
        unit = 1 << (layout.bits - 8)
        red = green = blue = (
            values[0] / layout.peak if layout.full_range else (values[0] / unit - 16) / 219
        )
        if layout.family == "yuv":
            of_red, of_blue = _LUMA_WEIGHTS[layout.matrix]
            excursion = layout.peak if layout.full_range else 224 * unit
            blue_difference, red_difference = (values[1:] - 128 * unit) / excursion
            luma = red
            red = luma + (2 - 2 * of_red) * red_difference
            blue = luma + (2 - 2 * of_blue) * blue_difference
            green = (luma - of_red * red - of_blue * blue) / (1 - of_red - of_blue)
    return _byte(red), _byte(green), _byte(blue)


def _byte(share: float) -> int:
    return round(255 * min(max(float(share), 0.0), 1.0))


def _components(rgb: npt.NDArray[np.float32], layout: PixelLayout) -> list[npt.NDArray[Any]]:
    """Return each component as floats on the scale of its samples."""
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    if layout.family == "rgb":
        return [value * layout.peak for value in (red, green, blue)]
    # Gray frames carry no matrix; BT.601's weights are the usual ones.
    of_red, of_blue = _LUMA_WEIGHTS["bt601" if layout.family == "gray" else layout.matrix]
    luma = of_red * red + (1 - of_red - of_blue) * green + of_blue * blue
    unit = 1 << (layout.bits - 8)
    scaled = luma * layout.peak if layout.full_range else (16 + 219 * luma) * unit
    if layout.family == "gray":
        return [scaled]
    excursion = layout.peak if layout.full_range else 224 * unit
    differences = (blue - luma) / (2 - 2 * of_blue), (red - luma) / (2 - 2 * of_red)
    return [scaled, *(128 * unit + excursion * value for value in differences)]
