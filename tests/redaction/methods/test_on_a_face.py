"""A face recognizer no longer recognizes a real face after any method hid it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from skimage import data

from tests.fakes import ArrayFrame
from tracker_blur.core.box import Box
from tracker_blur.core.frame import PixelLayout, Plane
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

FACE = Box.from_xywh(178, 63, 90, 113)  # in scikit-image's astronaut, as YuNet detects it


def features(network: Any, rgb: npt.NDArray[np.uint8], box: Box) -> npt.NDArray[np.float32]:
    side = 1.19 * box.size
    left, top, right, bottom = Box.around(
        (box.center[0], box.top + 0.42 * box.height), side, side
    ).outward()
    crop = cv2.resize(rgb[top:bottom, left:right], (112, 112), interpolation=cv2.INTER_AREA)
    network.setInput(cv2.dnn.blobFromImage(crop, 1 / 128, (112, 112), (127.5, 127.5, 127.5)))
    values = network.forward().ravel()
    unit: npt.NDArray[np.float32] = values / np.linalg.norm(values)
    return unit


@pytest.mark.shared
@pytest.mark.parametrize(
    "options",
    [
        {"method": "gaussian"},
        {"method": "pixelated", "blocks": 5},
        {"method": "fog"},
        {"method": "mosaic"},
        {"method": "solid"},
    ],
    ids=lambda options: str(options["method"]),
)
def test_the_hidden_face_is_not_recognized(shared: Path, options: dict[str, Any]) -> None:
    network = cv2.dnn.readNetFromONNX(str(shared / "models" / "mobilefacenet.onnx"))
    rgb = data.astronaut()
    clear = features(network, rgb, FACE)
    moved = features(network, rgb, FACE.moved(3, -4))
    assert clear @ moved > 0.7  # recognized from its box alone

    frame = ArrayFrame([Plane(rgb[..., channel]) for channel in range(3)], PixelLayout("rgb"))
    FrameRedactor(Settings(**options)).redact(frame, [Face(1, FACE, 1.0, Origin.DETECTED)])
    assert clear @ features(network, rgb, FACE) < 0.3
