"""Redacts a video in pieces on an executor, and falls back to the whole where it cannot be cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from tracker_blur.cluster.manifest import opened_store, remove_store, store_key
from tracker_blur.cluster.parameters import ClusterParameters
from tracker_blur.cluster.pieces import cut
from tracker_blur.cluster.program import PROGRAM
from tracker_blur.cluster.run import PiecesRun
from tracker_blur.cluster.tasks import Video
from tracker_blur.core.report import Report
from tracker_blur.errors import TrackerBlurError
from tracker_blur.files.atomic import check_place
from tracker_blur.files.identity import FileIdentity
from tracker_blur.pipeline.rules import check_times
from tracker_blur.tracking.observation import VideoObserver
from tracker_blur.video.containers import container_format
from tracker_blur.video.key_frames import KeyFrameIndex
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tracker_blur.cluster.manifest import Store
    from tracker_blur.cluster.pieces import Pieces
    from tracker_blur.cluster.tasks import Event, Task
    from tracker_blur.core.report import Progress
    from tracker_blur.files.jobs import Job
    from tracker_blur.pipeline import Engine
    from tracker_blur.settings import Settings

RedactFile: TypeAlias = "Callable[[Job, Progress | None, FileIdentity | None], Report]"

_MOSAIC_TONES = {"scene", "mean"}  # taken from a track's first frame, which another piece has


class Executor(Protocol):
    """Does tasks somewhere."""

    @property
    def idle_count(self) -> int:
        """How many tasks could be started now."""
        ...

    def start(self, task: Task, /) -> None:
        """Start a task."""
        ...

    def cancel(self, task: Task, /) -> None:
        """End a task; it reports no further events."""
        ...

    def wait(self) -> list[tuple[Task, Event]]:
        """Return the events of tasks; wait until there are any."""
        ...


@dataclass(frozen=True)
class PieceRedactor:
    """Redacts videos in pieces.

    Attributes:
        engine: Redacts what is not cut, and says what detects.
        settings: Those of the run.
        new_executor: Returns what does the tasks of a video.
        note: Takes what is useful to know.
        parameters: How videos are cut.
        redact_whole: Redacts what is not cut; None: the engine does.
    """

    engine: Engine
    settings: Settings
    new_executor: Callable[[], AbstractContextManager[Executor]]
    note: Callable[[str], None]
    parameters: ClusterParameters = field(default_factory=ClusterParameters)
    redact_whole: RedactFile | None = None

    def redact_file(
        self, job: Job, progress: Progress | None = None, identity: FileIdentity | None = None
    ) -> Report:
        """Redact a file, as `Engine.redact_file` does: with the same boxes, in pieces if it can be.

        Where this is interrupted or killed, the pieces stay, and the same call continues with them.
        """
        identity = identity or FileIdentity.of(job.source)
        pieces = self._pieces(job)
        if pieces is None:
            return (self.redact_whole or self.engine.redact_file)(job, progress, identity)
        if identity.sha256 is None:
            identity = FileIdentity.of(job.source, hashed=True)
        report = Report(
            job.source,
            job.target,
            self.engine.detector_name,
            self.settings.method_class,
            passes=2,
            expected_frames=pieces.frame_count,
            track_counts=dict.fromkeys(self.engine.labels, 0),
        )
        with report.timing_all():
            self._redact(job, identity, pieces, report, progress)
        return report

    def _pieces(self, job: Job) -> Pieces | None:
        """Return how a file is cut; None if it is redacted as a whole."""
        settings = self.settings
        first_frame_counts = settings.method == "mosaic" and settings.tone in _MOSAIC_TONES
        if (
            job.kind != "video"
            or (settings.one_pass or settings.partial or first_frame_counts)
            or self.engine.needs_whole_tracks
            or not container_format(job.target).holds_tracks
        ):
            return None
        index = KeyFrameIndex.of(job.source)
        pieces = None if index is None else cut(index, self.parameters)
        return None if pieces is None or len(pieces.parts) < 2 else pieces

    def _redact(
        self,
        job: Job,
        identity: FileIdentity,
        pieces: Pieces,
        report: Report,
        progress: Progress | None,
    ) -> None:
        settings = self.settings
        with VideoReader(
            job.source, identity=identity, max_megapixels=settings.max_megapixels
        ) as reader:
            rules = settings.rules()
            check_times(rules, job.source)
            spans = tuple(dict.fromkeys(rules.audio))
            writer = VideoWriter(job.target, job.source, reader, settings, spans, in_pieces=True)
            check_place(job.target, settings.overwrite)
            key = store_key(
                identity.sha256 or "",
                settings,
                self.engine.weight_files,
                job.target.suffix,
                self.parameters,
            )
            details = {"input_sha256": identity.sha256, "pieces": len(pieces.parts)}
            with opened_store(job.target, key, details) as store:
                video = Video(
                    job.source,
                    job.target,
                    identity.size_bytes,
                    identity.modified_ns,
                    pieces,
                    store,
                    PROGRAM,
                )
                observer = VideoObserver.of(
                    self.engine.bundle, reader.info, reader.track.time_base, settings
                )
                run = PiecesRun(video, observer, settings.margin_seconds, self.parameters, report)
                try:
                    self._note_found(job, report)
                    self._do(run, report, progress)
                    with writer:
                        writer.write_pieces(run.pieces())
                except TrackerBlurError:
                    remove_store(store)
                    raise
                except KeyboardInterrupt:
                    self._note_interrupted(job, store, report)
                    raise
                remove_store(store)
            report.video_tracks = run.tracks
            report.count_known(report.video_tracks)
            report.faces = sum(len(track) for track in report.video_tracks.tracks)
            report.hidden_share.add_tracks(report.video_tracks)
            share_warnings = report.hidden_share.warnings(str(job.target))
            report.warnings = reader.warnings + writer.warnings + share_warnings

    def _note_found(self, job: Job, report: Report) -> None:
        if report.pieces is not None and (report.pieces.done or report.first_pass_frames):
            self.note(
                f"{job.target}: continues with {report.pieces.done} of {report.pieces.total} "
                "pieces of an earlier run"
            )

    def _note_interrupted(self, job: Job, store: Store, report: Report) -> None:
        if report.pieces is not None:
            self.note(
                f"{job.target}: {report.pieces.done} of {report.pieces.total} pieces are done, and "
                f"stay in {store.folder}: the same command continues with them"
            )

    def _do(self, run: PiecesRun, report: Report, progress: Progress | None) -> None:
        """Do all tasks of a video."""
        shown = 0
        with self.new_executor() as executor:
            while not run.is_over:
                while executor.idle_count and (task := run.next_task()) is not None:
                    executor.start(task)
                for task, event in executor.wait():
                    run.take(task, event)
                for task in run.useless():
                    executor.cancel(task)
                    run.drop(task)
                frames = report.first_pass_frames + report.frames
                for _ in range(shown, frames):
                    if progress is not None:
                        progress(report)
                shown = max(shown, frames)
