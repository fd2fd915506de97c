"""Lets other detectors label what people left unlabelled: pseudo-labels.

Lee, "Pseudo-Label", ICML workshop 2013. Faces in the background of a picture whose labels name only
the ones in front would teach a network that they are no faces. What two looks agree on becomes a
label; what only one sees, a region without loss.

Remembers what teachers add to pictures: asking them again would take minutes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from tracker_blur.core.box import Box, Detection, suppress_overlaps
from tracker_blur.core.frame import Image
from tracker_blur.detectors import Detector, load_detector
from tracker_blur.errors import SettingsError, SourceError, reason_of
from tracker_blur.files.atomic import replacing
from tracker_blur.settings import DETECTOR_FILE_ENDING
from tracker_blur.training.datasets import Annotated
from tracker_blur.training.datasets.annotated import read_picture
from tracker_blur.weights.store import Weights

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


def taught(
    pictures: Sequence[Annotated], label: str, names: Sequence[str], weights: Weights, file: Path
) -> tuple[Annotated, ...]:
    """Return the pictures with what the detectors of these names add under this label.

    file   what they said before, and say now

    Raises SettingsError, ModelError and MissingPackageError as `load_detector` does, and what
    `remembered` raises.
    """
    teachers = [load_detector(name, weights)[1] for name in names]
    said = remembered(
        pictures, file, _identity(names, weights), lambda picture: added(picture, teachers)
    )
    return tuple(
        replace(
            picture,
            things=(*picture.things, *((label, box) for box in more.things)),
            ignored=(*picture.ignored, *more.ignored),
        )
        for picture, more in zip(pictures, said, strict=True)
    )


def remembered(
    pictures: Sequence[Annotated], file: Path, teachers: str, ask: Callable[[Annotated], Added]
) -> list[Added]:
    """Return what the teachers add to each picture; asks only for what the file does not hold.

    teachers   tells these from others. Like a picture that is another now, or is labelled
               otherwise, other teachers are asked anew, and what was said before is forgotten

    Raises SettingsError for a file that is none of ours, SourceError for a picture that cannot be
    read, SinkError when the file cannot be written, and what `ask` raises.
    """
    known = _read(file)
    said: dict[str, Added] = {}
    keys = [_key(picture, teachers) for picture in pictures]
    for key, picture in zip(keys, pictures, strict=True):
        said[key] = known[key] if key in known else ask(picture)
    if not said.keys() <= known.keys():
        _write(said, file)
    return [said[key] for key in keys]


def _identity(names: Sequence[str], weights: Weights) -> str:
    """Return what tells these teachers from others: names, and digests of their weights."""
    files = [Path(name).read_bytes() for name in names if name.endswith(DETECTOR_FILE_ENDING)]
    files += [weights.read(name) for name in sorted(weights.used)]
    return json.dumps([*names, *(hashlib.sha256(content).hexdigest() for content in files)])


def _key(picture: Annotated, teachers: str) -> str:
    try:
        content = picture.path.read_bytes()
    except OSError as error:
        raise SourceError(
            f"{picture.path}: cannot read this picture ({reason_of(error)})"
        ) from error
    labels = [(name, box.as_tuple()) for name, box in picture.things]
    ignored = [box.as_tuple() for box in picture.ignored]
    about = json.dumps([hashlib.sha256(content).hexdigest(), labels, ignored, teachers])
    return hashlib.sha256(about.encode()).hexdigest()


def _read(file: Path) -> dict[str, Added]:
    if not file.is_file():
        return {}
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))["added"]
        return {
            key: Added(
                *(tuple(Box(*sides) for sides in row[name]) for name in ("things", "ignored"))
            )
            for key, row in rows.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(
            f"{file}: damaged, or of another version: delete it, the teachers are asked again"
        ) from error


def _write(said: dict[str, Added], file: Path) -> None:
    rows = {
        key: {
            "things": [box.as_tuple() for box in more.things],
            "ignored": [box.as_tuple() for box in more.ignored],
        }
        for key, more in said.items()
    }
    with replacing(file, overwrite=True) as partial:
        partial.write_text(json.dumps({"added": rows}), encoding="utf-8")
