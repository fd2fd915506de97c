"""A bright square that moves through dark frames, and a function that detects it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np

from tests.video_files import write_frames

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.frame import Image

SIZE = 320, 192
_SIDE_PX = 32


def bright_clip(path: Path, frames: int, top: int = 80, speed: int = 4) -> Path:
    """Write a clip in which a square of noise moves by this many pixels a frame."""
    square = np.random.default_rng(0).integers(150, 256, (_SIDE_PX, _SIDE_PX, 3), np.uint8)
    made = []
    for index in range(frames):
        image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        image[top : top + _SIDE_PX, 40 + speed * index :][:, :_SIDE_PX] = square
        made.append(av.VideoFrame.from_ndarray(image, "rgb24").reformat(format="yuv420p"))
    return write_frames(path, made)


def detect_bright(image: Image) -> list[tuple[Any, ...]]:
    """Return the box around all bright pixels, as (left, top, right, bottom)."""
    rows, columns = np.nonzero(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) > 100)
    if not rows.size:
        return []
    return [(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)]
