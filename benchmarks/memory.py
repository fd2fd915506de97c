"""Measures the memory of a long crowd: what its tracks take while a thread reads ahead.

    python benchmarks/memory.py [--minutes 10 30 60] [--faces 6]

At 25 frames a second, faces are detected in every second frame. Each lasts ten seconds and is
followed by another; no scene ends. Their raw tracks become final tracks piece by piece, which are
kept, as for a track file. Each length runs in a process of its own. Frames, networks and the
encoder come on top, but do not grow with the length.

detections    boxes of raw tracks
face-frames   hidden boxes
pieces        MiB more than before, with the tracks of all pieces
peak          MiB more than before, at most, when they have been joined to whole tracks
seconds       processor time to make raw tracks final
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import scipy.optimize  # noqa: F401  # linking imports it, which takes a constant 45 MiB

from tracker_blur.core.box import Box
from tracker_blur.core.parameters import TrackingParameters
from tracker_blur.core.tracks import Face, Origin, Tracks, joined
from tracker_blur.tracking.final_tracks import Target, TrackFinalizer
from tracker_blur.tracking.lazy_view import LazyView
from tracker_blur.tracking.observation import Observer
from tracker_blur.tracking.online import Step
from tracker_blur.tracking.scene_cuts import Change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker_blur.core.frame import Image
    from tracker_blur.tracking.backtracking import Backtracked

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
    print("| minutes | detections | face-frames | pieces | peak | seconds |")
    print("|---:|---:|---:|---:|---:|---:|")
    for minutes in options.minutes:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            print(pool.apply(_row, (minutes, options.faces)), flush=True)


def _row(minutes: int, faces: int) -> str:
    crowd = _Crowd(faces)
    parameters = TrackingParameters()
    observer = Observer(crowd, _NoBacktracker(), SIZE, Fraction(1, RATE))
    first_pass = observer.new_first_pass()
    finalizer = TrackFinalizer([Target("face", first_pass, 0.5, parameters)], 0.2)
    image = np.random.default_rng(0).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
    view = LazyView(Change.NONE, lambda: image)
    before, seconds = _peak_mib(), 0.0
    pieces: list[Tracks] = []
    for index in range(minutes * 60 * RATE):
        first_pass.add(observer.step(view, index))
        started = time.process_time()
        pieces += finalizer.pieces()
        seconds += time.process_time() - started
    first_pass.end()
    pieces += finalizer.pieces()
    pieces_mib = _peak_mib() - before
    tracks = joined(pieces)
    hidden = sum(len(track) for track in tracks.tracks)
    peak = _peak_mib() - before
    return (
        f"| {minutes} | {crowd.detections} | {hidden} | {pieces_mib:.0f} MiB | {peak:.0f} MiB, "
        f"{peak * 2**20 / hidden:.0f} bytes each | {seconds:.1f} s |"
    )


class _Crowd:
    """Stands for an online tracker: people who walk by, one after the other in each place."""

    max_flash_frames = 0
    track_ids = ()

    def __init__(self, faces: int) -> None:
        self._generator = np.random.default_rng(0)
        self._frame = 0
        # The first frame of each place's face, and how it moves: x, y and speed.
        self._walks = [(37 * place, self._path()) for place in range(faces)]
        self._ids = list(range(faces))
        self.track_count = faces
        self.detections = 0

    def see(self, _view: LazyView, _seconds: float) -> Step:
        frame, self._frame = self._frame, self._frame + 1
        change = Change.NONE if frame else Change.CUT
        if frame % 2:
            return Step((), change, is_detection_frame=False)
        faces = []
        for place, (first, (x, y, speed)) in enumerate(self._walks):
            if frame >= first + LIFE_FRAMES:
                pause = int(self._generator.integers(5, 60))
                self._walks[place] = first + LIFE_FRAMES + pause, self._path()
                self._ids[place] = self.track_count
                self.track_count += 1
            elif frame >= first:
                left = x + speed * (frame - first)
                box = Box(left, y, left + 16, y + 20)
                faces.append(Face(self._ids[place], box, 0.9, Origin.DETECTED))
        self.detections += len(faces)
        return Step(tuple(faces), change, is_detection_frame=True)

    def state(self) -> object:
        return object()

    def _path(self) -> tuple[float, float, float]:
        x, y, speed = self._generator.uniform((20, 20, -0.3), (280, 140, 0.3)).tolist()
        return x, y, speed


class _NoBacktracker:
    reach_frames = RATE
    track_ids = ()

    def step(self, _index: int, _image: Image, _step: Step) -> Iterator[tuple[Face, Backtracked]]:
        return iter(())

    def state(self, _index: int, _ranks: object) -> object:
        return object()


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
