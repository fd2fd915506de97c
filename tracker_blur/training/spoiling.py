"""What cameras and codecs do to pictures: light, color, blur, noise, JPEG, things in the way."""

from __future__ import annotations

import cv2
import numpy as np

from tracker_blur.core.frame import Image
from tracker_blur.training.augmentation import Rng
from tracker_blur.training.scenes import SMALLEST_PX, Boxes, Scene, sides

_NOISE = np.random.default_rng(0).standard_normal((1024, 1024, 3)).astype(np.float32)
_COVERED_FROM_PX = 16
_COVERED_FROM = 0.2, 0.45, 0.2, 0.15  # right, below, left, above: books and hands come from below


def spoiled(scene: Scene, rng: Rng) -> Scene:
    """Return the scene as a worse camera, another light or a busier street would show it."""
    image = scene.image
    if rng.random() < 0.3:
        image = _covered(image, scene.boxes, rng)
    image = _lit(image, rng)
    if rng.random() < 0.12:
        image = _blurred(image, rng)
    if rng.random() < 0.25:
        image = _enlarged(image, scene.boxes, rng)
    if rng.random() < 0.2:
        image = _noisy(image, rng.uniform(2, 14), rng)
    if rng.random() < 0.25:
        image = _compressed(image, int(rng.integers(25, 85)))
    return Scene(image, scene.boxes, scene.labels, scene.ignored)


def _lit(image: Image, rng: Rng) -> Image:
    """Change brightness, contrast, gamma and the color of the light by one table a channel."""
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
        lit = _noisy(np.asarray(lit, np.uint8), rng.uniform(3, 12), rng)
    dice = rng.random()
    if dice < 0.3:  # 0: gray, 1: as it is, above: more colorful
        color = 0.0 if dice < 0.06 else rng.uniform(0.2, 1.6)
        gray = cv2.cvtColor(cv2.cvtColor(lit, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        lit = cv2.addWeighted(lit, color, gray, 1 - color, 0)
    return np.asarray(lit, np.uint8)


def _blurred(image: Image, rng: Rng) -> Image:
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.5)), np.uint8)
    length = int(rng.integers(3, 8))
    kernel = np.zeros((length, length), np.float32)
    side = int(rng.integers(length))
    start, end = (side, 0), (length - 1 - side, length - 1)  # through the middle: nothing moves
    if rng.random() < 0.5:
        start, end = start[::-1], end[::-1]
    cv2.line(kernel, start, end, 1.0)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def _enlarged(image: Image, boxes: Boxes, rng: Rng) -> Image:
    """Show it as a smaller picture that was enlarged; nothing is shrunk to less than is taught."""
    least = SMALLEST_PX / float(sides(boxes).min(initial=np.inf))
    shrink = max(rng.uniform(0.4, 0.8), least)
    if shrink >= 1:
        return image
    rows, columns = image.shape[:2]
    small = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (columns, rows)), np.uint8)


def _noisy(image: Image, strength: float, rng: Rng) -> Image:
    rows, columns = image.shape[:2]
    # A window of one stored field of noise: drawing it anew would cost more than the network.
    top, left = rng.integers(0, 1025 - rows), rng.integers(0, 1025 - columns)
    noise = _NOISE[top : top + rows, left : left + columns] * strength
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def _compressed(image: Image, quality: int) -> Image:
    _, content = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)


def _covered(image: Image, boxes: Boxes, rng: Rng) -> Image:
    """Hide up to six tenths of some things behind a bar: a hand, a phone, a book, a shoulder.

    The bar is of one color, or shows another part of the picture, without a thing in it.
    """
    before = image.copy()
    for box, side in zip(boxes, sides(boxes).tolist(), strict=True):
        if side < _COVERED_FROM_PX or rng.random() < 0.5:
            continue
        share = rng.uniform(0.15, 0.6)
        covered = [*box[:2], *box[2:]]
        edge = int(rng.choice(4, p=_COVERED_FROM))
        span = box[2:][edge % 2] - box[:2][edge % 2]
        covered[edge] = covered[(edge + 2) % 4] + (1 if edge >= 2 else -1) * share * span
        low = np.clip(np.minimum(covered[:2], covered[2:]), 0, None)
        high = np.maximum(covered[:2], covered[2:])
        left, top, right, bottom = np.rint((*low, *high)).astype(int).tolist()
        hidden = image[top:bottom, left:right]
        rows, columns = hidden.shape[:2]
        y = int(rng.integers(image.shape[0] - rows + 1))
        x = int(rng.integers(image.shape[1] - columns + 1))
        if rng.random() < 0.5 or _meets(boxes, x, y, x + columns, y + rows):
            hidden[:] = rng.integers(0, 256, 3)
        else:
            hidden[:] = before[y : y + rows, x : x + columns]
    return image


def _meets(boxes: Boxes, left: int, top: int, right: int, bottom: int) -> bool:
    apart = (boxes[:, :2] >= (right, bottom)).any(1) | (boxes[:, 2:] <= (left, top)).any(1)
    return not bool(apart.all())
