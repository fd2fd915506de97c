"""Makes training images worse: light, blur, noise, resolution, compression, things in front."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.training.augmentation import SMALLEST_PX, box_sides

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image
    from tracker_blur.training.augmentation import Boxes, Rng, Sample

_NOISE = np.random.default_rng(0).standard_normal((1024, 1024, 3)).astype(np.float32)
_OCCLUDED_FROM_PX = 16
# From the right, below, the left, above: books and hands come from below.
_OCCLUDED_FROM = 0.2, 0.45, 0.2, 0.15


def corrupt(sample: Sample, rng: Rng) -> Sample:
    """Return the sample as a worse camera, another light or a busier street would show it."""
    image = sample.image
    if rng.random() < 0.3:
        image = occlude(image, sample.boxes, rng)
    image = change_light(image, rng)
    if rng.random() < 0.12:
        image = blur(image, rng)
    if rng.random() < 0.25:
        image = _lower_resolution(image, sample.boxes, rng)
    if rng.random() < 0.2:
        image = add_noise(image, rng.uniform(2, 14), rng)
    if rng.random() < 0.25:
        image = compress(image, int(rng.integers(25, 85)))
    return replace(sample, image=image)


def occlude(image: Image, boxes: Boxes, rng: Rng) -> Image:
    """Hide up to six tenths of some objects behind a bar: a hand, a phone, a book, a shoulder.

    The bar has one color, or shows another part of the image that holds no object.
    """
    before = image.copy()
    for box, side in zip(boxes, box_sides(boxes).tolist(), strict=True):
        if side < _OCCLUDED_FROM_PX or rng.random() < 0.5:
            continue
        share = rng.uniform(0.15, 0.6)
        bar = [*box[:2], *box[2:]]
        edge = int(rng.choice(4, p=_OCCLUDED_FROM))
        span = box[2:][edge % 2] - box[:2][edge % 2]
        bar[edge] = bar[(edge + 2) % 4] + (1 if edge >= 2 else -1) * share * span
        low = np.clip(np.minimum(bar[:2], bar[2:]), 0, None)
        high = np.maximum(bar[:2], bar[2:])
        left, top, right, bottom = np.rint((*low, *high)).astype(int).tolist()
        hidden = image[top:bottom, left:right]
        rows, columns = hidden.shape[:2]
        y = int(rng.integers(image.shape[0] - rows + 1))
        x = int(rng.integers(image.shape[1] - columns + 1))
        if rng.random() < 0.5 or _touches_any(boxes, x, y, x + columns, y + rows):
            hidden[:] = rng.integers(0, 256, 3)
        else:
            hidden[:] = before[y : y + rows, x : x + columns]
    return image


def _touches_any(boxes: Boxes, left: int, top: int, right: int, bottom: int) -> bool:
    apart = (boxes[:, :2] >= (right, bottom)).any(1) | (boxes[:, 2:] <= (left, top)).any(1)
    return not bool(apart.all())


def change_light(image: Image, rng: Rng) -> Image:
    """Change brightness, contrast, gamma and the color of the light by one table per channel."""
    ramp = np.linspace(0, 1, 256)
    dark = rng.random() < 0.12
    gamma = rng.uniform(1.6, 3.0) if dark else np.exp(rng.normal(0, 0.22))
    gain = rng.uniform(0.35, 0.8) if dark else rng.uniform(0.75, 1.3)
    table = np.empty((256, 1, 3))
    for channel in range(3):
        tint = np.exp(rng.normal(0, 0.06))
        table[:, 0, channel] = gain * tint * ramp**gamma + rng.normal(0, 0.04)
    lit = cv2.LUT(image, np.clip(table * 255, 0, 255).astype(np.uint8))
    if dark:
        lit = add_noise(np.asarray(lit, np.uint8), rng.uniform(3, 12), rng)
    dice = rng.random()
    if dice < 0.3:
        saturation = 0.0 if dice < 0.06 else rng.uniform(0.2, 1.6)
        gray = cv2.cvtColor(cv2.cvtColor(lit, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        lit = cv2.addWeighted(lit, saturation, gray, 1 - saturation, 0)
    return np.asarray(lit, np.uint8)


def blur(image: Image, rng: Rng) -> Image:
    """Blur as out of focus, or as by a diagonal motion."""
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.5)), np.uint8)
    length = int(rng.integers(3, 8))
    kernel = np.zeros((length, length), np.float32)
    side = int(rng.integers(length))
    start, end = (side, 0), (length - 1 - side, length - 1)  # through the center: nothing moves
    if rng.random() < 0.5:
        start, end = start[::-1], end[::-1]
    cv2.line(kernel, start, end, 1.0)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def _lower_resolution(image: Image, boxes: Boxes, rng: Rng) -> Image:
    """Shrink and enlarge again, but no object to less than `SMALLEST_PX`."""
    least = SMALLEST_PX / float(box_sides(boxes).min(initial=np.inf))
    shrink = max(rng.uniform(0.4, 0.8), least)
    if shrink >= 1:
        return image
    rows, columns = image.shape[:2]
    small = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (columns, rows)), np.uint8)


def add_noise(image: Image, strength: float, rng: Rng) -> Image:
    """Add noise of this standard deviation, in gray levels."""
    rows, columns = image.shape[:2]
    # A window of one stored field of noise: new numbers would take longer than the network does.
    top, left = rng.integers(0, 1025 - rows), rng.integers(0, 1025 - columns)
    noise = _NOISE[top : top + rows, left : left + columns] * strength
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def compress(image: Image, quality: int) -> Image:
    """Return the image after JPEG of this quality, 0 to 100."""
    _, content = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)
