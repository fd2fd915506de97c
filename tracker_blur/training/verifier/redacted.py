"""Redacted objects: what is hidden is no object any more, whatever shape it had.

A verifier looks at redacted videos, too. There, mosaics and fogs have the places, the sizes and
often the colors of faces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.images.frame import ImageFrame
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import Settings, Tone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.frame import Image
    from tracker_blur.training.augmentation import Rng
    from tracker_blur.training.verifier.labels import Boxes

_METHODS = ("mosaic", "solid", "fog", "gaussian", "pixelated")
_MOSAIC_SHARE = 0.45  # the default is what most outputs show
_LEAST_PX = 4.0
_JITTER = 0.06  # of a box's sides: tracks never fit exactly


class SampleRedactor:
    """Hides objects in images as the program would, by a random method."""

    def __init__(self) -> None:
        settings = [Settings(method="mosaic", tone=tone) for tone in get_args(Tone)]
        self._mosaics = [FrameRedactor(one) for one in settings]
        self._others = [FrameRedactor(Settings(method=method)) for method in _METHODS[1:]]

    def redact(self, image: Image, boxes: Boxes, label: str, rng: Rng) -> Image | None:
        """Return a copy of the image with the boxes hidden; None if all are too small.

        Args:
            image: A BGR image.
            boxes: The objects, shape (n, 4).
            label: Their class.
            rng: Decides on method and placement.
        """
        rows, columns = image.shape[:2]
        sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
        moved = boxes + rng.normal(0, _JITTER, boxes.shape) * sides
        placed = [Box(*sides).clipped(columns, rows) for sides in moved.tolist()]
        faces = [
            Face(number, box, 1.0, Origin.DRAWN, label=label)
            for number, box in enumerate(placed)
            if min(box.width, box.height) > _LEAST_PX
        ]
        if not faces:
            return None
        candidates: Sequence[FrameRedactor] = (
            self._mosaics if rng.random() < _MOSAIC_SHARE else self._others
        )
        redactor = candidates[int(rng.integers(len(candidates)))]
        red_first = image[..., ::-1]
        frame = ImageFrame(
            channels=tuple(np.ascontiguousarray(red_first[..., i]) for i in range(3))
        )
        hidden = redactor.redact(frame, faces).frame
        return hidden.view(hidden.size)
