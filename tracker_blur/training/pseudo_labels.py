"""Lets other detectors label what people left unlabelled: pseudo-labels.

Lee, "Pseudo-Label", ICML workshop 2013. Faces in the background of a picture whose labels name only
the ones in front would teach a network that they are no faces. What two looks agree on becomes a
label; what only one sees, a region without loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from tracker_blur.core.box import Box, Detection, suppress_overlaps
from tracker_blur.core.frame import Image
from tracker_blur.detectors import Detector
from tracker_blur.training.datasets import Annotated
from tracker_blur.training.datasets.annotated import read_picture

SCALES = (1.0, 2.0)
"""Each teacher looks at a picture at each of these."""

_LOWEST = 0.2
_SAME_IOU = 0.45
_LABELLED_IOU = 0.25
_WITHIN = 0.6  # of a find's or a label's area: a second box of a labelled face, not another face
_BOTH = 1.05  # two teachers' scores together
_EACH = 0.35
_ALONE = 0.75  # one teacher, at both scales
_UNSURE = 0.5


@dataclass(frozen=True, slots=True)
class Added:
    """What teachers add to a picture's labels: boxes of things, and regions without loss."""

    things: tuple[Box, ...]
    ignored: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class _Look:
    teacher: int
    finds: list[Detection]

    def score(self, box: Box) -> float:
        """Return the score of this look's best find at the same place; 0 for none."""
        near = (find.score for find in self.finds if find.box.iou(box) > _SAME_IOU)
        return max(near, default=0.0)


def added(picture: Annotated, teachers: Sequence[Detector]) -> Added:
    """Return what the teachers add to a picture; raises SourceError if it cannot be read."""
    image = read_picture(picture.path)
    looks = [
        _Look(number, _finds(teacher, image, scale))
        for number, teacher in enumerate(teachers)
        for scale in SCALES
    ]
    things: list[Box] = []
    ignored: list[Box] = []
    named = [box for _, box in picture.things]
    every = suppress_overlaps((find for look in looks for find in look.finds), _SAME_IOU)
    for find in every:
        box = find.box.clipped(*picture.size)
        if box.is_empty or any(box.iou(known) > _LABELLED_IOU for known in named):
            continue
        if any(_part(box, known) > _WITHIN or _part(known, box) > _WITHIN for known in named):
            continue
        if _is_sure(looks, len(teachers), find.box):
            things.append(box)
        elif find.score > _UNSURE:
            ignored.append(box)
    return Added(tuple(things), tuple(ignored))


def _finds(teacher: Detector, image: Image, scale: float) -> list[Detection]:
    rows, columns = image.shape[:2]
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    found = teacher.detect(np.asarray(cv2.resize(image, size), np.uint8), _LOWEST)
    return [Detection(f.box.scaled(columns / size[0], rows / size[1]), f.score) for f in found]


def _part(box: Box, other: Box) -> float:
    return box.intersection_area(other) / box.area


def _is_sure(looks: Sequence[_Look], teachers: int, box: Box) -> bool:
    by_teacher = [
        [look.score(box) for look in looks if look.teacher == number] for number in range(teachers)
    ]
    if any(min(one) > _ALONE for one in by_teacher):
        return True
    best = sorted((max(one) for one in by_teacher), reverse=True)[:2]
    return len(best) == 2 and min(best) > _EACH and sum(best) > _BOTH
