"""The pipeline from an input to an output.

A video file is decoded twice. One thread reads ahead, detects and tracks, and hands over tracks as
soon as no later frame changes them. Behind it, the frames are decoded again, redacted and written.
With zones and limits of faces, and with chosen people, all frames are read first: they need whole
tracks. So does a careful run, which then searches its own result, hides what it finds, and writes.
So does one that only tracks. As all is known then, all of a scene decides about each of its frames.
Live input and still images take one pass: decode, detect and track, redact, write. The stages run
in their own threads with bounded queues between them. So they overlap, and only the tracks take
memory that grows with the length. An error in any stage ends the run, and the writer leaves nothing
behind.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from tracker_blur.core.box import Detection
from tracker_blur.core.frame import (
    Frame,
    FrameReader,
    FrameWriter,
    RedactedFrame,
    VideoInfo,
)
from tracker_blur.core.prefetch import Prefetcher
from tracker_blur.core.report import Progress, Report
from tracker_blur.core.timeline import split
from tracker_blur.core.tracks import Face, Tracks, joined
from tracker_blur.core.zones import ZONE
from tracker_blur.errors import SettingsError
from tracker_blur.files.atomic import check_place
from tracker_blur.files.identity import FileIdentity
from tracker_blur.files.paths import is_animation, is_same_file
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import Settings, method_class_of
from tracker_blur.tracking.detector_bundle import DetectorBundle
from tracker_blur.tracking.known_tracks import frames_with_faces, with_times_of
from tracker_blur.tracking.lookahead import look_ahead
from tracker_blur.tracking.reading_ahead import read_ahead
from tracker_blur.tracking.rule_filter import RuleFilter
from tracker_blur.tracking.still_tracks import StillTracks
from tracker_blur.tracking.stills import detect_stills
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tracker_blur.core.rules import Rules
    from tracker_blur.detectors import LabelledDetector
    from tracker_blur.files.jobs import Job
    from tracker_blur.files.paths import MediaKind
    from tracker_blur.images.reader import ImageReader
    from tracker_blur.people.chooser import PeopleChooser
    from tracker_blur.verification.careful_search import CarefulSearch

FrameWithFaces: TypeAlias = tuple[Frame, tuple[Face, ...]]

_QUEUED_FRAMES = 2  # evens out the stages; more would only take memory
_FRAMES_AHEAD = 64  # how far the reader gets ahead of what is final: only tracks wait, no frames


class Engine:
    """Detectors, trackers and redaction methods, loaded once for any number of files.

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
        self._detector = detector
        self._rules = settings.rules()
        self._redactor = FrameRedactor(settings)

    @cached_property
    def _bundle(self) -> DetectorBundle:
        return DetectorBundle.of(self._settings, self._detector)

    @property
    def bundle(self) -> DetectorBundle:
        """The detectors and trackers."""
        return self._bundle

    @property
    def detector_name(self) -> str:
        """The detector in use, also where the settings say "auto"."""
        return self._bundle.name

    @property
    def weight_files(self) -> tuple[str, ...]:
        """Names of the detectors' weight files."""
        return self._bundle.weight_files

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes that are hidden."""
        return tuple(detector.label for detector in self._bundle.detectors)

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
                self._check_rules(source.info, str(job.source))
                self._load_people()
                if not source.info.is_moving or self._settings.one_pass:
                    detect = self.single_pass(source.info, report)
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
            if self._settings.careful:
                self._search_carefully(job.kind, identity, report, progress)
            self._choose_people(job.kind, identity, report, progress)
            self._render(job, identity, report.video_tracks, report, progress)
        return report

    def track_file(
        self,
        path: Path,
        kind: MediaKind,
        progress: Progress | None = None,
        identity: FileIdentity | None = None,
    ) -> Report:
        """Track the faces of a whole video; nothing is written.

        Args:
            path: the video.
            kind: how it is read.
            progress: called after each frame.
            identity: of the video, for callers that read it, too; None: as it is now.

        Raises:
            SourceError: the video cannot be read to its end, or has changed.
            SettingsError: it is a still image.
        """
        report = self._report(path, path)
        identity = identity or FileIdentity.of(path)
        with report.timing_all(), self._reader(kind, identity) as source:
            if not source.info.is_moving:
                raise SettingsError(f"{path}: a still image has no tracks: give a video")
            self._check_rules(source.info, str(path))
            self._load_people()
            report.video_tracks = self._first_pass(source, report, progress)
            if self._settings.careful:
                self._search_carefully(kind, identity, report, progress)
            self._choose_people(kind, identity, report, progress)
            report.count_known(report.video_tracks)
            report.warnings = source.warnings + _rule_warnings(self._rules)
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
            report.video_tracks = self._retimed(job, identity, tracks)
            self._render(job, identity, report.video_tracks, report, progress)
        return report

    def single_pass(
        self, info: VideoInfo, report: Report | None = None
    ) -> Callable[[Iterable[Frame]], Iterator[FrameWithFaces]]:
        """Return a function that gives the frames of one input with their faces, in one pass.

        Faces are tracked through a video. Each still image is searched at several scales, and again
        in a careful run.

        Args:
            info: of the input.
            report: counts what a careful run adds.

        Raises:
            SettingsError: a careful run needs a video's whole result, and this is one pass; or a
                zone lies outside of the frame.
        """
        if report is None:  # the library's frames; those of files are checked when they are opened
            self._check_rules(info, "the image")
        if not info.is_moving:
            return lambda frames: self._stills(frames, report)
        if self._settings.careful:
            raise SettingsError(
                "searches the whole result, and frames are redacted here as they come: leave it "
                "out, or redact a file",
                setting="careful",
            )
        if self._settings.chooses_people:
            raise SettingsError(
                "needs all of a video, and frames are redacted here as they come: leave it out, or "
                "redact a file",
                setting=next(
                    name
                    for name in ("keep_people", "hide_people")
                    if getattr(self._settings, name) is not None
                ),
            )
        settings, rate = self._settings, float(info.rate)
        delay = min(settings.tracking.max_delay_frames, round(settings.delay_seconds * info.rate))
        tracker = self._bundle.online_tracker(
            settings.detect_every_frames, rate, settings.hold_seconds
        )
        backtracker = self._bundle.backtracker(rate) if delay else None

        def detect(frames: Iterable[Frame]) -> Iterator[FrameWithFaces]:
            faces = look_ahead(
                frames,
                self._bundle.views(settings.view_px, info.pixel_aspect).view,
                tracker,
                backtracker,
                delay,
                settings.tracking.smoothing,
                margin_seconds=settings.margin_seconds,
            )
            return self._obeying(faces, report) if settings.has_rules else faces

        return detect

    def detect(self, frame: Frame, confidence: float | None = None) -> list[Detection]:
        """Return what is hidden in a still image, as `single_pass` does.

        Args:
            frame: the image.
            confidence: score from which a detection counts by itself; None: that of the settings.
        """
        return [
            Detection(face.box, face.score, face.label)
            for face in self.faces(frame, confidence)
            if face.label != ZONE
        ]

    def faces(self, frame: Frame, confidence: float | None = None) -> tuple[Face, ...]:
        """Return what is hidden in a still image, as `detect` does, with the zones.

        Raises:
            SettingsError: A zone lies outside of the image, or has times.
        """
        self._check_rules(VideoInfo(frame.size, Fraction(1), Fraction(1), None, False), "the image")
        ((_, faces),) = self._stills([frame], None, confidence)
        return faces

    def redact(self, frame: Frame, faces: tuple[Face, ...]) -> RedactedFrame:
        """Hide these faces in the frame's own planes."""
        return self._redactor.redact(frame, faces)

    def _report(self, source: Path, target: Path) -> Report:
        counts = {detector.label: 0 for detector in self._bundle.detectors}
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
        with Prefetcher(report.timed(source, "decode"), _QUEUED_FRAMES, "decode") as frames:
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
        return read_ahead(frames, info, self._bundle, self._settings, report, by_scene=by_scene)

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
            Prefetcher(report.timed(ahead, "decode ahead"), _QUEUED_FRAMES, "decode") as frames,
            Prefetcher(self._read_ahead(ahead.info, frames, report), _FRAMES_AHEAD, "see") as found,
            self._reader(job.kind, identity) as source,
        ):
            self._write_known(source, job, pieces(found), report, progress)
        report.video_tracks = replace(joined(tracks), rules=self._rules)
        report.count_tracks(track.label for track in report.video_tracks.tracks)

    def _obeying(
        self, frames: Iterable[FrameWithFaces], report: Report | None
    ) -> Iterator[FrameWithFaces]:
        """Yield frames with what zones and limits say is to be hidden in them."""
        chosen = RuleFilter(self._rules)
        for frame, faces in chosen.frames(frames):
            if report is not None:
                report.left_visible = chosen.counts
            yield frame, faces

    def _check_rules(self, info: VideoInfo, name: str) -> None:
        """Check, before anything is detected, that zones and limits make sense for an input.

        Raises:
            SettingsError: They do not. `name` is the input's.
        """
        if not info.is_moving and any(zone.is_timed for zone in self._rules.zones):
            raise SettingsError(
                f"{name}: is a still image, and a zone has times, which images do not: leave them "
                "out, or redact images apart from videos"
            )
        self._rules.check(info.size, name)

    @property
    def needs_whole_tracks(self) -> bool:
        """Whether all frames of a video are read before any is written."""
        settings = self._settings
        return settings.careful or settings.chooses_people or self._rules.concerns_frames

    @cached_property
    def _people(self) -> PeopleChooser:
        from tracker_blur.people.chooser import PeopleChooser
        from tracker_blur.weights.store import Weights

        settings = self._settings
        return PeopleChooser(settings, self._bundle.detectors, Weights(settings.models_folder))

    def _load_people(self) -> None:
        """Read the photos of chosen people, before minutes are spent on detection."""
        if self._settings.chooses_people:
            _ = self._people

    def _choose_people(
        self, kind: MediaKind, identity: FileIdentity, report: Report, progress: Progress | None
    ) -> None:
        """Leave those parts of a video's tracks visible that who they are says so of."""
        if not self._settings.chooses_people:
            return
        assert report.video_tracks is not None  # the first pass is over
        report.passes += 1
        with report.timing("people"), self._reader(kind, identity) as source:
            report.video_tracks, report.people = self._people.choose(
                source, report.video_tracks, lambda: progress and progress(report)
            )

    @cached_property
    def _careful_search(self) -> CarefulSearch:
        from tracker_blur.verification.careful_search import CarefulSearch

        return CarefulSearch(self._settings, self._detector)

    def _search_carefully(
        self, kind: MediaKind, identity: FileIdentity, report: Report, progress: Progress | None
    ) -> None:
        """Add to the tracks of a video what its result would still show."""
        with report.timing("look again"):
            self._careful_search.revise(lambda: self._reader(kind, identity), report, progress)

    def _stills(
        self, frames: Iterable[Frame], report: Report | None, confidence: float | None = None
    ) -> Iterator[FrameWithFaces]:
        """Yield still images with their faces."""
        stills = detect_stills(frames, self._bundle.detectors, confidence)
        if self._settings.careful:
            stills = self._careful_search.revised(stills, report)
        if self._settings.chooses_people:
            stills = self._without_visible_people(stills, report)
        if not self._settings.has_rules:
            yield from stills
            return
        chosen = RuleFilter(self._rules)
        for frame, faces in stills:
            hidden = chosen.still(faces, frame.size)
            if report is not None:
                report.left_visible = chosen.counts
            yield frame, hidden

    def _without_visible_people(
        self, stills: Iterable[FrameWithFaces], report: Report | None
    ) -> Iterator[FrameWithFaces]:
        """Yield still images without the faces that stay visible because of who they are."""
        seen = StillTracks(self._rules)
        for frame, faces in stills:
            hidden, said = self._people.hidden(frame, faces)
            hidden_ids = {face.track_id for face in hidden}
            seen.add(frame, faces, {face.track_id for face in faces} - hidden_ids)
            if report is not None:
                report.people = said if report.people is None else report.people.with_more(said)
            yield frame, hidden
        if report is not None:
            report.image_tracks = seen.tracks()

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
        """Write the target with what these tracks say hidden."""
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
            Prefetcher(report.timed(source, "decode"), _QUEUED_FRAMES, "decode") as decoded,
            with_faces(decoded) as known,
            self._writer(source, job, report.video_tracks) as writer,
        ):
            for frame, faces in known:
                with report.timing("redact"):
                    redacted = self.redact(frame, faces)
                with report.timing("write"):
                    writer.write(redacted)
                report.count(faces)
                if progress is not None:
                    progress(report)
        rules = self._rules if report.video_tracks is None else report.video_tracks.rules
        report.warnings = (
            source.warnings + writer.warnings + (() if report.is_still else _rule_warnings(rules))
        )


def _rule_warnings(rules: Rules) -> tuple[str, ...]:
    if not rules.has_span:
        return ()
    return (f"faces are hidden {rules.span} only: all others can be seen",)


def _check_apart(job: Job) -> None:
    if is_same_file(job.target, job.source):
        raise SettingsError(f"{job.target}: is the input itself: choose another name")
