"""Follows a face backwards in time, from its first detection to where the evidence ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Image
from tracker_blur.core.tracks import Origin
from tracker_blur.trackers import Tracker
from tracker_blur.tracking.redetection import SecondLook

_UNCONFIRMED_FRAMES = 6  # a tracker that no second look confirms is trusted for so many frames
_SIZE_RATIO = 1.6  # a tracker that changes the size by more, unconfirmed, has drifted
_INSIDE_SHARE = 0.25  # of the box: less left in the picture, and the face has not entered yet


def follow_back(
    newest: Image,
    box: Box,
    earlier: Iterable[Image],
    new_tracker: Callable[[], Tracker] | None,
    second_look: SecondLook,
) -> Iterator[tuple[Box, float, Origin]]:
    """Give the face's box in each earlier picture, the latest first, until it is lost.

    With each comes the score of the last find on the way, 0 while there was none.

    newest   where the face was found, in `box`, pixels of the picture
    earlier  the pictures before it, the latest first, of the same size
    new_tracker  None: only the second look says where it is
    """
    tracker: Tracker | None = None
    previous, known = newest, box
    unconfirmed, score = 0, 0.0
    for image in earlier:
        followed, find = None, second_look.find(image, box)
        if find is None and new_tracker is not None:
            if tracker is None:
                tracker = new_tracker()
                tracker.start(previous, box)
            followed = tracker.update(image)
            find = None if followed is None else second_look.find(image, followed)
        if find is not None:
            tracker = None  # a find is where the face is: starting anew costs less than drifting
            box = known = find.box
            unconfirmed, score = 0, find.score
            yield box, score, Origin.DETECTED
        elif followed is None or _has_drifted(followed, known) or _is_outside(followed, image):
            return
        else:
            unconfirmed += 1
            if unconfirmed > _UNCONFIRMED_FRAMES:
                return
            box = followed
            yield box, score, Origin.FOLLOWED
        previous = image


def _has_drifted(box: Box, known: Box) -> bool:
    return not 1 / _SIZE_RATIO < box.size / known.size < _SIZE_RATIO


def _is_outside(box: Box, image: Image) -> bool:
    height, width = image.shape[:2]
    return box.clipped(width, height).area < _INSIDE_SHARE * box.area
