"""Follows drawn boxes through the video: `trackblur tracks --draw ... --follow`."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracker_blur.annotations import edits
from tracker_blur.cli.video_views import views
from tracker_blur.core.frame import default_view_px, view_size
from tracker_blur.core.parameters import TrackingParameters
from tracker_blur.core.tracks import Origin
from tracker_blur.trackers import csrt
from tracker_blur.tracking.box_tracker import BoxTracker
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image
    from tracker_blur.core.tracks import Tracks
    from tracker_blur.files.identity import FileIdentity

_MAX_BACK_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Followed:
    """Tracks with a drawn box that was followed.

    Attributes:
        tracks: all tracks.
        first: the first frame that it was followed to.
        last: the last one.
        goes_on: whether the shot goes on before the first and after the last frame.
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
    parameters = TrackingParameters()
    limits = parameters.following
    drawn = edits.draw(tracks, track_id, keyframes)
    first, last = min(keyframes), max(keyframes)
    shot_start = max((cut for cut in tracks.cuts if cut <= first), default=0)
    shot_end = min((cut for cut in tracks.cuts if cut > last), default=tracks.frame_count)
    new_tracker = csrt.load(Weights())
    scale = _Scale(tracks.size, keyframes.values(), limits.min_face_px)
    rate = _rate(tracks)
    kept = min(
        round(limits.max_back_seconds * rate),
        limits.max_back_frames,
        _MAX_BACK_BYTES // (3 * scale.pixels),
    )
    before: deque[Image] = deque(maxlen=max(1, kept))
    boxes: dict[int, Box] = {}
    forward: BoxTracker | None = None
    for frame, image in views(video, scale.size, range(shot_start, shot_end), partial):
        if frame < first:
            before.append(image)
        if frame == first:
            back = BoxTracker(image, scale.down(keyframes[first]), new_tracker(), parameters)
            for distance, earlier in enumerate(reversed(before), 1):
                box = back.step(earlier)
                if box is None:
                    break
                boxes[first - distance] = scale.up(box)
            before.clear()
        if frame == last:
            forward = BoxTracker(image, scale.down(keyframes[last]), new_tracker(), parameters)
        elif forward is not None:
            box = forward.step(image)
            if box is None:
                break
            boxes[frame] = scale.up(box)
    video.check_end()
    reached = min((first, *boxes)), max((last, *boxes))
    margin = max(parameters.smoothing.min_margin_frames, round(limits.margin_seconds * rate))
    added = {frame: (box, Origin.TRACKED) for frame, box in boxes.items()}
    ends = boxes | {frame: keyframes[frame] for frame in (first, last)}
    for frame in range(max(shot_start, reached[0] - margin), reached[0]):
        added[frame] = ends[reached[0]], Origin.MARGIN
    for frame in range(reached[1] + 1, min(shot_end, reached[1] + 1 + margin)):
        added[frame] = ends[reached[1]], Origin.MARGIN
    return Followed(
        edits.add_boxes(drawn, track_id, added),
        *reached,
        (reached[0] > shot_start, reached[1] + 1 < shot_end),
    )


class _Scale:
    """Between pixels of the frame and of a view in which drawn boxes are large enough to follow."""

    def __init__(self, frame_size: tuple[int, int], boxes: Iterable[Box], min_face_px: int) -> None:
        smallest = min(min(box.width, box.height) for box in boxes)
        longest = max(frame_size)
        px = max(default_view_px(frame_size), round(longest * min_face_px / smallest))
        self.size = view_size(frame_size, min(longest, px))
        self.pixels = self.size[0] * self.size[1]
        self._x, self._y = (view / full for view, full in zip(self.size, frame_size, strict=True))

    def down(self, box: Box) -> Box:
        return box.scaled(self._x, self._y)

    def up(self, box: Box) -> Box:
        return box.scaled(1 / self._x, 1 / self._y)


def _rate(tracks: Tracks) -> float:
    """Return the frames per second, on average."""
    if tracks.frame_count < 2:
        return 1.0
    seconds = float((int(tracks.times[-1]) - int(tracks.times[0])) * tracks.time_base)
    return (tracks.frame_count - 1) / seconds
