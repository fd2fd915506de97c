"""Recall by pose and skin tone: shows which groups of faces a detector misses more often.

Our images carry no such labels, so both are estimated from the pixels in a labeled box.

Pose comes from the landmarks that YuNet detects there. Faces whose landmarks it cannot find form a
group of their own. Landmarks do not show how far a head is tilted.

Skin tone is the individual typology angle of Chardon, Cretois, Hourseau, "Skin colour typology and
suntanning pathways", 1991, with the limits of Del Bino, Bernerd, "Variations in skin colour and the
biological consequences of ultraviolet radiation exposure", 2013, six types merged into three. It is
defined for skin under a known light. Here colored light, shadow and make-up move faces between
groups. So a group's recall shows where to investigate, not what a person of that group may expect.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.detectors._networks import parse_network, read_buffer
from tracker_blur.detectors.yunet import WEIGHTS
from tracker_blur.training.datasets.dataset import read_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracker_blur.core.frame import Image
    from tracker_blur.training.datasets import AnnotatedImage
    from tracker_blur.training.evaluation.measure import Scores
    from tracker_blur.weights.store import Weights

UNKNOWN = "unknown"
POSES = ("frontal", "half turned", "profile", UNKNOWN)
TONES = ("light", "medium", "dark", UNKNOWN)

_FACE_PX = 96.0  # the size to which a face is scaled for its landmarks
_MARGIN = 0.6  # of the box, on each side
_LANDMARK_SCORE = 0.3
_SAME_FACE_IOU = 0.3
_TURNED, _PROFILE = 0.2, 0.5  # offset of the nose from the middle of the eyes, in eye distances
_SKIN = (0.25, 0.2, 0.75, 0.5)  # part of a box: brow and eyes, which masks leave free
_SMALLEST_PX = 20  # smaller faces have too few pixels for a color
_LIGHT_DEG, _DARK_DEG = 41.0, 10.0
_LEAST_YELLOW = 3.0  # Lab's b; below it the image is gray, or the light blue


class Grouper:
    """Estimates the groups of labeled faces."""

    def __init__(self, weights: Weights) -> None:
        """Load YuNet; raises ModelError without its weights."""
        (name,) = weights.complete(WEIGHTS) or WEIGHTS[0]
        content = read_buffer(weights, name)
        self._yunet = parse_network(
            name,
            lambda: cv2.FaceDetectorYN.create(
                "onnx", content, np.empty(0, np.uint8), (320, 320), _LANDMARK_SCORE
            ),
        )

    def pose(self, image: Image, box: Box) -> str:
        """Return which of POSES a face has."""
        scale = _FACE_PX / max(box.size, 1.0)
        left, top = box.left - _MARGIN * box.width, box.top - _MARGIN * box.height
        size = tuple(
            max(32, round(side * scale * (1 + 2 * _MARGIN))) for side in (box.width, box.height)
        )
        matrix = np.array(((scale, 0, -left * scale), (0, scale, -top * scale)))
        crop = cv2.warpAffine(image, matrix, size)
        self._yunet.setInputSize((size[0], size[1]))
        rows = self._yunet.detect(crop)[1]
        labeled = box.moved(-left, -top).scaled(scale, scale)
        matching = [
            row
            for row in (() if rows is None else np.asarray(rows, float))
            if Box.from_xywh(*row[:4].tolist()).iou(labeled) >= _SAME_FACE_IOU
        ]
        if not matching:
            return UNKNOWN
        return _pose(max(matching, key=lambda row: float(row[-1]))[4:10])


def _pose(landmarks: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    """Return the pose from the x and y of right eye, left eye and nose."""
    right, left, nose = landmarks.reshape(3, 2)
    axis = left - right
    eye_distance = float(np.hypot(*axis))
    if eye_distance < 1e-6:
        return "profile"
    offset = abs(float((nose - (left + right) / 2) @ axis)) / eye_distance**2
    if offset < _TURNED:
        return "frontal"
    return "half turned" if offset < _PROFILE else "profile"


def tone(image: Image, box: Box) -> str:
    """Return which of TONES a face's skin has in this image's light."""
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
    lightness, _, yellow = np.median(lab.reshape(-1, 3), axis=0).tolist()
    if yellow < _LEAST_YELLOW:
        return UNKNOWN
    angle_deg = math.degrees(math.atan2(lightness - 50, yellow))
    if angle_deg > _LIGHT_DEG:
        return "light"
    return "medium" if angle_deg > _DARK_DEG else "dark"


Groups = dict[tuple[int, tuple[float, ...]], tuple[str, str]]
"""Pose and skin tone of each object, by the index of its image and its rounded box."""


def group_objects(grouper: Grouper, images: Sequence[AnnotatedImage], label: str) -> Groups:
    """Return the groups of all objects of one class; raises SourceError."""
    groups: Groups = {}
    for index, annotated in enumerate(images):
        boxes = [box for name, box in annotated.objects if name == label]
        image = read_image(annotated.path) if boxes else None
        for box in boxes:
            assert image is not None
            groups[index, _rounded(box)] = grouper.pose(image, box), tone(image, box)
    return groups


def _rounded(box: Box) -> tuple[float, ...]:
    return tuple(round(side, 1) for side in box.as_tuple())


@dataclass(frozen=True, slots=True)
class GroupRecall:
    """The size of a group, and the share of it that was detected; nan for an empty group."""

    name: str
    object_count: int
    recall: float


def recall_by_group(scores: Scores, image_count: int, groups: Groups) -> Iterator[GroupRecall]:
    """Yield the recall of each group at the score that gives one false alarm per image overall."""
    alarms = scores.false_alarms
    threshold = alarms[image_count].score if len(alarms) > image_count else 0.0
    for part, names in enumerate((POSES, TONES)):
        for name in names:
            hits = [
                outcome.score > threshold
                for outcome in (*scores.detected, *scores.missed)
                if groups[outcome.image_index, _rounded(outcome.box)][part] == name
            ]
            yield GroupRecall(name, len(hits), sum(hits) / len(hits) if hits else math.nan)
