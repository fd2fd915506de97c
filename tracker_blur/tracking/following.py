"""Follows boxes through a video in both directions, each within its shot while it is sure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tracker_blur.core.frame import default_view_px, view_size
from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.box_tracker import HelpedTracker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image
    from tracker_blur.core.parameters import TrackingParameters
    from tracker_blur.core.tracks import Tracks
    from tracker_blur.trackers import Tracker
    from tracker_blur.tracking.box_tracker import Redetect

_MAX_BACK_BYTES = 256 << 20


@dataclass(slots=True)
class BoxPath:
    """Boxes to follow: the first one backwards, the last one forwards.

    Attributes:
        keyframes: the boxes, by frame, in pixels of the full-size frame.
        limits: the frames within which it is followed, such as those of its shot; to follow it to
            one side only, they end with the boxes on the other one.
        followed: by frame, where it was followed to, in the same pixels.
    """

    keyframes: Mapping[int, Box]
    limits: range
    followed: dict[int, Box] = field(default_factory=dict)

    @property
    def first(self) -> int:
        """The first frame with a box."""
        return min(self.keyframes)

    @property
    def last(self) -> int:
        """The last frame with a box."""
        return max(self.keyframes)

    @property
    def reached(self) -> tuple[int, int]:
        """The first and the last frame, as far as it was followed."""
        return min((self.first, *self.followed)), max((self.last, *self.followed))

    def faces(self, margin_frames: int, shot: range) -> dict[int, tuple[Box, Origin]]:
        """Return what was followed, and the last boxes on both sides for some more frames.

        Args:
            margin_frames: how many more.
            shot: the frames in which they may be.
        """
        added = {frame: (box, Origin.TRACKED) for frame, box in self.followed.items()}
        ends = {**self.keyframes, **self.followed}
        first, last = self.reached
        for frame in range(max(shot.start, first - margin_frames), first):
            added[frame] = ends[first], Origin.MARGIN
        for frame in range(last + 1, min(shot.stop, last + 1 + margin_frames)):
            added[frame] = ends[last], Origin.MARGIN
        return added


class Follower:
    """Follows several paths in one pass over the views of a video.

    Args:
        paths: what to follow; it is written into them.
        frame_size: (width, height) of the full-size frame.
        rate: frames per second.
        new_tracker: makes a tracker for one box.
        parameters: tuning parameters.
        redetect: returns what is detected where a box is expected, in a view; None: no detector
            helps.

    Attributes:
        view_size: (width, height) of the views to pass: in them, the smallest box is large enough.
        wanted: the frames to pass, in order; others may be left out.
    """

    def __init__(
        self,
        paths: Sequence[BoxPath],
        frame_size: tuple[int, int],
        rate: float,
        new_tracker: Callable[[], Tracker],
        parameters: TrackingParameters,
        redetect: Redetect | None = None,
    ) -> None:
        limits = parameters.following
        boxes = [box for path in paths for box in path.keyframes.values()]
        self.view_size = _view_size(frame_size, boxes, limits.min_face_px)
        self.wanted = range(
            min(path.limits.start for path in paths), max(path.limits.stop for path in paths)
        )
        self._open = list(paths)
        self._forward: list[tuple[BoxPath, HelpedTracker]] = []
        self._new_tracker = new_tracker
        self._redetect = redetect
        self._parameters = parameters
        width, height = self.view_size
        self._x, self._y = width / frame_size[0], height / frame_size[1]
        kept = min(
            round(limits.max_back_seconds * rate),
            limits.max_back_frames,
            _MAX_BACK_BYTES // (3 * width * height),
        )
        self._before: deque[tuple[int, Image]] = deque(maxlen=max(1, kept))

    @property
    def is_done(self) -> bool:
        """Whether no later frame is needed."""
        return not self._open and not self._forward

    def step(self, frame: int, image: Image) -> None:
        """Take the view of the next frame."""
        self._forward = [
            (path, tracker)
            for path, tracker in self._forward
            if self._goes_on(path, tracker, frame, image)
        ]
        for path in self._open:
            if frame == path.first:
                self._follow_back(path, image)
            if frame == path.last:
                self._forward.append((path, self._tracker(image, path.keyframes[frame])))
        self._open = [path for path in self._open if path.last > frame]
        self._before.append((frame, image))

    def _goes_on(self, path: BoxPath, tracker: HelpedTracker, frame: int, image: Image) -> bool:
        box = tracker.step(image) if frame in path.limits else None
        if box is None:
            return False
        path.followed[frame] = self._up(box)
        return True

    def _follow_back(self, path: BoxPath, image: Image) -> None:
        tracker = self._tracker(image, path.keyframes[path.first])
        for frame, earlier in reversed(self._before):
            box = tracker.step(earlier) if frame in path.limits else None
            if box is None:
                return
            path.followed[frame] = self._up(box)

    def _tracker(self, image: Image, box: Box) -> HelpedTracker:
        scaled = box.scaled(self._x, self._y)
        return HelpedTracker(image, scaled, self._new_tracker, self._parameters, self._redetect)

    def _up(self, box: Box) -> Box:
        return box.scaled(1 / self._x, 1 / self._y)


def follow(
    path: BoxPath,
    tracks: Tracks,
    views: Callable[[tuple[int, int], range], Iterable[tuple[int, Image]]],
    new_tracker: Callable[[], Tracker],
    parameters: TrackingParameters,
    redetect: Redetect | None = None,
) -> dict[int, tuple[Box, Origin]]:
    """Follow one path through a video, and return the boxes to add to its track, by frame.

    Where the path ends within its limits, the last box stays for some more frames.

    Args:
        path: what to follow; it is written into it.
        tracks: the video's tracks.
        views: yields the wanted frames with their numbers, as BGR of a (width, height).
        new_tracker: makes a tracker for one box.
        parameters: tuning parameters.
        redetect: as for `Follower`.
    """
    rate, limits = rate_of(tracks), parameters.following
    follower = Follower([path], tracks.size, rate, new_tracker, parameters, redetect)
    for frame, image in views(follower.view_size, follower.wanted):
        follower.step(frame, image)
        if follower.is_done:
            break
    margin = max(parameters.smoothing.min_margin_frames, round(limits.margin_seconds * rate))
    return path.faces(margin, path.limits)


def _view_size(
    frame_size: tuple[int, int], boxes: Iterable[Box], min_face_px: int
) -> tuple[int, int]:
    """Return the size of a view in which the smallest box is large enough to follow."""
    smallest = min(min(box.width, box.height) for box in boxes)
    longest = max(frame_size)
    px = max(default_view_px(frame_size), round(longest * min_face_px / smallest))
    return view_size(frame_size, min(longest, px))


def shot_of(tracks: Tracks, first: int, last: int) -> range:
    """Return the frames of the shots, from cut to cut, in which two frames are."""
    start = max((cut for cut in tracks.cuts if cut <= first), default=0)
    return range(start, min((cut for cut in tracks.cuts if cut > last), default=tracks.frame_count))


def rate_of(tracks: Tracks) -> float:
    """Return the frames per second of a video, on average."""
    if tracks.frame_count < 2:
        return 1.0
    seconds = float((int(tracks.times[-1]) - int(tracks.times[0])) * tracks.time_base)
    return (tracks.frame_count - 1) / seconds
