"""Advances tracks from one view to the next with their own trackers, or holds them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tracker_blur.core.box_arrays import are_occluded
from tracker_blur.core.tracks import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image
    from tracker_blur.core.parameters import TrackingParameters
    from tracker_blur.trackers import Tracker
    from tracker_blur.tracking.track_state import TrackState


class Advancer:
    """Starts a tracker for each track that needs one, and judges its boxes.

    Args:
        new_tracker: Makes a tracker for one face. None: each track is held.
        hold_seconds: How long a lost face stays hidden.
        parameters: Tuning parameters.
        threads: How many faces' trackers may run in parallel.
    """

    def __init__(
        self,
        new_tracker: Callable[[], Tracker] | None,
        hold_seconds: float,
        parameters: TrackingParameters,
        threads: int = 1,
    ) -> None:
        self._new_tracker = new_tracker
        self._hold_seconds = hold_seconds
        self._parameters = parameters
        self._pool = ThreadPoolExecutor(threads, "tracker") if threads > 1 else None

    def advance(
        self,
        tracks: Sequence[TrackState],
        detected: Sequence[Box],
        last_image: Image | None,
        image: Image,
        seconds: float,
        *,
        is_crowd: bool = False,
    ) -> None:
        """Advance tracks that were not detected in this view.

        Args:
            tracks: The tracks.
            detected: Boxes of the faces that were detected in it.
            last_image: The view before, of the same size, in which the tracks have their boxes;
                None if this is the first.
            image: The view.
            seconds: Its time.
            is_crowd: Whether only few of them may have trackers.
        """

        def box_of(track: TrackState) -> Box | None:
            return None if last_image is None else self._tracked(track, last_image, image)

        # A tracker would jump to the face in front.
        share = self._parameters.online.max_occluded_share
        occluded = are_occluded([track.box for track in tracks], detected, share)
        visible = [
            track
            for track, is_one in zip(tracks, occluded, strict=True)
            if not is_one and self._is_trackable(track, seconds)
        ]
        most = self._parameters.online.max_tracked_faces
        visible = latest(visible, self._parameters.crowds.max_tracked_faces if is_crowd else most)
        found = map(box_of, visible) if self._pool is None else self._pool.map(box_of, visible)
        boxes = {track.track_id: box for track, box in zip(visible, found, strict=True)}
        for track in tracks:
            box = boxes.get(track.track_id)
            if box is not None:
                track.advance(box, seconds)
            else:
                track.hold(seconds)

    def _is_trackable(self, track: TrackState, seconds: float) -> bool:
        """Return whether a tracker may be trusted with a face."""
        unconfirmed = seconds - track.confirmed_seconds
        trusted = self._parameters.online.max_unconfirmed_holds * self._hold_seconds
        return track.origin is not Origin.HELD and not (
            track.missed_detections and unconfirmed > trusted
        )

    def _tracked(self, track: TrackState, last_image: Image, image: Image) -> Box | None:
        """Return the tracker's box in this view; None when it has lost the face."""
        if self._new_tracker is None:
            return None
        if track.tracker is None:
            track.tracker = self._new_tracker()
            track.tracker.start(last_image, track.box)
        box = track.tracker.update(image)
        if box is None or has_drifted(box, track.confirmed, self._parameters):
            return None
        return None if is_outside(box, image, self._parameters) else box


def latest(tracks: Sequence[TrackState], count: int) -> list[TrackState]:
    """Return at most this many tracks, in order: those that were detected last."""
    if len(tracks) <= count:
        return list(tracks)
    chosen = {track.track_id for track in latest_first(tracks)[:count]}
    return [track for track in tracks if track.track_id in chosen]


def latest_first(tracks: Sequence[TrackState]) -> list[TrackState]:
    """Return the tracks, those first that were detected last."""
    return sorted(tracks, key=lambda track: -track.confirmed_seconds)


def has_drifted(box: Box, confirmed: Box, parameters: TrackingParameters) -> bool:
    """Return whether a tracker's box differs too much in size from the last detected one."""
    ratio = parameters.drift_size_ratio
    return not 1 / ratio < box.size / confirmed.size < ratio


def is_outside(box: Box, image: Image, parameters: TrackingParameters) -> bool:
    """Return whether a tracker's box has left the image."""
    height, width = image.shape[:2]
    return box.clipped(width, height).area < parameters.min_inside_share * box.area
