"""Recall, false alarms and time of every detector, on annotated images.

    python benchmarks/detectors.py --faces ../shared/faces --face ../shared/models --limit 300

The folder holds labels.csv with the columns file, split, boxes and ignore; boxes are
"x1 y1 x2 y2" in pixels, joined by ";". Faces under 12 px count neither as missed nor as false
alarms, and nothing in an ignored region counts. A box with an IoU of at least 0.35 detects a face.
Each detector runs at its default confidence. Images without a face count as "empty".

--split train --shares prints the share of detections that are faces, by score. The scores of the
cascades and of HOG were fitted to it, and it verifies them.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import random
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.core import plugins
from tracker_blur.core.box import Box, Detection
from tracker_blur.detectors import AUTO_ORDER, Detector, load_detector
from tracker_blur.errors import MissingPackageError, ModelError
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker_blur.core.frame import Image

DETECTED_IOU = 0.35
LOOSE_IOU = 0.2  # a box this close to a face is a bad or a second box, but not a false alarm
IGNORED_SHARE = 0.3
SMALLEST_PX = 12
SIZES_PX = ((12, 20), (20, 40), (40, 10_000))
SHARES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.01)
TIMED_PX, TIMED_IMAGES = 640, 15
ORIGINAL_LABELS = ("ilc2021_mask", "eden_mask", "kaggle_mask853", "wider_val200", "negatives")


@dataclass(frozen=True)
class AnnotatedImage:
    """An annotated image, with boxes in its pixels."""

    image: Image
    faces: list[Box]
    ignored: list[Box]


@dataclass
class Tally:
    """The results of one detector: faces by size, detections by score, times."""

    faces: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    detected: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    false_alarms: int = 0
    with_faces: int = 0
    false_on_empty: int = 0
    empty: int = 0
    outcomes: list[tuple[float, bool]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def recall(self, *sizes: tuple[int, int]) -> float:
        """Return the share of faces of these sizes that were detected."""
        return sum(self.detected[size] for size in sizes) / max(
            1, sum(self.faces[size] for size in sizes)
        )


def main() -> None:
    """Print a Markdown table of all detectors that can run here."""
    options = parse_arguments()
    images = list(read(options.faces, options.split, options.limit))
    weights = Weights(options.face)
    tallies: dict[str, tuple[Detector, Tally]] = {}
    for name in sorted(plugins.names("tracker_blur.detectors"), key=rank):
        try:
            _, detector = load_detector(name, weights)
        except (MissingPackageError, ModelError) as error:
            print(f"{name} is skipped: {error}\n")
            continue
        lowest = SHARES[0] if options.shares else detector.default_confidence
        tallies[name] = detector, measure(detector, lowest, images)
    print(f"OpenCV {cv2.__version__}, {cv2.getNumThreads()} threads, {len(images)} images\n")
    if options.shares:
        print_shares({name: tally for name, (_, tally) in tallies.items()})
    else:
        print_table(tallies)


def parse_arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--faces", type=Path, required=True, help="a folder with images and labels.csv"
    )
    parser.add_argument("--face", type=Path, help="a folder with weight files, searched first")
    parser.add_argument("--limit", type=int, default=300, help="use at most this many images")
    parser.add_argument("--split", choices=("test", "train"), default="test")
    parser.add_argument(
        "--shares", action="store_true", help="print the share of detections that are faces"
    )
    return parser.parse_args()


def rank(name: str) -> tuple[int, str]:
    """Return the sort key of a detector in the table: "auto" order first, then by name."""
    return (AUTO_ORDER.index(name) if name in AUTO_ORDER else len(AUTO_ORDER), name)


def read(folder: Path, split: str, limit: int) -> Iterator[AnnotatedImage]:
    """Yield a fixed random sample of the images that people labeled."""
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if row["split"] == split and row["file"].partition("/")[0] in ORIGINAL_LABELS
        ]
    random.Random(1).shuffle(rows)
    for row in rows[:limit]:
        image = cv2.imread(str(folder / row["file"]))
        if image is None:
            raise SystemExit(f"{folder / row['file']}: cannot read this image")
        pixels = np.asarray(image, np.uint8)
        yield AnnotatedImage(pixels, boxes(row["boxes"]), boxes(row["ignore"]))


def boxes(text: str) -> list[Box]:
    """Return the boxes in a cell of labels.csv."""
    return [Box(*map(float, part.split())) for part in text.split(";") if part]


def measure(detector: Detector, confidence: float, images: list[AnnotatedImage]) -> Tally:
    """Return the detector's results on all images."""
    tally = Tally()
    for annotated in images:
        add_outcomes(detector.detect(annotated.image, confidence), annotated, tally)
    for annotated in images[:TIMED_IMAGES]:
        ratio = TIMED_PX / max(annotated.image.shape[:2])
        image = np.asarray(cv2.resize(annotated.image, None, fx=ratio, fy=ratio), np.uint8)
        timed(detector, image, confidence)  # allocates buffers for this size
        tally.seconds.append(min(timed(detector, image, confidence) for _ in range(4)))
    return tally


