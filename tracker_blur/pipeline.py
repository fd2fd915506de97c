"""The second pass over a video: each frame with the faces that are known from its tracks.

From a source to a sink, in two passes or in one.

Two passes: decode and see; then, when all faces of the video are known, decode again, redact and
write. One pass, for what comes as it happens: decode, see, redact and write. The stages of a pass
work in threads of their own with bounded queues between them, so that they overlap and memory does
not grow with the length but for the tracks. Whatever fails in any of them ends the run with that
error, and the sink leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TypeAlias, TypeVar

from tracker_blur.core.frame import Frame, Image, RedactedFrame, VideoInfo, view_size
from tracker_blur.core.prefetch import Prefetcher
from tracker_blur.core.report import Progress, Report
from tracker_blur.core.sink import FrameWriter
from tracker_blur.core.source import FrameReader
from tracker_blur.core.tracks import Face, Timeline, Tracks
from tracker_blur.errors import SinkError, SourceError
from tracker_blur.files.atomic import check_place
from tracker_blur.files.jobs import Job
from tracker_blur.files.paths import MediaKind
from tracker_blur.images.reader import ImageReader
from tracker_blur.images.writer import ImageWriter
from tracker_blur.redaction.redactor import Redactor
from tracker_blur.settings import FACE, Settings
from tracker_blur.tracking.detector_bundle import (
    ClassDetector,
    DetectorBundle,
    detect_each,
    merged,
)
from tracker_blur.tracking.first_pass import FirstPass
from tracker_blur.tracking.lookahead import look_ahead
from tracker_blur.tracking.smoothing import refine
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter

F = TypeVar("F", bound=Frame)


def replay(frames: Iterable[F], tracks: Tracks, path: Path) -> Iterator[tuple[F, tuple[Face, ...]]]:
    """Give each frame of a video with the faces to hide in it, in pixels of the frame.

    path   of the video, for messages

    Raises SourceError when number, times or size of the frames are not those of the tracks.
    """
    timeline = Timeline(tracks)
    kind = tracks.size, tracks.time_base
    count = 0
    for count, frame in enumerate(frames, 1):
        is_known = count <= tracks.frame_count and frame.pts == tracks.times[count - 1]
        if not is_known or (frame.size, frame.time_base) != kind:
            raise SourceError(_OTHER_VIDEO.format(path))
        yield frame, timeline.faces(count - 1)
    if count != tracks.frame_count:
        raise SourceError(_OTHER_VIDEO.format(path))


_OTHER_VIDEO = (
    "{}: its frames are not those that were looked at: use its own tracks, and let nothing write "
    "to it meanwhile"
)


_QUEUED_FRAMES = 2  # evens out the stages; more would only cost memory
_LONGEST_DELAY_FRAMES = 30  # they wait at full size; nothing is followed further back anyway
# Frames may be left out of a first pass for so long: a newcomer is seen by the next look only.
_SKIPPED_SECONDS = 0.12
# What is lost in a first pass is not held, but looked for from its next sight back.
_SURVEY_HOLD_SECONDS = 0.15

Seen: TypeAlias = tuple[Frame, tuple[Face, ...]]


class Engine:
    """Detector, trackers and redaction method, loaded once for any number of files.

    Raises SettingsError when the method cannot be made from the settings. The detector and the
    trackers are loaded when they are first asked for, which may raise ModelError or
    MissingPackageError: rendering tracks needs neither.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._redactor = Redactor(settings)

    @cached_property
    def _eyes(self) -> DetectorBundle:
        return DetectorBundle.of(self._settings)

    @property
    def detector_name(self) -> str:
        """The detector at work, also where the settings say "auto"."""
        return self._eyes.name

    @property
    def weight_files(self) -> tuple[str, ...]:
        """Names of the weight files that detector and tracker were read from."""
        return self._eyes.weight_files

    @property
    def description(self) -> str:
        """One line on what is at work."""
        every = self._settings.detect_every_frames
        if every == 1 or self._settings.tracker == "none":
            pace = "on every frame"
        else:
            pace = "as often as it pays" if every == "auto" else f"on every {every} frames"
        text = f"detector {self.detector_name} {pace}, tracker {self._settings.tracker}"
        hidden = [eye.label for eye in self._eyes.each]
        if hidden != [FACE]:
            text = f"hides {', '.join(hidden)}; {text}"
        weaker = {"onnx", "haar"} & set(self.detector_name.split(", "))
        if weaker and self._settings.detector == "auto":
            text += "; a better detector: trackblur models pull yunet"
        return text

    def redact_file(self, job: Job, progress: Progress | None = None) -> Report:
        """Read the job's source, hide every face in it, write its target.

        Raises SourceError, SinkError or another TrackerBlurError; then there is no target.
        """
        report = Report(job.source, job.target, self.detector_name)
        with report.timing_all():
            _check_apart(job)
            with self._opened(job.source, job.kind) as source:
                if not source.info.is_moving or self._settings.one_pass:
                    self._write(source, job, self.watch(source.info), report, progress)
                    return report
                report.passes = 2
                self._sink(source, job)  # fails before minutes are spent on looking
                check_place(job.target, self._settings.overwrite)
                report.found = self._survey(source, report, progress)
                # The encoder needs the memory; for a next file they are read again in no time.
                del self._eyes
            self._render(job, report.found, report, progress)
        return report

    def track_file(self, path: Path, kind: MediaKind, progress: Progress | None = None) -> Report:
        """Look at a whole video and report the faces it shows; nothing is written.

        Raises SourceError when it cannot be read as a whole, or is a still picture.
        """
        report = Report(path, path, self.detector_name)
        with report.timing_all(), self._opened(path, kind) as source:
            if not source.info.is_moving:
                raise SourceError(f"{path}: is a still picture: tracks are made of videos")
            report.found = self._survey(source, report, progress)
            report.tracks = len(report.found.tracks)
            report.warnings = source.warnings
        return report

    def render_file(self, job: Job, tracks: Tracks, progress: Progress | None = None) -> Report:
        """Read the job's source, hide what the tracks say, write its target.

        Raises SourceError, also when the tracks are another video's, and SinkError; then there is
        no target.
        """
        report = Report(job.source, job.target, found=tracks)
        with report.timing_all():
            _check_apart(job)
            self._render(job, tracks, report, progress)
        return report

    def watch(self, info: VideoInfo) -> Callable[[Iterable[Frame]], Iterator[Seen]]:
        """Return a function that gives the frames of one source with their faces, in one pass.

        Through a video faces are followed; each picture by itself is looked at more closely.
        """
        if not info.is_moving:
            return lambda frames: detect_each(frames, self._eyes.each)
        delay = min(_LONGEST_DELAY_FRAMES, round(self._settings.delay_seconds * info.rate))
        rate = float(info.rate)
        follower = self._eyes.follower(
            self._settings.detect_every_frames, rate, self._settings.hold_seconds
        )
        rewind = self._eyes.rewind(rate) if delay else None
        margin = self._settings.margin_seconds
        return lambda frames: look_ahead(
            frames, self._viewer(info), follower, rewind, delay, margin_seconds=margin
        )

    def redact(self, frame: Frame, faces: tuple[Face, ...]) -> RedactedFrame:
        """Hide these faces in the frame's own planes."""
        return self._redactor.redact(frame, faces)

    def _opened(self, path: Path, kind: MediaKind) -> ImageReader | VideoReader:
        if kind == "picture":
            return ImageReader(path, partial=self._settings.partial)
        return VideoReader(path, partial=self._settings.partial)

    def _survey(self, source: FrameReader, report: Report, progress: Progress | None) -> Tracks:
        """Look at all frames of a video and return the faces to hide."""
        info = source.info
        report.expected_frames = info.frame_count
        view = self._viewer(info)
        surveys: list[FirstPass] = []
        with Prefetcher(report.timed(source, "decode"), _QUEUED_FRAMES, "decode") as frames:
            for frame in frames:
                if not surveys:
                    surveys = [
                        self._new_survey(eye, info, frame.time_base) for eye in self._eyes.each
                    ]
                with report.timing("see"):
                    picture = view(frame)
                    for survey in surveys:
                        survey.step(picture, frame.pts)
                report.looked += 1
                report.tracks = sum(survey.track_count for survey in surveys)
                if progress is not None:
                    progress(report)
        if not surveys:
            raise SourceError(f"{report.source}: holds no pictures: check that it plays")
        with report.timing("see"):
            margin = self._settings.margin_seconds
            return merged(
                [
                    (eye.label, refine(survey.finish(), eye.confidence, margin))
                    for eye, survey in zip(self._eyes.each, surveys, strict=True)
                ]
            )

    def _new_survey(self, eye: ClassDetector, info: VideoInfo, time_base: Fraction) -> FirstPass:
        """Return a survey that leaves out what it can come back to."""
        rate, every = float(info.rate), self._settings.detect_every_frames
        is_soon = every == "auto" or every <= _SKIPPED_SECONDS * rate
        follower = eye.follower(every, rate, _SURVEY_HOLD_SECONDS, looks_again=True, skips=is_soon)
        return FirstPass(follower, eye.rewind(rate), info.size, time_base)

    def _render(self, job: Job, tracks: Tracks, report: Report, progress: Progress | None) -> None:
        report.tracks = sum(track.hide for track in tracks.tracks)
        with self._opened(job.source, job.kind) as source:
            self._write(
                source, job, lambda frames: replay(frames, tracks, job.source), report, progress
            )

    def _write(
        self,
        source: ImageReader | VideoReader,
        job: Job,
        see: Callable[[Iterable[Frame]], Iterator[Seen]],
        report: Report,
        progress: Progress | None,
    ) -> None:
        report.expected_frames = source.info.frame_count
        with (
            Prefetcher(report.timed(source, "decode"), _QUEUED_FRAMES, "decode") as decoded,
            self._seen_ahead(see(decoded), report) as seen,
            self._sink(source, job) as sink,
        ):
            for frame, faces in seen:
                with report.timing("redact"):
                    redacted = self.redact(frame, faces)
                with report.timing("write"):
                    sink.write(redacted)
                report.count(faces)
                if progress is not None:
                    progress(report)
        report.warnings = source.warnings + sink.warnings

    def _seen_ahead(
        self, seen: Iterator[Seen], report: Report
    ) -> AbstractContextManager[Iterable[Seen]]:
        """Return the frames with their faces, in a thread of their own if that is any work."""
        if report.found is not None:
            return nullcontext(seen)
        return Prefetcher(report.timed(seen, "see"), _QUEUED_FRAMES, "see")

    def _sink(self, source: ImageReader | VideoReader, job: Job) -> FrameWriter:
        if isinstance(source, ImageReader):
            return ImageWriter(job.target, source, self._settings)
        return VideoWriter(job.target, job.source, source, self._settings)

    def _viewer(self, info: VideoInfo) -> Callable[[Frame], Image]:
        def view(frame: Frame) -> Image:
            return frame.view(view_size(frame.size, self._settings.view_px, info.pixel_aspect))

        return view


def _check_apart(job: Job) -> None:
    if job.target.exists() and job.source.exists() and job.target.samefile(job.source):
        raise SinkError(f"{job.target}: is the input itself: choose another name")
