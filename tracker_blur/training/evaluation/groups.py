"""Groups of faces, by pose and skin tone: shows who is found less often than others.

Our pictures carry no such labels, so both are estimated from the pixels in a labelled box. Pose: by
the landmarks that YuNet sees in it, so that the faces YuNet cannot read are a group of their own;
its landmarks do not tell how far a head is tilted.
Skin tone: by the individual typology angle of Chardon, Cretois, Hourseau, "Skin colour typology and
suntanning pathways", 1991, with the limits of Del Bino, Bernerd, "Variations in skin colour and the
biological consequences of ultraviolet radiation exposure", 2013, six types taken as three. It was
made for skin under a known light: here colored light, shadow and make-up move faces between
groups. So a group's recall says where to look, not what a person of that group may expect.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Image
from tracker_blur.detectors._networks import buffer, read
from tracker_blur.detectors.yunet import WEIGHTS
from tracker_blur.training.datasets import Annotated
from tracker_blur.training.datasets.annotated import read_picture
from tracker_blur.training.evaluation.measure import Scores
from tracker_blur.weights.store import Weights

UNKNOWN = "not told"
POSES = ("frontal", "half turned", "profile", UNKNOWN)
TONES = ("light", "medium", "dark", UNKNOWN)

_FACE_PX = 96.0  # to which a face is enlarged for its landmarks
_AROUND = 0.6  # of the box, on each side
_LANDMARK_SCORE = 0.3
_SAME_FACE_IOU = 0.3
_TURNED, _PROFILE = 0.2, 0.5  # the nose's way from the middle of the eyes, in their distance
_SKIN = (0.25, 0.2, 0.75, 0.5)  # of a box: brow and eyes, where masks are not
_SMALLEST_PX = 20  # a shorter side with fewer pixels tells no color
_LIGHT_DEG, _DARK_DEG = 41.0, 10.0
_LEAST_YELLOW = 3.0  # Lab's b: less is a gray picture, or blue light


class Grouper:
    """Tells the groups of labelled faces; raises ModelError without YuNet's weights."""

    def __init__(self, weights: Weights) -> None:
        (name,) = weights.complete(WEIGHTS) or WEIGHTS[0]
        content = buffer(weights, name)
        self._yunet = read(
            name,
            lambda: cv2.FaceDetectorYN.create(
                "onnx", content, np.empty(0, np.uint8), (320, 320), _LANDMARK_SCORE
            ),
        )

    def pose(self, image: Image, box: Box) -> str:
        """Return which of POSES a face has."""
        scale = _FACE_PX / max(box.size, 1.0)
        left, top = box.left - _AROUND * box.width, box.top - _AROUND * box.height
        size = tuple(
            max(32, round(side * scale * (1 + 2 * _AROUND))) for side in (box.width, box.height)
        )
        matrix = np.array(((scale, 0, -left * scale), (0, scale, -top * scale)))
        crop = cv2.warpAffine(image, matrix, size)
        self._yunet.setInputSize((size[0], size[1]))
        rows = self._yunet.detect(crop)[1]
        wanted = box.moved(-left, -top).scaled(scale, scale)
        near = [
            row
            for row in (() if rows is None else np.asarray(rows, float))
            if Box.from_xywh(*row[:4].tolist()).iou(wanted) >= _SAME_FACE_IOU
        ]
        return _pose(max(near, key=lambda row: float(row[-1]))[4:10]) if near else UNKNOWN


def _pose(landmarks: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    """Return the pose that two eyes and a nose tell, x and y in turn."""
    right, left, nose = landmarks.reshape(3, 2)
    axis = left - right
    apart = float(np.hypot(*axis))
    if apart < 1e-6:
        return "profile"
    aside = abs(float((nose - (left + right) / 2) @ axis)) / apart**2
    if aside < _TURNED:
        return "frontal"
    return "half turned" if aside < _PROFILE else "profile"


def tone(image: Image, box: Box) -> str:
    """Return which of TONES a face's skin has, as this picture's light shows it."""
    height, width = image.shape[:2]
    low, high = _SKIN[:2], _SKIN[2:]
    skin = Box(
        box.left + low[0] * box.width,
        box.top + low[1] * box.height,
        box.left + high[0] * box.width,
        box.top + high[1] * box.height,
    ).clipped(width, height)
    left, top, right, bottom = skin.outward()
    if min(box.width, box.height) < _SMALLEST_PX or right <= left or bottom <= top:
        return UNKNOWN
    lab = cv2.cvtColor(image[top:bottom, left:right].astype(np.float32) / 255, cv2.COLOR_BGR2LAB)
    light, _, yellow = np.median(lab.reshape(-1, 3), axis=0).tolist()
    if yellow < _LEAST_YELLOW:
        return UNKNOWN
    angle = math.degrees(math.atan2(light - 50, yellow))
    if angle > _LIGHT_DEG:
        return "light"
    return "medium" if angle > _DARK_DEG else "dark"


Places = dict[tuple[int, tuple[float, ...]], tuple[str, str]]
"""Pose and tone of each thing, by the number of its picture and its box, rounded."""


def grouped(grouper: Grouper, pictures: Sequence[Annotated], label: str) -> Places:
    """Return the groups of all things of one class; raises SourceError."""
    found: Places = {}
    for number, picture in enumerate(pictures):
        boxes = [box for name, box in picture.things if name == label]
        image = read_picture(picture.path) if boxes else None
        for box in boxes:
            assert image is not None
            found[number, _rounded(box)] = grouper.pose(image, box), tone(image, box)
    return found


def _rounded(box: Box) -> tuple[float, ...]:
    return tuple(round(side, 1) for side in box.as_tuple())


@dataclass(frozen=True, slots=True)
class GroupRecall:
    """How many things of a group there are, and what share of them was found; nan for none."""

    name: str
    things: int
    recall: float


def recalls(reached: Scores, pictures: int, places: Places) -> Iterator[GroupRecall]:
    """Give the recall of each group at one false alarm a picture over all groups."""
    least = reached.alarms[pictures].score if len(reached.alarms) > pictures else 0.0
    for part, names in enumerate((POSES, TONES)):
        for name in names:
            hits = [
                thing.score > least
                for thing in (*reached.found, *reached.missed)
                if places[thing.picture, _rounded(thing.box)][part] == name
            ]
            yield GroupRecall(name, len(hits), sum(hits) / len(hits) if hits else math.nan)