def timed(detector: Detector, image: Image, confidence: float) -> float:
    """Return the seconds that one detection takes."""
    start = time.perf_counter()
    detector.detect(image, confidence)
    return time.perf_counter() - start


def add_outcomes(detections: list[Detection], annotated: AnnotatedImage, tally: Tally) -> None:
    """Match an image's detections with its faces, best-scored first, and add them to the tally."""
    unmatched = list(annotated.faces)
    for detection in sorted(detections, key=lambda detection: -detection.score):
        face = max(unmatched, key=detection.box.iou, default=None)
        if face is not None and face.iou(detection.box) >= DETECTED_IOU:
            unmatched.remove(face)
            tally.outcomes.append((detection.score, True))
        elif is_false_alarm(detection.box, annotated):
            tally.outcomes.append((detection.score, False))
            if annotated.faces:
                tally.false_alarms += 1
            else:
                tally.false_on_empty += 1
    for face in annotated.faces:
        size = next((s for s in SIZES_PX if s[0] <= min(face.width, face.height) < s[1]), None)
        if size is not None:
            tally.faces[size] += 1
            tally.detected[size] += face not in unmatched
    tally.with_faces += bool(annotated.faces)
    tally.empty += not annotated.faces


def is_false_alarm(box: Box, annotated: AnnotatedImage) -> bool:
    """Return whether a box without a face of its own is a false alarm."""
    return all(face.iou(box) < LOOSE_IOU for face in annotated.faces) and all(
        region.intersection_area(box) < IGNORED_SHARE * box.area for region in annotated.ignored
    )


def print_table(tallies: dict[str, tuple[Detector, Tally]]) -> None:
    """Print recall, false alarms and times."""
    columns = ["detector", "confidence", "recall"]
    columns += [f"{low}-{high} px" for low, high in SIZES_PX[:-1]] + [f"from {SIZES_PX[-1][0]} px"]
    columns += ["false alarms", "on an empty image", f"ms at {TIMED_PX} px"]
    print(f"| {' | '.join(columns)} |")
    print("|---" * len(columns) + "|")
    for name, (detector, tally) in tallies.items():
        shares = [tally.recall(*SIZES_PX), *(tally.recall(size) for size in SIZES_PX)]
        print(
            f"| {name} | {detector.default_confidence:g} | "
            f"{' | '.join(f'{share:.2f}' for share in shares)} | "
            f"{tally.false_alarms / max(1, tally.with_faces):.2f} | "
            f"{tally.false_on_empty / max(1, tally.empty):.2f} | "
            f"{1000 * statistics.median(tally.seconds):.0f} |"
        )


def print_shares(tallies: dict[str, Tally]) -> None:
    """Print the share of detections that are faces, by score."""
    steps = list(itertools.pairwise(SHARES))
    print("| detector | " + " | ".join(f"{low:g}-{min(1, high):g}" for low, high in steps) + " |")
    print("|---" * (len(steps) + 1) + "|")
    for name, tally in tallies.items():
        cells = []
        for low, high in steps:
            faces = [is_face for score, is_face in tally.outcomes if low <= score < high]
            cells.append(f"{statistics.mean(faces):.2f} ({len(faces)})" if faces else "-")
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
