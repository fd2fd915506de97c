"""Report: what a run did, or has done so far."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, TypeVar

from tracker_blur.core.tracks import Face, Tracks

T = TypeVar("T")


@dataclass(slots=True)
class Report:
    """What a run did, or has done so far.

    detector        name of the detector that looked; None if none did
    passes          how often the frames are read: to look at them and to write them, or at once
    expected_frames how many frames there will be, if the source says; for progress
    looked          frames looked at in a pass of its own
    frames          pictures written
    faces           faces hidden, counted in each picture anew
    tracks          faces, each counted once as long as it was followed
    seconds         wall-clock time
    stage_seconds   time spent in each stage: decode, see, redact, write; they overlap
    warnings        what a user should know, such as why a partial input ended early
    found           the faces of the video; None in one pass
    """

    source: Path
    target: Path
    detector: str | None = None
    passes: int = 1
    expected_frames: int | None = None
    looked: int = 0
    frames: int = 0
    faces: int = 0
    tracks: int = 0
    seconds: float = 0.0
    stage_seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    warnings: tuple[str, ...] = ()
    found: Tracks | None = field(default=None, repr=False)

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Add the time that the block takes to a stage's."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.stage_seconds[stage] += time.perf_counter() - started

    def timed(self, items: Iterable[T], stage: str) -> Iterator[T]:
        """Give these items; what it takes to get them is added to a stage's time."""
        iterator = iter(items)
        while True:
            with self.timing(stage):
                item = next(iterator, None)
            if item is None:
                return
            yield item

    @contextmanager
    def timing_all(self) -> Iterator[None]:
        """Add the time that the block takes to the whole."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - started

    def count(self, faces: Sequence[Face]) -> None:
        """Count a frame that was written, with these faces hidden."""
        self.frames += 1
        self.faces += len(faces)
        if self.found is None:  # one pass: numbers are given in order
            self.tracks = max((self.tracks, *(face.track_id + 1 for face in faces)))


Progress: TypeAlias = Callable[[Report], None]
"""Called after each frame that was looked at in a pass of its own, and after each written."""
