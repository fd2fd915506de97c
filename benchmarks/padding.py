"""Measures how much of a face a detector's box hides, by padding and shape.

    python benchmarks/padding.py [--shared FOLDER]

YuNet sees every fourth frame of the annotated clips at 640 pixels. Each true face that it detects
is compared with the area that would be hidden around the detection. The true face is the ellipse in
its box. Faces that YuNet misses are left out: hiding them is up to tracking, not padding.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections import defaultdict
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box
from tracker_blur.core.frame import view_size
from tracker_blur.redaction.areas import hidden_area, turns
from tracker_blur.settings import FACE

SHARED = Path(__file__).resolve().parents[2] / "shared"
CLIPS = (  # not david and faceocc2: their boxes have a fixed size
    "dancer.mp4", "portrait_turning.mp4", "runner_portrait.mp4", "signer.mkv", "street_crowd.mp4",
    "two_heads.mp4", "walkers_1080p.mp4", "walking_pause.mp4", "webcam.mp4",
)  # fmt: skip
PADDINGS = (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
EVERY_FRAMES = 4
SAME_FACE_IOU = 0.3


def unit_disc(side: int = 60) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return points, x and y, spread evenly over the disc of radius 1."""
    line = (np.arange(side) + 0.5) / side * 2 - 1
    xs, ys = np.meshgrid(line, line)
    inside = xs**2 + ys**2 <= 1
    return xs[inside], ys[inside]


def detected_faces(folder: Path, detector: cv2.FaceDetectorYN) -> list[tuple[Box, Box]]:
    """Return the true box and the detection of each detected face."""
    pairs = []
    for clip in CLIPS:
        truth: dict[int, list[Box]] = defaultdict(list)
        with (folder / f"{Path(clip).stem}.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                truth[int(row["frame"])].append(Box.from_xywh(*(float(row[k]) for k in "xywh")))
        with av.open(str(folder / clip)) as container:
            for index, frame in enumerate(container.decode(video=0)):
                if index % EVERY_FRAMES or index not in truth:
                    continue
                width, height = view_size((frame.width, frame.height), 640)
                image = frame.to_ndarray(format="bgr24", width=width, height=height)
                detector.setInputSize((width, height))
                detections = detector.detect(image)[1]
                boxes = [
                    Box.from_xywh(*map(float, face[:4])).scaled(
                        frame.width / width, frame.height / height
                    )
                    for face in (() if detections is None else detections)
                ]
                for true in truth[index]:
                    best = max(boxes, key=true.iou, default=None)
                    if best is not None and best.iou(true) >= SAME_FACE_IOU:
                        pairs.append((true, best))
    return pairs


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder with test material")
    shared = parser.parse_args().shared
    detector = cv2.FaceDetectorYN.create(
        str(shared / "models" / "face_detection_yunet_2023mar.onnx"), "", (320, 320), 0.5
    )
    pairs = detected_faces(shared / "videos", detector)
    disc_x, disc_y = unit_disc()
    print(f"{len(pairs)} faces detected; fully hidden: at least 99 % of the true ellipse")
    print("padding | ellipse: fully hidden, worst, area | rectangle: fully hidden, worst, area")
    for padding in PADDINGS:
        shares, areas = [], []
        for true, detection in pairs:
            hidden = hidden_area(detection, FACE, padding, turns(detection, FACE, None))
            xs = (true.center[0] + disc_x * true.width / 2 - hidden.center[0]) / hidden.width * 2
            ys = (true.center[1] + disc_y * true.height / 2 - hidden.center[1]) / hidden.height * 2
            in_ellipse = (xs**2 + ys**2 <= 1).mean()
            in_box = (np.maximum(np.abs(xs), np.abs(ys)) <= 1).mean()
            shares.append((in_ellipse, in_box))
            areas.append((hidden.area * math.pi / 4 / true.area, hidden.area / true.area))
        share, area = np.array(shares), np.array(areas).mean(axis=0)
        cells = [
            f"{100 * (share[:, k] >= 0.99).mean():5.1f} % {100 * share[:, k].min():4.0f} % "
            f"{area[k]:5.2f}"
            for k in (0, 1)
        ]
        print(f"{padding:7.2f} | {cells[0]:>36} | {cells[1]:>36}")


if __name__ == "__main__":
    main()
