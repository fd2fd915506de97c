"""Files: from an input to an output.

A video file is decoded twice. One thread reads ahead, detects and tracks, and hands over tracks as
soon as no later frame changes them. Behind it, the frames are decoded again, redacted and written.
With zones and limits of faces, and with chosen people, all frames are read first: they need whole
tracks. So does a careful run, which then searches its own result, hides what it finds, and writes.
So does one that only tracks. Then, all of a scene decides about each of its frames.
Still images, and videos with `--one-pass`, take one pass (`frame_engine`). The stages run in their
own threads with bounded queues between them. So they overlap, and only the tracks take memory that
grows with the length. An error in any stage ends the run, and the writer leaves nothing behind.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from tracker_blur.core.prefetch import Prefetcher
from tracker_blur.core.report import Progress, Report
from tracker_blur.core.timeline import split
from tracker_blur.core.tracks import Tracks, joined
from tracker_blur.errors import SettingsError
from tracker_blur.files.atomic import check_place
from tracker_blur.files.identity import FileIdentity
from tracker_blur.files.paths import is_animation, is_same_file
from tracker_blur.pipeline.frame_engine import FrameEngine
from tracker_blur.pipeline.rules import check_rules, check_times, rule_warnings
from tracker_blur.settings import Settings, method_class_of
from tracker_blur.tracking.candidates import with_candidates
from tracker_blur.tracking.known_tracks import frames_with_faces, with_times_of
from tracker_blur.tracking.reading_ahead import read_ahead
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tracker_blur.core.frame import Frame, FrameReader, FrameWriter, VideoInfo
    from tracker_blur.detectors import LabelledDetector
    from tracker_blur.files.jobs import Job
    from tracker_blur.files.paths import MediaKind
    from tracker_blur.images.reader import ImageReader
    from tracker_blur.pipeline.rules import FrameWithFaces
    from tracker_blur.tracking.detector_bundle import DetectorBundle

_QUEUED_FRAMES = 2  # evens out the stages; more would only take memory
_LARGE_FRAME_PX = 4_000_000  # from here on only one waits: of 4K, each takes 12 MB or more
_FRAMES_AHEAD = 64  # how far the reader gets ahead of what is final: only tracks wait, no frames


class Engine:
    """Redacts, tracks and renders any number of files; what that needs is loaded once.

    Detectors and trackers are loaded when they are first needed, which may raise ModelError or
    MissingPackageError. Rendering tracks needs neither.

    Args:
        settings: how faces are detected, tracked, hidden and written.
        detector: the caller's own, instead of the one that the settings name.

    Raises:
        SettingsError: the redaction method does not work with the settings.
    """

    def __init__(self, settings: Settings, detector: LabelledDetector | None = None) -> None:
        self._settings = settings
        self._frames = FrameEngine(settings, detector)
        self._rules = self._frames.rules
        self._people = self._frames.people

    @property
    def bundle(self) -> DetectorBundle:
        """The detectors and trackers."""
        return self._frames.bundle

    @property
    def detector_name(self) -> str:
        """The detector in use, also where the settings say "auto"."""
        return self.bundle.name

    @property
    def weight_files(self) -> tuple[str, ...]:
        """Names of the detectors' weight files."""
        return self.bundle.weight_files

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes that are hidden."""
        return tuple(detector.label for detector in self.bundle.detectors)

    @property
    def needs_whole_tracks(self) -> bool:
        """Whether all frames of a video are read before any is written."""
        settings = self._settings
        return settings.careful or settings.chooses_people or self._rules.concerns_frames

    def redact_file(
        self, job: Job, progress: Progress | None = None, identity: FileIdentity | None = None
    ) -> Report:
        """Read the job's source, hide every face in it, write its target.

        Args:
            job: what to read and to write.
            progress: called after each frame.
            identity: of the source, for callers that read it, too; None: as it is now.

        Raises:
            TrackerBlurError: such as SourceError or SinkError; then there is no target.
        """
        report = self._report(job.source, job.target)
        report.method_class = self._settings.method_class
        with report.timing_all():
            _check_apart(job)
            identity = identity or FileIdentity.of(job.source)
            with self._reader(job.kind, identity) as source:
                report.is_still = not source.info.is_moving
                check_rules(self._rules, source.info, str(job.source))
                if job.kind == "video":
                    check_times(self._rules, job.source)
                self._people.load()
                if not source.info.is_moving or self._settings.one_pass:
                    detect = self._frames.single_pass(source.info, report)
                    self._write(
                        source,
                        job,
                        lambda frames: Prefetcher(
                            report.timed(detect(frames), "see"), _QUEUED_FRAMES, "see"
                        ),
                        report,
                        progress,
                    )
                    return report
                self._writer(source, job)  # fails before minutes are spent on detection
                check_place(job.target, self._settings.overwrite)
                # Whether a face stays visible depends on all of its track, and times of zones count
                # from the first frame, which most pieces lack. Audio needs neither.
                if not self.needs_whole_tracks:
                    self._redact_behind(source, job, identity, report, progress)
                    return report
                report.passes = 2
                report.video_tracks = self._first_pass(source, report, progress)
            self._revise(job.kind, identity, report, progress)
            self._render(job, identity, report.video_tracks, report, progress)
        return report

    def track_file(
        self,
        path: Path,
        kind: MediaKind,
        progress: Progress | None = None,
        identity: FileIdentity | None = None,
        *,
        is_reviewed: bool = False,
    ) -> Report:
        """Track the faces of a whole video; nothing is written.

        Args:
            path: the video.
            kind: how it is read.
            progress: called after each frame.
            identity: of the video, for callers that read it, too; None: as it is now.
            is_reviewed: whether a person looks at the tracks before anything is rendered.

        Raises:
            SourceError: the video cannot be read to its end, or has changed.
            SettingsError: it is a still image; or no one may be left visible without a look.
        """
        report = self._report(path, path)
        identity = identity or FileIdentity.of(path)
        with report.timing_all(), self._reader(kind, identity) as source:
            if not source.info.is_moving:
                raise SettingsError(f"{path}: a still image has no tracks: give a video")
            check_rules(self._rules, source.info, str(path))
            if kind == "video":
                check_times(self._rules, path)
            self._people.load(is_reviewed=is_reviewed)
            report.video_tracks = self._first_pass(source, report, progress)
            self._revise(kind, identity, report, progress)
            report.video_tracks = with_candidates(report.video_tracks, self._settings.tracking)
            report.count_known(report.video_tracks)
            report.warnings = source.warnings + rule_warnings(self._rules) + self._people.warnings
        return report

    def render_file(
        self,
        job: Job,
        tracks: Tracks,
        progress: Progress | None = None,
        identity: FileIdentity | None = None,
    ) -> Report:
        """Read the job's source, hide what the tracks say, write its target.

        Args:
            job: what to read and to write.
            tracks: the tracks of the source.
            progress: called after each frame.
            identity: of the file that the tracks were made for; None: the source as it is now.

        Raises:
            SourceError: the source cannot be read, or the tracks are another video's.
            SinkError: the target cannot be written. In both cases there is no target.
        """
        report = Report(job.source, job.target)
        of_settings = self._settings.method
        hidden, _ = split(tracks)
        methods = {track.method or of_settings for track in hidden}
        methods |= {of_settings for _ in tracks.rules.hide_zones}
        report.method_class = method_class_of(*methods) if methods else None
        tracks.rules.check(tracks.size, str(job.source))
        with report.timing_all():
            _check_apart(job)
            identity = identity or FileIdentity.of(job.source)
            if job.kind == "video":
                check_times(tracks.rules, job.source)
                check_times(self._rules, job.source)
            report.video_tracks = self._retimed(job, identity, tracks)
            self._render(job, identity, report.video_tracks, report, progress)
        return report

    def _report(self, source: Path, target: Path) -> Report:
        counts = {detector.label: 0 for detector in self.bundle.detectors}
        return Report(source, target, self.detector_name, track_counts=counts)

    def _reader(self, kind: MediaKind, identity: FileIdentity) -> ImageReader | VideoReader:
        reader: type[ImageReader | VideoReader] = VideoReader
        if kind == "image":
            from tracker_blur.images.reader import ImageReader  # and Pillow: no video waits for it

            reader = ImageReader
        return reader(
            identity.path,
            partial=self._settings.partial,
            identity=identity,
            max_megapixels=self._settings.max_megapixels,
        )

    def _writer(
        self, source: ImageReader | VideoReader, job: Job, tracks: Tracks | None = None
    ) -> FrameWriter:
        if isinstance(source, VideoReader):
            spans = dict.fromkeys((*(tracks.rules.audio if tracks else ()), *self._rules.audio))
            return VideoWriter(job.target, job.source, source, self._settings, tuple(spans))
        from tracker_blur.images.writer import ImageWriter

        return ImageWriter(job.target, source, self._settings)

    def _first_pass(self, source: FrameReader, report: Report, progress: Progress | None) -> Tracks:
        """Go through all frames of a video and return the tracks to hide."""
        report.expected_frames = source.info.frame_count
        tracks: list[Tracks] = []
        labels: dict[int, str] = {}
        shown = 0
        with _decoded(source, report, "decode") as frames:
            for pieces in self._read_ahead(source.info, frames, report, by_scene=True):
                tracks += pieces
                labels |= {track.track_id: track.label for each in pieces for track in each.tracks}
                report.count_tracks(labels.values())
                if progress is not None and report.first_pass_frames > shown:
                    shown = report.first_pass_frames
                    progress(report)
        return replace(joined(tracks), rules=self._rules)

    def _read_ahead(
        self, info: VideoInfo, frames: Iterable[Frame], report: Report, *, by_scene: bool = False
    ) -> Iterator[list[Tracks]]:
        return read_ahead(frames, info, self.bundle, self._settings, report, by_scene=by_scene)

    def _redact_behind(
        self,
        ahead: FrameReader,
        job: Job,
        identity: FileIdentity,
        report: Report,
        progress: Progress | None,
    ) -> None:
        """Write a video's target while its faces are tracked, in a thread that reads ahead."""
        tracks: list[Tracks] = []

        def pieces(found: Iterable[list[Tracks]]) -> Iterator[Tracks]:
            for some in found:
                tracks.extend(some)
                yield from some

        with (
            _decoded(ahead, report, "decode ahead") as frames,
            Prefetcher(self._read_ahead(ahead.info, frames, report), _FRAMES_AHEAD, "see") as found,
            self._reader(job.kind, identity) as source,
        ):
            self._write_known(source, job, pieces(found), report, progress)
        report.video_tracks = replace(joined(tracks), rules=self._rules)
        report.count_tracks(track.label for track in report.video_tracks.tracks)

    def _revise(
        self, kind: MediaKind, identity: FileIdentity, report: Report, progress: Progress | None
    ) -> None:
        """Add what a careful run finds to a video's tracks, and leave chosen people visible."""

        def read() -> ImageReader | VideoReader:
            return self._reader(kind, identity)

        if self._settings.careful:
            with report.timing("look again"):
                self._frames.careful_search.revise(read, report, progress)
        self._people.choose(read, report, progress)

    def _render(
        self,
        job: Job,
        identity: FileIdentity,
        tracks: Tracks,
        report: Report,
        progress: Progress | None,
    ) -> None:
        report.count_known(tracks)
        with self._reader(job.kind, identity) as source:
            self._write_known(source, job, [tracks], report, progress)

    def _write_known(
        self,
        source: ImageReader | VideoReader,
        job: Job,
        pieces: Iterable[Tracks],
        report: Report,
        progress: Progress | None,
    ) -> None:
        """Write the target, with everything hidden that these tracks say."""
        self._write(
            source,
            job,
            lambda frames: nullcontext(frames_with_faces(frames, pieces, str(job.source))),
            report,
            progress,
        )

    def _retimed(self, job: Job, identity: FileIdentity, tracks: Tracks) -> Tracks:
        """Return the tracks of a GIF with the frame times of the reader that this job uses.

        A GIF is read as an image to become one, and as a video to become a video. Each reader has
        its own time base and its own shortest frame. That the file is the same is known by its
        hash.
        """
        if identity.sha256 is None or not is_animation(job.source):
            return tracks
        with self._reader(job.kind, identity) as source:
            return with_times_of(source, tracks)

    def _write(
        self,
        source: ImageReader | VideoReader,
        job: Job,
        with_faces: Callable[[Iterable[Frame]], AbstractContextManager[Iterable[FrameWithFaces]]],
        report: Report,
        progress: Progress | None,
    ) -> None:
        report.expected_frames = source.info.frame_count
        with (
            _decoded(source, report, "decode") as decoded,
            with_faces(decoded) as known,
            self._writer(source, job, report.video_tracks) as writer,
        ):
            for frame, faces in known:
                with report.timing("redact"):
                    redacted = self._frames.redact(frame, faces)
                with report.timing("write"):
                    writer.write(redacted)
                report.count(faces, frame.size)
                if progress is not None:
                    progress(report)
        rules = self._rules if report.video_tracks is None else report.video_tracks.rules
        report.warnings = (
            source.warnings
            + writer.warnings
            + (() if report.is_still else rule_warnings(rules))
            + report.hidden_share.warnings(str(job.target))
        )


def _decoded(source: FrameReader, report: Report, stage: str) -> Prefetcher[Frame]:
    """Return the frames of an input, which a thread decodes ahead of the consumer."""
    width, height = source.info.size
    depth = 1 if width * height >= _LARGE_FRAME_PX else _QUEUED_FRAMES
    return Prefetcher(report.timed(source, stage), depth, "decode")


def _check_apart(job: Job) -> None:
    if is_same_file(job.target, job.source):
        raise SettingsError(f"{job.target}: is the input itself: choose another name")
