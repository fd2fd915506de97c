"""Counts faces that the border of a photo cuts off: with the mirror image beyond it, and without.

    python benchmarks/cut_off_faces.py [--detector auto] [--face DIR] [--split train] [--count 200]

Photos of ../shared/faces are cut through one of their faces of 40 pixels or more, so that 35, 50 or
65 % of its width or height is left, at a side drawn by chance. Such a face is found when 60 % of
what is left is in one box, less than six times as large. *False* are images without faces that have
a detection. Of whole photos, *labelled* faces are counted that a box has an IoU above 0.3 with, and
*unlabelled* places, which may be faces all the same.
"""

from __future__ import annotations

import argparse
import csv
import random
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.images.frame import ImageFrame
from tracker_blur.pipeline import Engine
from tracker_blur.settings import Settings
from tracker_blur.tracking.detector_bundle import ClassDetector
from tracker_blur.tracking.stills import detect_still

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracker_blur.core.frame import Image

FACES = Path(__file__).resolve().parents[2] / "shared" / "faces"
LABELLED = "kaggle", "ilc2021", "eden", "hard_faces"
EMPTY = "hard_negatives", "negatives"
SHARES, SIDES = (0.35, 0.5, 0.65), ("left", "right", "top", "bottom")
LEAST_PX, LEAST_IMAGE_PX = 40, 100


class Photo(NamedTuple):
    """An image, its labelled faces, and regions where a face may be."""

    image: Image
    faces: list[Box]
    ignored: list[Box]


class WithoutMirrorImage(ClassDetector):
    """Detects in still images as before there was a border detector."""

    @cached_property
    def border_detector(self) -> None:
        """There is none."""
        return None


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--detector", default="onnx")
    parser.add_argument("--face", type=Path, metavar="DIR", help="folder with weight files")
    parser.add_argument("--split", default="test", choices=["train", "test"])
    parser.add_argument("--count", type=int, default=200, metavar="N", help="photos to cut")
    options = parser.parse_args()
    settings = Settings(detector=options.detector, models_folder=options.face)
    usual = Engine(settings).bundle.detectors[0]
    before = WithoutMirrorImage(**{name: getattr(usual, name) for name in _fields(usual)})
    rng = random.Random(5)
    rows = [row for row in _rows() if row["split"] == options.split]
    rng.shuffle(rows)
    faces = [row for row in rows if row["style"] == "face" and row["boxes"]]
    cut = _cut(map(_photo, faces), options.count, rng)
    empty = [_photo(row) for row in rows if row["file"].startswith(EMPTY)][: 2 * options.count]
    whole = [_photo(row) for row in faces if row["file"].startswith(LABELLED)][: options.count]
    print("| mirror image | cut off, found | false | labelled | unlabelled |")
    print("|---|---:|---:|---:|---:|")
    for name, detector in (("without", before), ("with", usual)):
        found = sum(_is_found(left, _boxes(detector, image)) for image, left in cut)
        false = sum(bool(_boxes(detector, photo.image)) for photo in empty)
        labelled, unlabelled = _matches(detector, whole)
        total = sum(len(photo.faces) for photo in whole)
        print(
            f"| {name} | {found} of {len(cut)} | {false} of {len(empty)} "
            f"| {labelled} of {total} | {unlabelled} |",
            flush=True,
        )


def _fields(detector: ClassDetector) -> Iterable[str]:
    return detector.__dataclass_fields__


def _rows() -> list[dict[str, str]]:
    with (FACES / "labels.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _photo(row: dict[str, str]) -> Photo:
    image = cv2.imread(str(FACES / row["file"]))
    assert image is not None, row["file"]
    return Photo(np.asarray(image, np.uint8), _read(row["boxes"]), _read(row["ignore"]))


def _read(text: str) -> list[Box]:
    return [Box(*map(float, box.split())) for box in text.split(";")] if text else []


def _cut(photos: Iterable[Photo], count: int, rng: random.Random) -> list[tuple[Image, Box]]:
    """Return images cut through a face, and what is left of the face."""
    cut: list[tuple[Image, Box]] = []
    for image, faces, _ in photos:
        large = [face for face in faces if min(face.width, face.height) >= LEAST_PX]
        if not large:
            continue
        face, share, side = rng.choice(large), rng.choice(SHARES), rng.choice(SIDES)
        left, top, right, bottom = face.as_tuple()
        if side == "left":
            at = int(right - share * face.width)
            rest, part = image[:, at:], Box(0, top, right - at, bottom)
        elif side == "right":
            at = int(left + share * face.width)
            rest, part = image[:, :at], replace(face, right=at)
        elif side == "top":
            at = int(bottom - share * face.height)
            rest, part = image[at:], Box(left, 0, right, bottom - at)
        else:
            at = int(top + share * face.height)
            rest, part = image[:at], replace(face, bottom=at)
        if min(rest.shape[:2]) >= LEAST_IMAGE_PX:
            cut.append((np.ascontiguousarray(rest), part))
        if len(cut) == count:
            break
    return cut


def _boxes(detector: ClassDetector, image: Image) -> list[Box]:
    blue, green, red = (np.asarray(plane, np.uint8) for plane in cv2.split(image))
    frame = ImageFrame((red, green, blue), index=0, pts=0, time_base=Fraction(1))
    return [found.box for found in detect_still(detector, frame)]


def _is_found(left: Box, boxes: Sequence[Box]) -> bool:
    return any(
        box.intersection_area(left) >= 0.6 * left.area and box.area < 6 * left.area for box in boxes
    )


def _matches(detector: ClassDetector, photos: Iterable[Photo]) -> tuple[int, int]:
    labelled = unlabelled = 0
    for image, faces, ignored in photos:
        boxes = _boxes(detector, image)
        labelled += sum(any(box.iou(face) > 0.3 for box in boxes) for face in faces)
        unlabelled += sum(
            not any(
                box.iou(known) > 0.3 or box.intersection_area(known) > 0.5 * box.area
                for known in (*faces, *ignored)
            )
            for box in boxes
        )
    return labelled, unlabelled


if __name__ == "__main__":
    main()
