"""What the online tracker costs and hides, by detection interval and by tracker.

It tracks the faces of annotated clips and judges each face in each frame by the ellipse inscribed
in its true box: exposed when less than 85 % of it lies in the hidden ellipses. Nothing is written,
so this measures only detection and tracking; speed.py measures whole runs.

    python benchmarks/online_tracker.py --clips ../shared/videos --face ../shared/models

A clip is NAME.mp4 or NAME.mkv next to NAME.csv with the columns frame,track,x,y,w,h.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.core import plugins
from tracker_blur.core.box import Box
from tracker_blur.core.frame import Image, view_size
from tracker_blur.detectors import load_detector
from tracker_blur.settings import Settings
from tracker_blur.tracking.online import OnlineTracker
from tracker_blur.tracking.schedule import DetectionSchedule
from tracker_blur.video.reader import VideoReader
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from tracker_blur.core.tracks import Face

MIN_HIDDEN_SHARE = 0.85
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Clip:
    """Views of a clip, their times, and the true boxes by frame, in pixels of the views."""

    views: list[Image]
    seconds: list[float]
    rate: float
    truth: dict[int, list[tuple[str, Box]]]


@dataclass
class Tally:
    """Counts over all clips."""

    judged: int = 0
    exposed: int = 0
    longest_run: int = 0
    hidden_area: float = 0.0
    true_area: float = 0.0
    frames: int = 0
    seconds: float = 0.0
    identities: int = 0

    def row(self) -> str:
        """Return the figures as cells of a table."""
        return (
            f"{100 * self.exposed / self.judged:.2f} % | {self.longest_run} | "
            f"{self.hidden_area / self.true_area:.2f} | {self.identities} | "
            f"{1000 * self.seconds / self.frames:.1f} ms"
        )


def load(file: Path, view_px: int | None) -> Clip:
    """Decode a clip into views and read its true boxes."""
    with VideoReader(file) as source:
        size = view_size(source.info.size, view_px, source.info.pixel_aspect)
        frames = [(frame.view(size), frame.seconds) for frame in source]
        x, y = size[0] / source.info.size[0], size[1] / source.info.size[1]
        rate = float(source.info.rate)
    truth = defaultdict(list)
    with file.with_suffix(".csv").open(newline="") as rows:
        for row in csv.DictReader(rows):
            box = Box.from_xywh(*(float(row[key]) for key in ("x", "y", "w", "h"))).scaled(x, y)
            truth[int(row["frame"])].append((row["track"], box))
    return Clip([view for view, _ in frames], [time for _, time in frames], rate, dict(truth))


def ellipse(shape: tuple[int, ...], box: Box) -> Mask:
    """Return the ellipse inscribed in a box as a mask of the view's shape."""
    mask = np.zeros(shape[:2], np.uint8)
    x, y = box.center
    cv2.ellipse(mask, ((x - 0.5, y - 0.5), (box.width, box.height), 0), 1, -1)
    return mask.astype(bool)


def judge(clip: Clip, tracked: list[tuple[Face, ...]], padding: float, tally: Tally) -> None:
    """Count exposed faces."""
    runs: dict[str, int] = defaultdict(int)
    for index, faces in enumerate(tracked):
        truth = clip.truth.get(index, [])
        if not truth:
            continue
        shape = clip.views[index].shape
        hidden = np.zeros(shape[:2], bool)
        for face in faces:
            hidden |= ellipse(shape, face.box.padded(padding))
        tally.hidden_area += float(hidden.sum())
        for track, box in truth:
            face_mask = ellipse(shape, box)
            if not face_mask.any():
                continue
            exposed = float(hidden[face_mask].mean()) < MIN_HIDDEN_SHARE
            tally.judged += 1
            tally.exposed += exposed
            tally.true_area += box.area
            runs[track] = runs[track] + 1 if exposed else 0
            tally.longest_run = max(tally.longest_run, runs[track])


def run(clips: list[Clip], settings: Settings) -> Tally:
    """Track the faces of all clips with these settings."""
    weights = Weights(settings.models_folder)
    _, detector = load_detector(settings.detector, weights)
    new_tracker = (
        None
        if settings.tracker == "none"
        else plugins.load("tracker_blur.trackers", settings.tracker).load(weights)
    )
    tally = Tally()
    for clip in clips:
        tracker = OnlineTracker(
            detector,
            detector.default_confidence,
            new_tracker,
            DetectionSchedule(settings.detect_every_frames, clip.rate, settings.tracking.schedule),
            settings.hold_seconds,
            time.perf_counter,
            settings.tracking,
        )
        started = time.perf_counter()
        tracked = [
            tracker.step(view, seconds).faces
            for view, seconds in zip(clip.views, clip.seconds, strict=True)
        ]
        tally.seconds += time.perf_counter() - started
        tally.frames += len(clip.views)
        tally.identities += tracker.track_count
        judge(clip, tracked, settings.padding_ratio, tally)
    return tally


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--face", type=Path, help="folder with weight files")
    parser.add_argument("--detector", default="auto")
    options = parser.parse_args()
    cv2.setNumThreads(1)  # one core each, as next to an encoder
    settings = Settings(models_folder=options.face, detector=options.detector)
    files = [
        file.with_suffix(suffix)
        for file in sorted(options.clips.glob("*.csv"))
        for suffix in (".mp4", ".mkv")
        if file.with_suffix(suffix).exists()
    ]
    clips = [load(file, settings.view_px) for file in files]
    head = "exposed | longest run | hidden / true area | identities | a frame, one core |"
    print(f"| every N frames (CSRT) | {head}\n|---|---|---|---|---|---|")
    for every in (1, 2, 3, 5, "auto"):
        tally = run(clips, replace(settings, detect_every_frames=every))
        print(f"| {every} | {tally.row()} |", flush=True)
    print(f"\n| tracker (N = 3) | {head}\n|---|---|---|---|---|---|")
    for name in (*plugins.names("tracker_blur.trackers"), "none"):
        tally = run(clips, replace(settings, tracker=name, detect_every_frames=3))
        print(f"| {name} | {tally.row()} |", flush=True)


if __name__ == "__main__":
    main()
