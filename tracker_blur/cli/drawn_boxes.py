"""Follows drawn boxes through the video: `trackblur tracks --draw ... --follow`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracker_blur.annotations import edits
from tracker_blur.cli.video_views import views
from tracker_blur.core.parameters import TrackingParameters
from tracker_blur.trackers import csrt
from tracker_blur.tracking import following
from tracker_blur.tracking.following import BoxPath, shot_of
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracker_blur.core.box import Box
    from tracker_blur.core.tracks import Tracks
    from tracker_blur.files.identity import FileIdentity


@dataclass(frozen=True, slots=True)
class Followed:
    """Tracks with a drawn box that was followed.

    Attributes:
        tracks: all tracks.
        first: the first frame that it was followed to.
        last: the last one.
        goes_on: whether the shot continues before the first and after the last frame.
    """

    tracks: Tracks
    first: int
    last: int
    goes_on: tuple[bool, bool]


def follow(
    tracks: Tracks,
    track_id: int,
    keyframes: Mapping[int, Box],
    video: FileIdentity,
    *,
    partial: bool,
) -> Followed:
    """Draw boxes, then follow the first one back and the last one on, each within its shot.

    Args:
        tracks: all tracks.
        track_id: number of the track.
        keyframes: drawn boxes by frame.
        video: the video of the tracks.
        partial: accept a truncated video.

    Raises:
        SettingsError: the boxes cannot be drawn.
        SourceError: the video cannot be read, or has changed.
    """
    drawn = edits.draw(tracks, track_id, keyframes)
    path = BoxPath(keyframes, shot_of(tracks, min(keyframes), max(keyframes)))
    boxes = following.follow(
        path,
        tracks,
        lambda size, wanted: views(video, size, wanted, partial),
        csrt.load(Weights()),
        TrackingParameters(),
    )
    video.check_end()
    first, last = path.reached
    return Followed(
        edits.add_boxes(drawn, track_id, boxes),
        first,
        last,
        (first > path.limits.start, last + 1 < path.limits.stop),
    )
