"""Measures what the thread that detects and tracks does, call by call.

    python benchmarks/calls.py [--cases 720p:2,1080p:2] [--seconds 8] [--clip VIDEO]

Faces of the clips, which samples/make.py makes as for speed.py, or of your own video, are tracked,
and nothing is written. OpenCV has one thread, so that the networks' processor time is that of the
calling thread. It hardly depends on what else the machine does. `own` leaves out the calls within
a call that are listed themselves.
"""

from __future__ import annotations

import argparse
import functools
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
from speed import case_list, clip_of

from tracker_blur.classifiers import CropClassifier
from tracker_blur.pipeline import Engine
from tracker_blur.settings import Settings
from tracker_blur.trackers import OpenCVTracker
from tracker_blur.tracking.backtracking import Backtracker
from tracker_blur.tracking.detection_frames import DetectionFrames
from tracker_blur.tracking.extra_detection import ExtraDetection
from tracker_blur.tracking.final_tracks import TrackFinalizer
from tracker_blur.tracking.missed_faces import MissedFaces
from tracker_blur.tracking.observation import VideoObserver
from tracker_blur.tracking.redetection import Redetector
from tracker_blur.tracking.view_scale import ScaledViews
from tracker_blur.video.frame import Scaler

if TYPE_CHECKING:
    from collections.abc import Callable

MEASURED: tuple[tuple[type, str, str], ...] = (
    (DetectionFrames, "_detections", "the network in the usual view, {image}"),
    (ExtraDetection, "detect", "turned copies and other detectors, {image}"),
    (ScaledViews, "_wanted_px", "the network in the large view"),
    (Redetector, "detect", "the network in a crop"),
    (CropClassifier, "log_odds", "the classifier"),
    (OpenCVTracker, "start", "start a tracker"),
    (OpenCVTracker, "update", "update a tracker"),
    (Scaler, "scaled", "reduce a frame"),
    (MissedFaces, "redetect", "missed faces"),
    (Backtracker, "_backtrack", "track a new face back"),
    (TrackFinalizer, "_next", "link and smooth tracks"),
    (VideoObserver, "step", "all else of a frame"),
)
"""Class, method and what to call it."""


@dataclass
class Spent:
    """What the calls of one kind took, in seconds of processor time."""

    calls: int = 0
    seconds: float = 0.0
    own_seconds: float = 0.0


class Meter:
    """Measures the calls of methods, which it replaces."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, Spent] = defaultdict(Spent)
        self._within: list[float] = []  # what the calls within each running call took

    def measure(self, owner: type, name: str, label: str) -> None:
        """Measure all calls of a method from now on."""
        method: Callable[..., Any] = getattr(owner, name)

        @functools.wraps(method)
        def measured(*arguments: Any, **options: Any) -> Any:
            started = time.thread_time()
            self._within.append(0.0)
            try:
                return method(*arguments, **options)
            finally:
                seconds = time.thread_time() - started
                spent = self.spent[_named(label, arguments)]
                spent.calls += 1
                spent.seconds += seconds
                spent.own_seconds += seconds - self._within.pop()
                if self._within:
                    self._within[-1] += seconds

        setattr(owner, name, measured)


def _named(label: str, arguments: tuple[Any, ...]) -> str:
    """Return a label with the size of the image that is the first argument, if it asks for it."""
    if "{image}" not in label:
        return label
    height, width = arguments[1].shape[:2]
    return label.format(image=f"{width}x{height}")


def main() -> int:
    """Print a table for each clip."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=case_list, default="720p:2")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of the clips")
    parser.add_argument("--clips", type=Path, metavar="FOLDER", help="keep the clips here")
    parser.add_argument("--clip", type=Path, metavar="VIDEO", help="this one, and none of these")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    meter = Meter()
    for owner, name, label in MEASURED:
        meter.measure(owner, name, label)
    with tempfile.TemporaryDirectory(prefix="trackblur-calls-") as scratch:
        folder = arguments.clips or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        made = (clip_of(case, arguments.seconds, folder) for case in arguments.cases)
        for clip in [arguments.clip] if arguments.clip else made:
            meter.spent.clear()
            report = Engine(Settings()).track_file(clip, "video")
            _print(clip.name, report.first_pass_frames, meter.spent)
    return 0


def _print(name: str, frames: int, spent: dict[str, Spent]) -> None:
    print(f"\n{name}, {frames} frames; ms of processor time a frame\n")
    print("| what | calls | ms each | own |\n|---|---:|---:|---:|")
    for label, one in sorted(spent.items(), key=lambda item: -item[1].own_seconds):
        each, own = 1000 * one.seconds / one.calls, 1000 * one.own_seconds / frames
        print(f"| {label} | {one.calls} | {each:.1f} | {own:.1f} |")
    total = sum(one.own_seconds for one in spent.values())
    print(f"| all | | | {1000 * total / frames:.1f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
