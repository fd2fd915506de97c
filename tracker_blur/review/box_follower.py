r"""\"Track this\": follows a box from a frame through the shot, with the detector's help."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from tracker_blur.annotations.edits import find
from tracker_blur.core.parameters import TrackingParameters
from tracker_blur.core.tracks import ORIGINS, Origin
from tracker_blur.errors import ModelError, SettingsError
from tracker_blur.review.fields import Fields
from tracker_blur.settings import Settings
from tracker_blur.text import listed
from tracker_blur.trackers import csrt
from tracker_blur.tracking import following
from tracker_blur.tracking.detector_bundle import DetectorBundle
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tracker_blur.core.frame import Image
    from tracker_blur.core.tracks import Track, Tracks
    from tracker_blur.review.frame_sources import FrameSource
    from tracker_blur.tracking.box_tracker import Redetect

_DIRECTIONS = ("both", "forward", "back")
_FIRM = [ORIGINS.index(one) for one in (Origin.DETECTED, Origin.TRACKED, Origin.DRAWN)]


class BoxFollower:
    """Follows boxes of one video; one at a time.

    Args:
        source: its frames.
        settings: those that its tracks were made with, which name the detector.
        models_folder: a folder with weight files, searched first.
    """

    def __init__(
        self, source: FrameSource, settings: Mapping[str, Any], models_folder: Path | None = None
    ) -> None:
        self._source = source
        self._settings = settings
        self._models_folder = models_folder
        self._parameters = TrackingParameters()
        self._bundle: DetectorBundle | None = None
        self._is_loaded = False
        self._lock = threading.Lock()

    def completed(self, edit: dict[str, Any], tracks: Tracks) -> dict[str, Any]:
        """Return the edit `follow` with the boxes that were found.

        Raises:
            SettingsError: there is no such track or frame, or nothing to follow.
            SourceError: the video cannot be read.
        """
        fields = Fields(edit, ("track", "frame", "direction"))
        track, frame = find(tracks, fields.whole("track")), fields.frame("frame")
        direction = "both" if fields.is_null("direction") else fields.text("direction")
        if direction not in _DIRECTIONS:
            raise SettingsError(f"direction is {direction[:40]!r}: give {listed(_DIRECTIONS)}")
        rows = (track.frames == frame).nonzero()[0]
        if not len(rows):
            raise SettingsError(
                f"track {track.track_id} has no box in frame {frame}: go to a frame with one, or "
                "draw one"
            )
        path = following.BoxPath(
            {frame: track.box(int(rows[0]))}, self._limits(track, frame, direction, tracks)
        )
        with self._lock:
            boxes = following.follow(
                path,
                tracks,
                self._views,
                csrt.load(Weights(self._models_folder)),
                self._parameters,
                self._redetect(track.label),
            )
        boxes.pop(frame, None)
        if not path.followed:
            raise SettingsError(
                f"track {track.track_id} could not be followed from frame {frame}: draw it in some "
                "frames more"
            )
        found = [
            [at, *(round(edge, 2) for edge in box.as_tuple()), origin.value]
            for at, (box, origin) in sorted(boxes.items())
        ]
        return {**edit, "direction": direction, "boxes": found}

    def _limits(self, track: Track, frame: int, direction: str, tracks: Tracks) -> range:
        """Return the frames to follow in: up to a cut, or to where the track is known again."""
        parameters, rate = self._parameters.following, following.rate_of(tracks)
        shot = following.shot_of(tracks, frame, frame)
        back = min(parameters.max_back_frames, round(parameters.max_back_seconds * rate))
        firm = [
            int(at)
            for at, origin in zip(track.frames, track.origins, strict=True)
            if origin in _FIRM and at != frame
        ]
        before = max((at for at in firm if at < frame), default=-1)
        after = min((at for at in firm if at > frame), default=tracks.frame_count)
        start = max(shot.start, frame - back, before + 1) if direction != "forward" else frame
        stop = min(shot.stop, frame + 1 + round(parameters.max_seconds * rate), after)
        limits = range(start, stop if direction != "back" else frame + 1)
        if len(limits) < 2:
            raise SettingsError(
                f"track {track.track_id} is known in the frames around frame {frame}, or a scene "
                "begins there: go to one of its ends"
            )
        return limits

    def _views(self, size: tuple[int, int], wanted: range) -> Iterator[tuple[int, Image]]:
        frames = self._source.frames(wanted.start, lambda: True)
        for number, frame in zip(wanted, frames, strict=False):
            yield number, frame.view(size)

    def _redetect(self, label: str) -> Redetect | None:
        """Return the detector of a class, as a helper; None if there is none."""
        if not self._is_loaded:
            self._bundle = _bundle(self._settings, self._models_folder)
            self._is_loaded = True
        for detector in () if self._bundle is None else self._bundle.detectors:
            if detector.label == label:
                return detector.redetector.detect
        return None


def _bundle(settings: Mapping[str, Any], models_folder: Path | None) -> DetectorBundle | None:
    """Return the detectors that tracks were made with; None without their weights."""
    hide = settings.get("hide", ())
    chosen = {"detector": settings.get("detector", "auto"), "hide": tuple(hide)}
    try:
        return DetectorBundle.of(Settings(**chosen, models_folder=models_folder))
    except (SettingsError, ModelError, TypeError):
        return None
