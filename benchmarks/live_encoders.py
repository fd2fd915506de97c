"""Measures encoders for live targets: processor time per frame, bit rate and quality.

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
from tracker_blur.realtime.targets._encoding import LiveContainer, LiveWriter
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import Settings
from tracker_blur.video.containers import container_format
from tracker_blur.video.frame import DecodedFrame, Scaler

RATE = Fraction(30)
ENCODERS = [
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
    print("| encoder | preset | processor, ms per frame | longest, ms | Mbit/s | PSNR, dB |")
    print("|---|---|---|---|---|---|")
    for suffix, encoder, preset in ENCODERS:
        print(measured(deliveries, (width, height), suffix, encoder, preset), flush=True)


def read(clip: Path, size: tuple[int, int], count: int) -> list[Delivery]:
    """Return the clip's first frames, nothing hidden, at a size and 30 per second."""
    redactor, scaler = FrameRedactor(Settings()), Scaler()
    made = []
    with av.open(str(clip)) as container:
        for index, decoded in enumerate(islice(container.decode(video=0), count)):
            scaled = decoded.reformat(*size, "yuv420p")
            seconds = float(index / RATE)
            scaled.pts, scaled.time_base = round(seconds / TIME_BASE), TIME_BASE
            frame = DecodedFrame(scaled, index, Orientation.UPRIGHT, scaler)
            made.append(Delivery(redactor.redact(frame, []), seconds, 0.0, False))
    return made


def measured(
    deliveries: list[Delivery], size: tuple[int, int], suffix: str, encoder: str, preset: str
) -> str:
    """Return a row of the table."""
    file = io.BytesIO()
    container = LiveContainer(container_format(Path(f"out.{suffix}")))
    settings = Settings(one_pass=True, encoder=encoder, preset=preset)
    writer = LiveWriter(file, container, Format(size, RATE), settings)
    times_ms = []
    before = resource.getrusage(resource.RUSAGE_SELF)
    for delivery in deliveries:
        began = time.perf_counter()
        writer.show(delivery)
        times_ms.append(1000 * (time.perf_counter() - began))
    writer.finish()
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    seconds = float(len(deliveries) / RATE)
    megabits = 8 * file.tell() / seconds / 1e6
    quality_db = psnr(file, deliveries)
    return (
        f"| {encoder} | {preset} | {1000 * used / len(deliveries):.1f} | {max(times_ms):.0f} "
        f"| {megabits:.1f} | {quality_db:.1f} |"
    )


def psnr(file: io.BytesIO, deliveries: list[Delivery]) -> float:
    """Return the median PSNR of the encoded luma, in dB."""
    file.seek(0)
    found = []
    with av.open(file) as container:
        for decoded, delivery in zip(container.decode(video=0), deliveries, strict=True):
            frame = delivery.redacted.frame
            assert isinstance(frame, DecodedFrame)
            one, other = (luma(shown) for shown in (decoded, frame.av_frame))
            found.append(10 * np.log10(255**2 / np.mean((one - other) ** 2)))
    return statistics.median(found)


def luma(frame: av.VideoFrame) -> np.ndarray:
    """Return a frame's luma, shape (height, width)."""
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width].astype(np.float64)


if __name__ == "__main__":
    main()
