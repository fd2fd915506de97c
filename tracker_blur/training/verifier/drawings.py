"""Drawings that detectors take for objects: captions, time stamps, dials, wheels and lines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image
    from tracker_blur.training.augmentation import Rng

Color = tuple[int, int, int]

_FONTS = [getattr(cv2, name) for name in sorted(dir(cv2)) if name.startswith("FONT_HERSHEY")]
_SIGNS = list("ABCDEFGHKMNOPQRSTUabcdefghkmnopqrstu0123456789:/-.@&8O0")
_FLAT_SHARE = 0.3
_TEXT_SHARE, _DIAL_SHARE = 0.55, 0.3  # the others are lines and rectangles
_GRAY_SHARE = 0.6  # of colors: captions are mostly white, black or nearly so
_GRAYS = (0, 255, 230, 30)


def draw_distraction(crop: Image, rng: Rng) -> Image:
    """Draw something without an object into a crop, and return it."""
    color = _color(rng)
    if rng.random() < _FLAT_SHARE:
        _flatten(crop, rng)
    dice = rng.random()
    if dice < _TEXT_SHARE:
        _write_text(crop, color, rng)
    elif dice < _TEXT_SHARE + _DIAL_SHARE:
        _draw_dial(crop, color, rng)
    else:
        _draw_lines(crop, rng)
    return crop


def _color(rng: Rng) -> Color:
    if rng.random() < _GRAY_SHARE:
        gray = int(rng.choice(_GRAYS))
        return gray, gray, gray
    return _any_color(rng)


def _any_color(rng: Rng) -> Color:
    blue, green, red = rng.integers(0, 256, 3).tolist()
    return blue, green, red


def _flatten(crop: Image, rng: Rng) -> None:
    """Leave little or nothing of the background."""
    if rng.random() < 0.5:
        crop[:] = _any_color(rng)
    else:
        crop[:] = np.clip(crop.astype(int) // 4 + rng.integers(0, 180), 0, 255)


def _write_text(crop: Image, color: Color, rng: Rng) -> None:
    side = crop.shape[0]
    text = "".join(rng.choice(_SIGNS, int(rng.integers(1, 8))))
    font, scale = int(rng.choice(_FONTS)), rng.uniform(0.3, 2.2)
    thickness = int(rng.integers(1, 6))
    x, y = int(rng.uniform(-0.2, 0.4) * side), int(rng.uniform(0.4, 0.9) * side)
    if rng.random() < 0.5:  # an outline, or a shadow
        cv2.putText(crop, text, (x + 2, y + 2), font, scale, (0, 0, 0), thickness + 1, cv2.LINE_AA)
    cv2.putText(crop, text, (x, y), font, scale, color, thickness, cv2.LINE_AA)


def _draw_dial(crop: Image, color: Color, rng: Rng) -> None:
    """Draw a disk or a ring with marks or spokes."""
    side = crop.shape[0]
    x, y = (rng.uniform(0.35, 0.65, 2) * side).tolist()
    radius = rng.uniform(0.12, 0.4) * side
    axes = int(radius), int(radius * rng.uniform(0.7, 1.3))
    thickness = -1 if rng.random() < 0.5 else int(rng.integers(1, 5))
    center = int(x), int(y)
    cv2.ellipse(crop, center, axes, rng.uniform(0, 180), 0, 360, color, thickness, cv2.LINE_AA)
    second = _any_color(rng)
    for _ in range(int(rng.integers(0, 13))):
        angle, start = rng.uniform(0, 2 * math.pi), 0.0 if rng.random() < 0.5 else 0.8
        ends = [
            (int(x + share * radius * math.cos(angle)), int(y + share * radius * math.sin(angle)))
            for share in (start, 1.0)
        ]
        cv2.line(crop, ends[0], ends[1], second, int(rng.integers(1, 3)), cv2.LINE_AA)
    if rng.random() < 0.4:
        thickness = int(rng.choice((-1, 1, 2)))
        cv2.circle(
            crop, center, int(radius * rng.uniform(0.2, 0.7)), second, thickness, cv2.LINE_AA
        )


def _draw_lines(crop: Image, rng: Rng) -> None:
    for _ in range(int(rng.integers(1, 9))):
        left, top, right, bottom = rng.integers(0, crop.shape[0], 4).tolist()
        draw = cv2.rectangle if rng.random() < 0.5 else cv2.line
        draw(crop, (left, top), (right, bottom), _any_color(rng), int(rng.integers(1, 6)))
