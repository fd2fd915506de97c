"""Measures encoders for live targets: time of the processor for each picture, size and likeness.

Run: python benchmarks/live_encoders.py CLIP [--size 1280x720] [--frames 150]
Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import io
import resource
import statistics
import time
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np

from tracker_blur.core.frame import Orientation
from tracker_blur.realtime.delivery import TIME_BASE, Delivery, Format
from tracker_blur.realtime.targets._encoding import Form, LiveWriter
from tracker_blur.redaction.redactor import Redactor
from tracker_blur.settings import Settings
from tracker_blur.video.containers import container_format
from tracker_blur.video.frame import DecodedFrame, Scaler

RATE = Fraction(30)
WAYS = [
    ("mkv", "libx264", preset) for preset in ("ultrafast", "superfast", "veryfast", "faster")
] + [("webm", "libvpx-vp9", "8"), ("webm", "libvpx", "8")]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--frames", type=int, default=150)
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    deliveries = read(options.clip, (width, height), options.frames)
    print("| encoder | preset | processor, ms a picture | longest, ms | Mbit/s | PSNR, dB |")
    print("|---|---|---|---|---|---|")
    for suffix, encoder, preset in WAYS:
        print(measured(deliveries, (width, height), suffix, encoder, preset), flush=True)


def read(clip: Path, size: tuple[int, int], count: int) -> list[Delivery]:
    """Return the clip's first pictures, nothing hidden, at a size and 30 a second."""
    redactor, scaler = Redactor(Settings()), Scaler()
    made = []
    with av.open(str(clip)) as container:
        for index, picture in enumerate(islice(container.decode(video=0), count)):
            fitted = picture.reformat(*size, "yuv420p")
            seconds = float(index / RATE)
            fitted.pts, fitted.time_base = round(seconds / TIME_BASE), TIME_BASE
            frame = DecodedFrame(fitted, index, Orientation.UPRIGHT, scaler)
            made.append(Delivery(redactor.redact(frame, []), seconds, 0.0, False))
    return made


def measured(
    deliveries: list[Delivery], size: tuple[int, int], suffix: str, encoder: str, preset: str
) -> str:
    """Return a row of the table."""
    file = io.BytesIO()
    form = Form(container_format(Path(f"out.{suffix}")))
    settings = Settings(one_pass=True, encoder=encoder, preset=preset)
    writer = LiveWriter(file, form, Format(size, RATE), settings)
    walls = []
    before = resource.getrusage(resource.RUSAGE_SELF)
    for delivery in deliveries:
        began = time.perf_counter()
        writer.show(delivery)
        walls.append(1000 * (time.perf_counter() - began))
    writer.finish()
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    seconds = float(len(deliveries) / RATE)
    megabits = 8 * file.tell() / seconds / 1e6
    likeness = psnr(file, deliveries)
    return (
        f"| {encoder} | {preset} | {1000 * used / len(deliveries):.1f} | {max(walls):.0f} "
        f"| {megabits:.1f} | {likeness:.1f} |"
    )


def psnr(file: io.BytesIO, deliveries: list[Delivery]) -> float:
    """Return the median over the pictures of what was encoded, in dB, of luma."""
    file.seek(0)
    found = []
    with av.open(file) as container:
        for picture, delivery in zip(container.decode(video=0), deliveries, strict=True):
            frame = delivery.redacted.frame
            assert isinstance(frame, DecodedFrame)
            one, other = (luma(shown) for shown in (picture, frame.picture))
            found.append(10 * np.log10(255**2 / np.mean((one - other) ** 2)))
    return statistics.median(found)


def luma(picture: av.VideoFrame) -> np.ndarray:
    """Return a picture's luma, shape (height, width)."""
    plane = picture.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width].astype(np.float64)


if __name__ == "__main__":
    main()
