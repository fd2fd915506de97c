"""Reads a video ahead of its writer: detects and tracks, and hands over tracks that are final."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.errors import SourceError
from tracker_blur.tracking.final_tracks import TrackFinalizer
from tracker_blur.tracking.observation import VideoObserver

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracker_blur.core.frame import Frame, VideoInfo
    from tracker_blur.core.report import Report
    from tracker_blur.core.tracks import Tracks
    from tracker_blur.settings import Settings
    from tracker_blur.tracking.detector_bundle import DetectorBundle


def read_ahead(
    frames: Iterable[Frame],
    info: VideoInfo,
    bundle: DetectorBundle,
    settings: Settings,
    report: Report,
    *,
    by_scene: bool = False,
) -> Iterator[list[Tracks]]:
    """Yield, after each frame and at the end, the pieces of tracks that no later frame changes.

    Most frames end no piece. So stopping this waits for one frame, not for a whole piece.

    Args:
        frames: The frames of the video.
        info: Of the video.
        bundle: What is detected.
        settings: Those of the run.
        report: Counts the frames, and the time that it takes.
        by_scene: As for `TrackFinalizer`.

    Raises:
        SourceError: the video has no frames, or cannot be read to its end.
    """
    observer: VideoObserver | None = None
    finalizer: TrackFinalizer | None = None
    for frame in frames:
        with report.timing("see"):
            if observer is None or finalizer is None:
                observer = VideoObserver.of(bundle, info, frame.time_base, settings)
                finalizer = TrackFinalizer(
                    observer.targets, settings.margin_seconds, by_scene=by_scene
                )
            finalizer.add(observer.step(frame))
            pieces = list(finalizer.pieces())
        report.first_pass_frames += 1
        yield pieces
    if finalizer is None:
        raise SourceError(f"{report.source}: has no frames: check that it plays")
    with report.timing("see"):
        finalizer.end()
        pieces = list(finalizer.pieces())
    yield pieces
