"""Brings annotated pictures into memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.training.datasets import Annotated
from tracker_blur.training.datasets.annotated import read_picture
from tracker_blur.training.scenes import Boxes, Scene

_LARGEST_PX = 640  # longer side in memory; canvases show less of a picture anyway


def scenes(pictures: Iterable[Annotated], classes: Sequence[str]) -> Iterator[Scene]:
    """Give the pictures with what is in them; other classes than these become ignored regions.

    Raises SourceError for a picture that cannot be read.
    """
    for picture in pictures:
        image = read_picture(picture.path)
        longest = max(image.shape[:2])
        scale = min(1.0, _LARGEST_PX / longest)
        if scale < 1:
            size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        taught = [(classes.index(name), box) for name, box in picture.things if name in classes]
        others = [box for name, box in picture.things if name not in classes]
        yield Scene(
            image,
            _array([box for _, box in taught], scale),
            np.array([label for label, _ in taught], np.int64),
            _array([*others, *picture.ignored], scale),
        )


def _array(boxes: Iterable[Box], scale: float) -> Boxes:
    rows = [box.as_tuple() for box in boxes]
    return np.array(rows, np.float32).reshape(-1, 4) * np.float32(scale)
