"""Measures what hiding a face costs, by method and by the size of the face.

    python benchmarks/redaction_cost.py [--repeat 200]

A 1920x1080 frame (4:2:0, noise) with one face, default padding and soft edge. The methods take
turns, so that a slow moment of the machine affects all. Each figure is the median in milliseconds
per face, with its mask cached, as in a video.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Orientation
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import Settings
from tracker_blur.video.frame import DecodedFrame, Scaler

METHODS = ("solid", "pixelated", "mosaic", "gaussian", "fog", "image")
SIZES = ((40, 52), (120, 160), (800, 1000))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeat", type=int, default=200, help="frames for each method and size")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder, "image.png")
        cv2.imwrite(str(image), np.full((64, 64, 3), 128, np.uint8))
        redactors = {
            name: FrameRedactor(Settings(method=name, image=image if name == "image" else None))
            for name in METHODS
        }
    frame = noise_frame()
    print("| method | " + " | ".join(f"{width}x{height}" for width, height in SIZES) + " |")
    print("|---|" + "---:|" * len(SIZES))
    columns = [medians(redactors, frame, size, arguments.repeat) for size in SIZES]
    for name in METHODS:
        print(f"| {name} | " + " | ".join(f"{column[name]:.2f}" for column in columns) + " |")


def noise_frame() -> DecodedFrame:
    """Return a frame of noise."""
    samples = np.random.default_rng(1).integers(16, 235, (1620, 1920), np.uint8)
    picture = av.VideoFrame.from_ndarray(samples, format="yuv420p")
    picture.pts, picture.time_base = 0, Fraction(1, 25)
    return DecodedFrame(picture, 0, Orientation.UPRIGHT, Scaler())


def medians(
    redactors: dict[str, FrameRedactor], frame: DecodedFrame, size: tuple[int, int], repeat: int
) -> dict[str, float]:
    """Return the median milliseconds of each method, for a face of (width, height) pixels."""
    box = Box.around((960, 540), *size)
    face = Face(1, box, 1.0, Origin.DETECTED)
    spent: dict[str, list[float]] = {name: [] for name in redactors}
    for index in range(repeat):
        frame.index = index
        for name, redactor in redactors.items():
            started = time.perf_counter()
            redactor.redact(frame, [face])
            spent[name].append(time.perf_counter() - started)
    return {name: 1000 * statistics.median(times) for name, times in spent.items()}


if __name__ == "__main__":
    main()
