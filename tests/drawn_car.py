"""A drawn car with a license plate that our own network detects, and a real face next to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from tests.detectors.face_images import FACE, portrait
from tracker_blur.core.box import Box

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image

SIZE = (640, 360)
PLATE = Box(270, 210, 370, 234)
_FACE_PX = 60


def street(shift: int = 0) -> tuple[Image, Box, Box]:
    """Return the image, the box of the face and that of the plate; the car is moved sideways."""
    width, height = SIZE
    noise = np.random.default_rng(1).integers(100, 180, (height, width, 3), np.uint8)
    image = cv2.GaussianBlur(noise, (0, 0), 6)
    image[220:] = (70, 70, 75)
    dx = shift
    cv2.rectangle(image, (180 + dx, 110), (460 + dx, 270), (120, 40, 30), -1)
    cv2.rectangle(image, (215 + dx, 70), (425 + dx, 130), (60, 50, 45), -1)
    cv2.rectangle(image, (180 + dx, 240), (460 + dx, 270), (40, 40, 40), -1)
    for x in (225, 415):
        cv2.circle(image, (x + dx, 275), 28, (20, 20, 20), -1)
    plate = PLATE.moved(dx, 0)
    left, top, right, bottom = plate.outward()
    cv2.rectangle(image, (left, top), (right, bottom), (235, 235, 235), -1)
    cv2.rectangle(image, (left, top), (right, bottom), (20, 20, 20), 1)
    font = cv2.FONT_HERSHEY_DUPLEX
    cv2.putText(image, "TB 4821", (left + 6, bottom - 6), font, 0.67, (20, 20, 20), 1, cv2.LINE_AA)
    image = cv2.GaussianBlur(image, (0, 0), 0.7)
    scale = _FACE_PX / FACE.width
    person = cv2.resize(portrait(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    around = FACE.scaled(scale, scale).padded(0.5).outward()
    head = person[max(0, around[1]) : around[3], max(0, around[0]) : around[2]]
    image[20 : 20 + head.shape[0], 20 : 20 + head.shape[1]] = head
    corner = 20 - max(0, around[0]), 20 - max(0, around[1])
    return np.asarray(image, np.uint8), FACE.scaled(scale, scale).moved(*corner), plate
