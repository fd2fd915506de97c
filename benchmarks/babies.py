"""How many babies' heads detectors see a face in: a stand-in for age, of which there are no labels.

    python benchmarks/babies.py --faces ../shared/faces [--detectors onnx,yunet] [--limit 300]

The pictures' labels are whole heads, also from behind and from above, so no detector of faces can
find all of them, and only detectors can be compared. A head counts as found if a find of a score of
at least the detector's own confidence has its center in it.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from tracker_blur.core.box import Box
from tracker_blur.detectors import load_detector
from tracker_blur.training.datasets.annotated import read_picture
from tracker_blur.weights.store import Weights

_STYLE = "head"


def main() -> None:
    """Print a line for each detector."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--faces", type=Path, required=True, metavar="DIR", help="with labels.csv")
    parser.add_argument("--detectors", default="onnx,yunet", metavar="A,B")
    parser.add_argument("--face", type=Path, metavar="DIR", help="a folder with weights")
    parser.add_argument("--limit", type=int, default=300, metavar="N", help="pictures at most")
    options = parser.parse_args()
    with (options.faces / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["style"] == _STYLE]
    rows = rows[:: max(1, len(rows) // options.limit)]
    heads = [_boxes(row["boxes"]) for row in rows]
    weights = Weights(options.face)
    for name in options.detectors.split(","):
        _, detector = load_detector(name, weights)
        found = alarms = 0
        for row, boxes in zip(rows, heads, strict=True):
            picture = read_picture(options.faces / row["file"])
            centers = [
                find.box.center for find in detector.detect(picture, detector.default_confidence)
            ]
            found += sum(any(_holds(box, center) for center in centers) for box in boxes)
            alarms += sum(not any(_holds(box, center) for box in boxes) for center in centers)
        count = sum(map(len, heads))
        print(
            f"{name}: {found / count:.3f} of {count} heads in {len(rows)} pictures; "
            f"{alarms} finds elsewhere",
            flush=True,
        )


def _boxes(text: str) -> list[Box]:
    return [Box(*map(float, part.split())) for part in text.split(";") if part]


def _holds(box: Box, point: tuple[float, float]) -> bool:
    return box.left <= point[0] <= box.right and box.top <= point[1] <= box.bottom


if __name__ == "__main__":
    main()
