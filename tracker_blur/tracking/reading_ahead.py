"""Reads a video ahead of its writer: detects and tracks, and hands over tracks that are final."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tracker_blur.errors import SourceError
from tracker_blur.tracking.final_tracks import Target, TrackFinalizer
from tracker_blur.tracking.first_pass import FirstPass
from tracker_blur.tracking.lazy_view import LazyView
from tracker_blur.tracking.scene_cuts import CutDetector
from tracker_blur.tracking.schedule import long_interval_frames

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from fractions import Fraction

    from tracker_blur.core.frame import Frame, VideoInfo
    from tracker_blur.core.report import Report
    from tracker_blur.core.tracks import Tracks
    from tracker_blur.settings import Settings
    from tracker_blur.tracking.detector_bundle import ClassDetector, DetectorBundle


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

    Most frames end no piece. So whoever stops this waits for one frame, not for a whole piece.

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
    views = bundle.views(settings.view_px, info.pixel_aspect)
    limits = settings.tracking.scene_cuts
    cuts = CutDetector(limits)
    targets: list[Target] = []
    finalizer: TrackFinalizer | None = None
    for frame in frames:
        with report.timing("see"):
            if finalizer is None:
                targets = [
                    _target(detector, info, frame.time_base, settings)
                    for detector in bundle.detectors
                ]
                finalizer = TrackFinalizer(targets, settings.margin_seconds, by_scene=by_scene)
            change = cuts.change(frame.view(limits.thumbnail_px))
            view = LazyView(change, partial(views.view, frame, change))
            for target in targets:
                target.first_pass.step(view, frame.pts)
            pieces = list(finalizer.pieces())
        report.first_pass_frames += 1
        yield pieces
    if finalizer is None:
        raise SourceError(f"{report.source}: has no frames: check that it plays")
    with report.timing("see"):
        for target in targets:
            target.first_pass.end()
        pieces = list(finalizer.pieces())
    yield pieces


def _target(
    detector: ClassDetector, info: VideoInfo, time_base: Fraction, settings: Settings
) -> Target:
    """Return what one class is tracked by; frames that can be interpolated are skipped."""
    rate, every = float(info.rate), settings.detect_every_frames
    limits = settings.tracking.first_pass
    tracker = detector.online_tracker(
        every,
        rate,
        limits.hold_seconds,
        redetect=True,
        is_first_pass=True,
        skip_frames=every == "auto" or every <= limits.max_skipped_seconds * rate,
    )
    first_pass = FirstPass(tracker, detector.backtracker(rate), info.size, time_base)
    return Target(
        detector.label,
        first_pass,
        detector.confidence,
        detector.parameters,
        long_interval_frames(every, rate, settings.tracking.schedule),
    )
