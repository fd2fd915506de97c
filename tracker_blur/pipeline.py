"""From a source to a sink: decode, see, redact and write, overlapped.

The stages of a run work in threads of their own with bounded queues between them, so memory does
not depend on the length. Whatever fails in any of them ends the run with that error, and the sink
leaves nothing behind.
"""

from __future__ import annotations

import itertools
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from tracker_blur import plugins
from tracker_blur.batch import Job
from tracker_blur.detectors import load_detector
from tracker_blur.errors import SinkError
from tracker_blur.follow import Follower
from tracker_blur.frames import Frame, RedactedFrame, VideoInfo, view_size
from tracker_blur.look import look_closely
from tracker_blur.pace import Pace
from tracker_blur.redact import Redactor
from tracker_blur.settings import Settings
from tracker_blur.sinks import Sink
from tracker_blur.sinks.images import ImageSink
from tracker_blur.sinks.video import VideoSink
from tracker_blur.sources import Source
from tracker_blur.sources.images import ImageSource
from tracker_blur.sources.video import VideoSource
from tracker_blur.stages import Ahead
from tracker_blur.tracks import Face, Origin
from tracker_blur.weights import Weights

_QUEUED_FRAMES = 2  # evens out the stages; more would only cost memory


@dataclass(slots=True)
class Report:
    """What a run did, or has done so far.

    detector        name of the detector that looked
    expected_frames how many frames there will be, if the source says; for progress
    frames          pictures written
    faces           faces hidden, counted in each picture anew
    tracks          faces, each counted once as long as it was followed
    seconds         wall-clock time
    stage_seconds   time spent in each stage: decode, see, redact, write; they overlap
    warnings        what a user should know, such as why a partial input ended early
    """

    source: Path
    target: Path
    detector: str
    expected_frames: int | None = None
    frames: int = 0
    faces: int = 0
    tracks: int = 0
    seconds: float = 0.0
    stage_seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    warnings: tuple[str, ...] = ()

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Add the time that the block takes to a stage's."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.stage_seconds[stage] += time.perf_counter() - started

    def count(self, faces: Sequence[Face]) -> None:
        """Count a frame that was written, with these faces hidden."""
        self.frames += 1
        self.faces += len(faces)
        self.tracks = max((self.tracks, *(face.track_id + 1 for face in faces)))


Progress: TypeAlias = Callable[[Report], None]
"""Called after each frame written."""


class Engine:
    """Detector, trackers and redaction method, loaded once for any number of files.

    detector_name   the detector at work, also where the settings say "auto"

    Raises ModelError or MissingPackageError when something that the settings name is not there.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        weights = Weights(settings.models_folder)
        self._redactor = Redactor(settings)
        self._new_tracker = (
            None
            if settings.tracker == "none"
            else plugins.load("tracker_blur.trackers", settings.tracker).load(weights)
        )
        self.detector_name, self._detector = load_detector(settings.detector, weights)
        self._confidence = (
            self._detector.default_confidence
            if settings.confidence is None
            else settings.confidence
        )

    @property
    def description(self) -> str:
        """One line on what is at work."""
        every = self._settings.detect_every_frames
        if every == 1 or self._new_tracker is None:
            pace = "on every frame"
        else:
            pace = "as often as it pays" if every == "auto" else f"on every {every} frames"
        text = f"detector {self.detector_name} {pace}, tracker {self._settings.tracker}"
        if self.detector_name == "haar" and self._settings.detector == "auto":
            text += "; a far better detector: trackblur models pull yunet"
        return text

    def redact_file(self, job: Job, progress: Progress | None = None) -> Report:
        """Read the job's source, hide every face in it, write its target.

        Raises SourceError, SinkError or another TrackerBlurError; then there is no target.
        """
        if job.target.exists() and job.source.exists() and job.target.samefile(job.source):
            raise SinkError(f"{job.target}: is the input itself: choose another name")
        report = Report(job.source, job.target, self.detector_name)
        partial = self._settings.partial
        started = time.perf_counter()
        if job.kind == "picture":
            with ImageSource(job.source, partial=partial) as pictures:
                sink: Sink = ImageSink(job.target, pictures, self._settings)
                self._pump(pictures, sink, report, progress)
        else:
            with VideoSource(job.source, partial=partial) as video:
                sink = VideoSink(job.target, job.source, video, self._settings)
                self._pump(video, sink, report, progress)
        report.seconds = time.perf_counter() - started
        return report

    def observer(self, info: VideoInfo) -> Callable[[Frame], tuple[Face, ...]]:
        """Return a function to be given the frames of one source, in order, for their faces.

        Through a video faces are followed; each picture by itself is looked at more closely.
        """
        if not info.is_moving:
            ids = itertools.count()
            return lambda frame: tuple(
                Face(next(ids), find.box, find.score, Origin.DETECTED)
                for find in look_closely(self._detector, frame, self._confidence)
            )
        follower = self._follower(float(info.rate))

        def observe(frame: Frame) -> tuple[Face, ...]:
            width, height = view_size(frame.size, self._settings.view_px, info.pixel_aspect)
            faces = follower.step(frame.view((width, height)), frame.seconds).faces
            x_ratio, y_ratio = frame.size[0] / width, frame.size[1] / height
            return tuple(face.scaled(x_ratio, y_ratio) for face in faces)

        return observe

    def redact(self, frame: Frame, faces: Sequence[Face]) -> RedactedFrame:
        """Hide these faces in the frame's own planes."""
        return self._redactor.redact(frame, faces)

    def _pump(self, source: Source, sink: Sink, report: Report, progress: Progress | None) -> None:
        report.expected_frames = source.info.frame_count
        observe = self.observer(source.info)
        with (
            Ahead(_decode(source, report), _QUEUED_FRAMES, "decode") as decoded,
            Ahead(_see(decoded, observe, report), _QUEUED_FRAMES, "see") as seen,
            sink,
        ):
            for frame, faces in seen:
                with report.timing("redact"):
                    redacted = self.redact(frame, faces)
                with report.timing("write"):
                    sink.write(redacted)
                report.count(faces)
                if progress is not None:
                    progress(report)
        report.warnings = source.warnings

    def _follower(self, rate: float) -> Follower:
        return Follower(
            self._detector,
            self._confidence,
            self._new_tracker,
            Pace(self._settings.detect_every_frames, rate),
            self._settings.hold_seconds,
            time.perf_counter,
            threads=os.cpu_count() or 1,
        )


def _decode(source: Source, report: Report) -> Iterator[Frame]:
    frames = iter(source)
    while True:
        with report.timing("decode"):
            frame = next(frames, None)
        if frame is None:
            return
        yield frame


def _see(
    frames: Iterable[Frame], observe: Callable[[Frame], tuple[Face, ...]], report: Report
) -> Iterator[tuple[Frame, tuple[Face, ...]]]:
    for frame in frames:
        with report.timing("see"):
            faces = observe(frame)
        yield frame, faces
