"""Does tasks, with detectors that stay loaded."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from tracker_blur.cluster.program import PROGRAM
from tracker_blur.cluster.seen_files import SeenPiece, write_seen
from tracker_blur.cluster.tasks import Advanced, Done, RenderTask, Tracked, TrackTask, WholeTask
from tracker_blur.core.prefetch import Prefetcher
from tracker_blur.errors import SourceError, TrackerBlurError
from tracker_blur.pipeline import Engine
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.tracking.detector_bundle import DetectorBundle
from tracker_blur.tracking.handover import RelayedObserver
from tracker_blur.tracking.known_tracks import frames_with_faces
from tracker_blur.tracking.observation import VideoObserver
from tracker_blur.tracking.shared_detector import SharedDetector
from tracker_blur.video.containers import container_format
from tracker_blur.video.key_frames import Part
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.rendered import write_piece

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracker_blur.cluster.tasks import Reporter, Task, Video
    from tracker_blur.core.frame import RedactedFrame
    from tracker_blur.core.report import Report
    from tracker_blur.detectors import LabelledDetector
    from tracker_blur.settings import Settings
    from tracker_blur.tracking.first_pass import Seen
    from tracker_blur.video.frame import DecodedFrame

_QUEUED_FRAMES = 2
_FRAMES_A_REPORT = 10  # from one report to the next


class PieceWorker:
    """Tracks and renders pieces of videos.

    Args:
        settings: How faces are detected, tracked, hidden and written.
        detector: The caller's own, instead of the one that the settings name.
    """

    def __init__(self, settings: Settings, detector: LabelledDetector | None = None) -> None:
        self._settings = settings
        self._detector = detector

    @cached_property
    def _bundle(self) -> DetectorBundle:
        """The detectors; two observers that see the same image share what is detected in it."""
        bundle = DetectorBundle.of(self._settings, self._detector)
        shared = (replace(one, detector=SharedDetector(one.detector)) for one in bundle.detectors)
        return replace(bundle, detectors=tuple(shared))

    def do(self, task: Task, report: Reporter) -> Done:
        """Do a task.

        Raises:
            TrackerBlurError: It cannot be done.
        """
        if isinstance(task, WholeTask):
            return Done(self._redact(task, report))
        if task.video.program != PROGRAM:
            raise TrackerBlurError(
                "another version of trackblur, or of a package that it uses, is installed there: "
                "install the same everywhere"
            )
        if isinstance(task, TrackTask):
            self._track(task, report)
        else:
            self._render(task, report)
        return Done()

    @cached_property
    def _engine(self) -> Engine:
        return Engine(self._settings, self._detector)

    def _redact(self, task: WholeTask, report: Reporter) -> Report:
        calls = itertools.count(1)

        def show(state: Report) -> None:
            if next(calls) % _FRAMES_A_REPORT == 0:
                report(Advanced(state.frames, state.first_pass_frames))

        return self._engine.redact_file(task.job, show)

    def _track(self, task: TrackTask, report: Reporter) -> None:
        video, parts = task.video, task.video.pieces.parts
        start = parts[task.span]
        rest = video.pieces.frame_count - start.first_frame
        later = [parts[span].start for span in video.pieces.spans if span > task.span]
        with (
            self._reader(video, Part(start.start, None, start.first_frame, rest)) as reader,
            Prefetcher(reader, _QUEUED_FRAMES, "decode") as frames,
        ):

            def new_observer() -> VideoObserver:
                time_base = reader.track.time_base
                return VideoObserver.of(self._bundle, reader.info, time_base, self._settings)

            relay = RelayedObserver(new_observer, later)
            piece = task.span
            seen: list[tuple[Seen, ...]] = []
            for frame in self._reported(frames, report):
                part = parts[piece]
                if not seen and frame.pts != part.start:
                    raise SourceError(f"{video.source}: cannot be read from its middle on")
                newest, handover = relay.step(frame)
                seen.append(newest)
                if handover is None and len(seen) < part.frame_count:
                    continue
                write_seen(video.store.seen(task.span, piece), SeenPiece(tuple(seen), handover))
                is_over = handover is not None or piece == len(parts) - 1
                report(Tracked(piece, is_over))
                if is_over:
                    return
                piece, seen = piece + 1, []

    def _render(self, task: RenderTask, report: Reporter) -> None:
        video, part = task.video, task.video.pieces.parts[task.piece]
        redactor = FrameRedactor(self._settings, turned=task.turned)
        with (
            self._reader(video, part) as reader,
            Prefetcher(reader, _QUEUED_FRAMES, "decode") as frames,
        ):

            def redacted() -> Iterator[RedactedFrame]:
                reported = self._reported(frames, report)
                for frame, faces in frames_with_faces(reported, [task.tracks], str(video.source)):
                    yield redactor.redact(frame, faces)

            path, form = video.store.rendered(task.piece), container_format(video.target)
            write_piece(path, redacted(), reader, form, self._settings)

    def _reader(self, video: Video, part: Part) -> VideoReader:
        return VideoReader(
            video.source,
            identity=video.identity(),
            max_megapixels=self._settings.max_megapixels,
            part=part,
        )

    def _reported(self, frames: Iterable[DecodedFrame], report: Reporter) -> Iterator[DecodedFrame]:
        for count, frame in enumerate(frames, 1):
            yield frame
            if count % _FRAMES_A_REPORT == 0:
                report(Advanced(count))
