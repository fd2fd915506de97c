"""Measures the memory of a long crowd: what a first pass keeps, and what refining it takes.

    python benchmarks/memory.py [--minutes 10 30 60] [--faces 6]

No pixels are involved. At 25 frames a second, faces are detected in every second frame. Each lasts
ten seconds and is followed by another. They are kept as raw tracks and then refined. Each length
runs in a process of its own. Frames, networks and the encoder come on top, but do not grow with the
length.

detections    boxes with their color histograms, as raw tracks keep them
face-frames   hidden boxes after refining
raw tracks    MiB more than before, with all detections
peak          MiB more than before, at most, while refining
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from fractions import Fraction

import numpy as np
import scipy.optimize  # noqa: F401  # refining imports it, which takes a constant 45 MiB

from tracker_blur.core.box import Box
from tracker_blur.core.parameters import TrackingParameters
from tracker_blur.core.tracks import Face, Origin, Tracks, TracksBuilder
from tracker_blur.tracking.appearance import Appearance, color_histogram
from tracker_blur.tracking.first_pass import RawTracks
from tracker_blur.tracking.smoothing import refine

RATE = 25
LIFE_FRAMES = 250
SIZE = (320, 180)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=int, nargs="+", default=[10, 30, 60])
    parser.add_argument("--faces", type=int, default=6)
    options = parser.parse_args()
    print("| minutes | detections | face-frames | raw tracks | peak | refining |")
    print("|---:|---:|---:|---:|---:|---:|")
    for minutes in options.minutes:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            print(pool.apply(_row, (minutes, options.faces)), flush=True)


def _row(minutes: int, faces: int) -> str:
    before = _peak_mib()
    raw, detections = _crowd(minutes * 60 * RATE, faces)
    raw_mib = _peak_mib() - before
    started = time.process_time()
    tracks = refine(raw, 0.5, 0.2, TrackingParameters())
    seconds = time.process_time() - started
    hidden = sum(len(track) for track in tracks.tracks)
    peak = _peak_mib() - before
    return (
        f"| {minutes} | {detections} | {hidden} | {raw_mib:.0f} MiB | {peak:.0f} MiB, "
        f"{peak * 2**20 / hidden:.0f} bytes each | {seconds:.1f} s |"
    )


def _crowd(frame_count: int, faces: int) -> tuple[RawTracks, int]:
    """Return raw tracks, and how many detections they hold."""
    generator = np.random.default_rng(0)
    noise = generator.integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    people = [color_histogram(noise, Box(10 * k, 10, 10 * k + 20, 40)) for k in range(2 * faces)]
    builder, appearance = TracksBuilder(), Appearance()
    track_id = detections = 0
    for place in range(faces):
        first = 37 * place
        while first < frame_count:
            x, y, speed = generator.uniform((20, 20, -0.3), (280, 140, 0.3))
            for frame in range(first, min(first + LIFE_FRAMES, frame_count), 2):
                left = x + speed * (frame - first)
                box = Box(left, y, left + 16, y + 20)
                builder.add(frame, Face(track_id, box, 0.9, Origin.DETECTED))
                appearance.add(track_id, frame, people[track_id % len(people)])
                detections += 1
            first += LIFE_FRAMES + int(generator.integers(5, 60))
            track_id += 1
    times = np.arange(frame_count, dtype=np.int64)
    tracks = Tracks(SIZE, Fraction(1, RATE), times, (), builder.tracks())
    return RawTracks(
        tracks, np.arange(0, frame_count, 2, dtype=np.int32), (), appearance
    ), detections


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
