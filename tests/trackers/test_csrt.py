"""CSRT on faces of few pixels, which it tracks without their gradients, and on larger ones."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.detectors.face_images import portrait
from tracker_blur.core.box import Box
from tracker_blur.trackers import csrt
from tracker_blur.weights.store import Weights

FACE = Box.from_xywh(176, 60, 96, 120)  # in the astronaut image, 512x512


def test_only_faces_of_some_pixels_have_gradients() -> None:
    for side, has_gradients in ((10, False), (23, False), (24, True), (200, True)):
        assert csrt._parameters(Box(0, 0, side, side)).use_hog == has_gradients


@pytest.mark.parametrize("width", [11.0, 16.0, 20.0, 24.0, 40.0])
def test_a_moving_face_of_any_size_is_tracked(width: float) -> None:
    scale = width / FACE.width
    image = portrait()
    tracker = csrt.load(Weights(None))()
    for step in range(13):
        dx, dy = 6.0 * step * scale, 3.0 * step * scale
        motion = np.array([[scale, 0, dx], [0, scale, dy]], np.float32)
        shifted = cv2.warpAffine(image, motion, (160, 160), borderMode=cv2.BORDER_REFLECT)
        view = np.asarray(shifted, np.uint8)
        face = FACE.scaled(scale, scale).moved(dx, dy)
        if step == 0:
            tracker.start(view, face)
            continue
        box = tracker.update(view)
        assert box is not None
        assert box.iou(face) > 0.5, step
