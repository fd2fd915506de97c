"""Redacts one video in pieces: says what to do next, and takes the results.

First, everything is tracked, in spans. What was seen becomes tracks in the order of the frames.
Each piece is rendered as soon as its tracks are known. At the end, the pieces are muxed once, with
the audio, subtitles and chapters of the input. What is on the disk is not done again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from tracker_blur.cluster.assembly import Assembly
from tracker_blur.cluster.seen_files import read_seen
from tracker_blur.cluster.tasks import Advanced, Done, Failed, RenderTask, Tracked, TrackTask
from tracker_blur.core.report import PieceCounts
from tracker_blur.core.tracks import joined
from tracker_blur.errors import SourceError, TrackerBlurError
from tracker_blur.files.sealed import is_intact
from tracker_blur.tracking.final_tracks import TrackFinalizer
from tracker_blur.video.rendered import RenderedPiece

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker_blur.cluster.parameters import ClusterParameters
    from tracker_blur.cluster.tasks import Event, Task, Video
    from tracker_blur.core.report import Report
    from tracker_blur.core.tracks import Tracks
    from tracker_blur.tracking.observation import VideoObserver


class PiecesRun:
    """What was done of a video so far, and what to do next.

    Args:
        video: The video.
        observer: A new observer of it.
        margin_seconds: How long before its first and after its last detection a face is hidden.
        parameters: How often a task is tried.
        report: Counts frames and pieces.
    """

    def __init__(
        self,
        video: Video,
        observer: VideoObserver,
        margin_seconds: float,
        parameters: ClusterParameters,
        report: Report,
    ) -> None:
        self._video = video
        self._parameters = parameters
        self._report = report
        finalizer = TrackFinalizer(observer.targets, margin_seconds)
        self._assembly = Assembly(video.pieces, finalizer, len(observer.targets))
        self._tracks: list[Tracks] = []
        self._to_render: dict[int, RenderTask] = {}
        self._rendered: set[int] = set()
        self._seen: set[tuple[int, int]] = set()  # span and piece, on the disk
        self._last_piece: dict[int, int] = {}  # of spans that are over
        self._running: dict[Task, int] = {}  # and how many frames are done
        self._failures: Counter[Task] = Counter()
        self._counts = PieceCounts(len(video.pieces.parts))
        self._find_what_is_there()

    @property
    def is_over(self) -> bool:
        """Whether all pieces are rendered."""
        return len(self._rendered) == len(self._video.pieces.parts)

    def next_task(self) -> Task | None:
        """Return the next task, and note that it is being done; None: there is none now.

        What everything else waits for comes first, then pieces that can be rendered. Spans that are
        tracked ahead may turn out to be of no use.
        """
        task = next(self._tasks(), None)
        if task is not None:
            self._running[task] = 0
        return task

    def useless(self) -> list[Task]:
        """Return tasks whose results no one needs any more."""
        if self._assembly.is_over:
            return [task for task in self._running if isinstance(task, TrackTask)]
        return [
            task
            for task in self._running
            if isinstance(task, TrackTask) and self._is_passed(task.span)
        ]

    def take(self, task: Task, event: Event) -> None:
        """Take an event of a task.

        Raises:
            TrackerBlurError: It has failed too often, or what it made is damaged.
        """
        if isinstance(event, Advanced):
            if task in self._running:
                self._running[task] = event.frames
        elif isinstance(event, Failed):
            self._fail(task, event)
        elif isinstance(event, Tracked) and isinstance(task, TrackTask):
            self._note_seen(task.span, event.piece, is_over=event.is_over)
            self._assemble()
        elif isinstance(event, Done):
            self._running.pop(task, None)
            if isinstance(task, RenderTask):
                self._note_rendered(task)
        self._count()

    def drop(self, task: Task) -> None:
        """Note that a task is not being done any more."""
        self._running.pop(task, None)

    def pieces(self) -> list[RenderedPiece]:
        """Return all pieces, in order, when all are rendered.

        Raises:
            SourceError: One of them is not what it should be.
        """
        store = self._video.store
        numbers = range(len(self._video.pieces.parts))
        return [
            self._checked(number, RenderedPiece.of(store.rendered(number))) for number in numbers
        ]

    @property
    def tracks(self) -> Tracks:
        """The tracks of the whole video, when all are known."""
        return joined(self._tracks)

    def _tasks(self) -> Iterator[Task]:
        """Yield what can be done and is not being done, most urgent first."""
        assembly = self._assembly
        tracked = [TrackTask(self._video, span) for span in self._video.pieces.spans]
        if not assembly.is_over:
            front = TrackTask(self._video, assembly.span)
            if front not in self._running and assembly.span not in self._last_piece:
                yield front
        yield from (task for task in self._to_render.values() if task not in self._running)
        if assembly.is_over:
            return
        for task in tracked:
            is_known = task.span in self._last_piece or task in self._running
            if task.span > assembly.span and not is_known and not self._is_passed(task.span):
                yield task

    def _is_passed(self, span: int) -> bool:
        """Return whether the observer whose turn it is has gone by this span, or has taken over."""
        spans = self._video.pieces.spans
        front, reached = self._assembly.span, self._assembly.piece
        later = next((one for one in spans if one > span), None)
        return span != front and (span < front or (later is not None and reached > later))

    def _find_what_is_there(self) -> None:
        """Note what an earlier run has left on the disk."""
        store, parts = self._video.store, self._video.pieces.parts
        for piece in range(len(parts)):
            if is_intact(store.rendered(piece)):
                self._rendered.add(piece)
        for span in self._video.pieces.spans:
            for piece in range(span, len(parts)):
                try:
                    seen = read_seen(store.seen(span, piece))
                except (SourceError, ValueError, OSError, EOFError):
                    break
                is_over = seen.handover is not None or piece == len(parts) - 1
                self._note_seen(span, piece, is_over=is_over)
                if is_over:
                    break
        self._assemble()
        self._count()

    def _note_seen(self, span: int, piece: int, *, is_over: bool) -> None:
        self._seen.add((span, piece))
        if is_over:
            self._last_piece[span] = piece

    def _assemble(self) -> None:
        """Make tracks of what was seen, as far as it goes."""
        assembly, store = self._assembly, self._video.store
        while not assembly.is_over:
            span = assembly.span
            piece = min(assembly.piece, self._last_piece.get(span, assembly.piece))
            if (span, piece) not in self._seen:
                return
            for known in assembly.add(read_seen(store.seen(span, piece))):
                self._tracks.append(known.tracks)
                self._report.count_tracks(self._labels())
                if known.number not in self._rendered:
                    task = RenderTask(self._video, known.number, known.tracks, known.turned)
                    self._to_render[known.number] = task

    def _labels(self) -> list[str]:
        labels = {one.track_id: one.label for tracks in self._tracks for one in tracks.tracks}
        return list(labels.values())

    def _note_rendered(self, task: RenderTask) -> None:
        try:
            self._checked(task.piece, RenderedPiece.of(self._video.store.rendered(task.piece)))
        except SourceError as error:
            self._fail(task, Failed(str(error)))
            return
        self._rendered.add(task.piece)
        self._to_render.pop(task.piece, None)

    def _checked(self, number: int, piece: RenderedPiece) -> RenderedPiece:
        """Return a piece if it has the frames that it should have; raises SourceError if not."""
        part, info = self._video.pieces.parts[number], piece.info
        is_before = part.stop is None or info.last_pts < part.stop
        if (info.frames, info.first_pts) != (part.frame_count, part.start) or not is_before:
            raise SourceError(f"{piece.path}: has other frames than its part of the video")
        return piece

    def _fail(self, task: Task, event: Failed) -> None:
        self._running.pop(task, None)
        self._failures[task] += 1
        self._counts = replace(self._counts, lost=self._counts.lost + 1)
        if self._failures[task] >= self._parameters.attempts:
            raise TrackerBlurError(
                f"{self._video.source}: {task.name} failed {self._parameters.attempts} times: "
                f"{event.reason}"
            )

    def _count(self) -> None:
        """Bring the report up to date."""
        report, parts = self._report, self._video.pieces.parts
        report.first_pass_frames = self._assembly.frame_count
        report.frames = sum(parts[piece].frame_count for piece in self._rendered)
        for task, frames in self._running.items():
            if isinstance(task, RenderTask):
                report.frames += frames
            elif isinstance(task, TrackTask) and task.span == self._assembly.span:
                reached = parts[task.span].first_frame + frames
                report.first_pass_frames = max(report.first_pass_frames, reached)
        report.pieces = replace(self._counts, done=len(self._rendered))
