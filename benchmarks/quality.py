"""Compares our encoders' settings in SSIM, size and speed, as a Markdown table.

    python benchmarks/quality.py ../shared/videos/dancer.mp4 ../shared/videos/street_crowd.mp4

Each clip goes unredacted through VideoReader and VideoWriter, so that all differences are the
encoder's. SSIM is FFmpeg's, of luma, against the decoded input. Size is that of the video track
over the input's. Speed includes decoding.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.filter import Graph

from tracker_blur.core.frame import RedactedFrame
from tracker_blur.settings import Settings
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter

TICK = Fraction(1, 25)
GRID: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {  # presets, qualities
    "libx264": (("superfast", "veryfast", "faster", "medium"), (16, 18, 20, 23)),
    "libx265": (("ultrafast", "superfast", "veryfast"), (17, 20)),
    "libsvtav1": (("10", "8", "6"), (18, 24, 30)),
    "libvpx-vp9": (("8", "6"), (16, 22, 28)),
}


@dataclass(frozen=True)
class Result:
    """The result of one setting on one clip."""

    ssim: float
    worst_ssim: float
    size_ratio: float
    frames_per_second: float


def track_bytes(path: Path) -> int:
    """Return the size of a file's video track."""
    with av.open(str(path)) as container:
        return sum(packet.size for packet in container.demux(video=0))


def ssims(first: Path, second: Path) -> list[float]:
    """Return the SSIM of luma for each pair of frames."""
    graph = Graph()
    values = []
    with av.open(str(first)) as one, av.open(str(second)) as two:
        shape = one.streams.video[0]
        inputs = [
            graph.add_buffer(
                width=shape.width, height=shape.height, format=shape.format, time_base=TICK
            )
            for _ in (one, two)
        ]
        compare = graph.add("ssim")
        for number, source in enumerate(inputs):
            source.link_to(compare, 0, number)
        compare.link_to(graph.add("buffersink"))
        graph.configure()
        pairs = zip(one.decode(video=0), two.decode(video=0), strict=True)
        for index, pair in enumerate(pairs):
            for source, frame in zip(inputs, pair, strict=True):
                frame.pts, frame.time_base = index, TICK
                source.push(frame)
            values.append(float(graph.vpull().metadata["lavfi.ssim.Y"]))
    return values


def measure(clip: Path, settings: Settings) -> Result:
    """Write a clip with these settings, and compare it with the input."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out.mkv"
        started = time.perf_counter()
        with VideoReader(clip) as source, VideoWriter(target, clip, source, settings) as sink:
            for frame in source:
                sink.write(RedactedFrame(frame))
        seconds = time.perf_counter() - started
        values = ssims(clip, target)
        return Result(
            statistics.mean(values),
            min(values),
            track_bytes(target) / track_bytes(clip),
            len(values) / seconds,
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--encoder", choices=sorted(GRID), action="append")
    options = parser.parse_args()
    print("| encoder | preset | quality | SSIM | worst frame | size | frames a second |")
    print("|---|---|---|---|---|---|---|")
    for encoder in options.encoder or GRID:
        presets, qualities = GRID[encoder]
        for preset in presets:
            for quality in qualities:
                settings = Settings(encoder=encoder, preset=preset, quality=quality)
                results = [measure(clip, settings) for clip in options.clips]
                print(
                    f"| {encoder} | {preset} | {quality:g} "
                    f"| {' / '.join(f'{result.ssim:.4f}' for result in results)} "
                    f"| {min(result.worst_ssim for result in results):.4f} "
                    f"| {' / '.join(f'{result.size_ratio:.2f}' for result in results)} "
                    f"| {' / '.join(f'{result.frames_per_second:.0f}' for result in results)} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
