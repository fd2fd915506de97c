"""Contact sheets: what a training reads, as one image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.files.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tracker_blur.core.frame import Image
    from tracker_blur.training.augmentation import Boxes, Sample

_TILE_PX = 200
_TILES = (8, 5)
_OBJECT_BGR, _IGNORED_BGR = (0, 255, 0), (0, 0, 255)


def contact_sheet(samples: Sequence[Sample]) -> Image:
    """Return up to 40 samples, evenly spread, as one image: boxes green, ignored regions red."""
    columns, rows = _TILES
    count = min(len(samples), columns * rows)
    tiles = [_tile(samples[i * len(samples) // count]) for i in range(count)]
    blank = np.zeros((_TILE_PX, _TILE_PX, 3), np.uint8)
    tiles += [blank] * (-len(tiles) % columns)
    lines = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.asarray(np.vstack(lines), np.uint8)


def _tile(sample: Sample) -> Image:
    rows, columns = sample.image.shape[:2]
    scale = _TILE_PX / max(rows, columns)
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    tile = np.zeros((_TILE_PX, _TILE_PX, 3), np.uint8)
    tile[: size[1], : size[0]] = cv2.resize(sample.image, size, interpolation=cv2.INTER_AREA)
    _draw_boxes(tile, sample.ignored * scale, _IGNORED_BGR)
    _draw_boxes(tile, sample.boxes * scale, _OBJECT_BGR)
    return tile


def _draw_boxes(image: Image, boxes: Boxes, color: tuple[int, int, int]) -> None:
    for left, top, right, bottom in np.rint(boxes).astype(int).tolist():
        cv2.rectangle(image, (left, top), (right, bottom), color, 1)


def write_jpeg(image: Image, path: Path) -> None:
    """Write an image that shows faces, over one that exists, for its owner only.

    Raises:
        SinkError: that is not possible.
    """
    _, content = cv2.imencode(".jpg", image)
    with replacing(path, overwrite=True, is_private=True) as file:
        file.write_bytes(content.tobytes())
