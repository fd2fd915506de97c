"""Measures in how many babies' heads detectors detect a face; no dataset with ages is at hand.

    python benchmarks/babies.py --faces ../shared/faces [--detectors onnx,yunet] [--limit 300]

The labels are whole heads, also from behind and from above, so no face detector can detect all
of them: the figures only compare detectors. A head counts as detected if the center of a detection,
scored at least with the detector's default confidence, lies in it.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from tracker_blur.core.box import Box
from tracker_blur.detectors import load_detector
from tracker_blur.training.datasets.dataset import read_image
from tracker_blur.weights.store import Weights

_STYLE = "head"


def main() -> None:
    """Print a line for each detector."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--faces", type=Path, required=True, metavar="DIR", help="folder with labels.csv"
    )
    parser.add_argument("--detectors", default="onnx,yunet", metavar="A,B")
    parser.add_argument("--face", type=Path, metavar="DIR", help="folder with weights")
    parser.add_argument("--limit", type=int, default=300, metavar="N", help="images at most")
    arguments = parser.parse_args()
    with (arguments.faces / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["style"] == _STYLE]
    rows = rows[:: max(1, len(rows) // arguments.limit)]
    heads = [_boxes(row["boxes"]) for row in rows]
    weights = Weights(arguments.face)
    for name in arguments.detectors.split(","):
        _, detector = load_detector(name, weights)
        detected = false_positives = 0
        for row, boxes in zip(rows, heads, strict=True):
            image = read_image(arguments.faces / row["file"])
            centers = [
                detection.box.center
                for detection in detector.detect(image, detector.default_confidence)
            ]
            detected += sum(any(_holds(box, center) for center in centers) for box in boxes)
            false_positives += sum(
                not any(_holds(box, center) for box in boxes) for center in centers
            )
        count = sum(map(len, heads))
        print(
            f"{name}: {detected / count:.3f} of {count} heads in {len(rows)} images; "
            f"{false_positives} detections elsewhere",
            flush=True,
        )


def _boxes(text: str) -> list[Box]:
    return [Box(*map(float, part.split())) for part in text.split(";") if part]


def _holds(box: Box, point: tuple[float, float]) -> bool:
    return box.left <= point[0] <= box.right and box.top <= point[1] <= box.bottom


if __name__ == "__main__":
    main()
