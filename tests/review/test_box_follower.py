""" "Track this": a box is followed to where its track continues, the scene ends, or it is lost."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.tracking.fakes import FACE, PARAMETERS, shifted
from tracker_blur.core.box import Box, Detection
from tracker_blur.core.tracks import Face, Origin, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.errors import SettingsError
from tracker_blur.review.box_follower import BoxFollower
from tracker_blur.trackers import csrt
from tracker_blur.tracking.box_tracker import HelpedTracker
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tracker_blur.core.frame import Image

FRAMES, STEP, SIZE = 40, 3, (512, 512)


class View:
    """A frame of a video in which a face moves to the right."""

    def __init__(self, index: int) -> None:
        self.index = index

    def view(self, size: tuple[int, int]) -> Image:
        assert size == SIZE
        return shifted(STEP * self.index)


class Source:
    """The frames of that video."""

    def prepare(self) -> None:
        pass

    def start_of(self, number: int) -> int:
        return number

    def frames(self, first: int, is_wanted: Callable[[], bool]) -> Generator[Any, int | None, None]:
        assert is_wanted()
        yield from map(View, range(first, FRAMES))


def place(frame: int) -> Box:
    return FACE.moved(STEP * frame, 0)


def tracks_of(known: dict[int, Origin], cuts: tuple[int, ...] = ()) -> Tracks:
    builder = TracksBuilder()
    for frame, origin in known.items():
        builder.add(frame, Face(1, place(frame), 0.9, origin))
    times = np.arange(FRAMES, dtype=np.int64)
    return Tracks(SIZE, Fraction(1, 25), times, cuts, builder.tracks())


def found(tracks: Tracks, frame: int, direction: str = "both") -> dict[int, tuple[Box, str]]:
    """Return the boxes that following finds."""
    follower = BoxFollower(Source(), {"detector": "none of these"})
    edit = {"op": "follow", "track": 1, "frame": frame, "direction": direction}
    complete = follower.completed(edit, tracks)
    assert {**complete, "boxes": None} == {**edit, "boxes": None}
    return {row[0]: (Box(*row[1:5]), row[5]) for row in complete["boxes"]}


def test_a_drawn_box_is_followed_to_both_sides() -> None:
    boxes = found(tracks_of({12: Origin.DRAWN}), 12)
    assert {10, 11, 13, 14, 15} <= boxes.keys()
    assert 12 not in boxes
    followed = {frame: box for frame, (box, origin) in boxes.items() if origin == "followed"}
    assert all(box.iou(place(frame)) > 0.6 for frame, box in followed.items())


def test_it_is_followed_to_one_side_only() -> None:
    tracks = tracks_of({12: Origin.DRAWN})
    assert min(found(tracks, 12, "forward")) == 13
    assert max(found(tracks, 12, "back")) == 11


def test_it_is_not_followed_across_a_cut() -> None:
    boxes = found(tracks_of({12: Origin.DRAWN}, cuts=(10, 15)), 12)
    assert (min(boxes), max(boxes)) == (10, 14)


def test_it_is_followed_up_to_where_the_track_is_known_again() -> None:
    boxes = found(tracks_of({12: Origin.DRAWN, 18: Origin.DETECTED}), 12, "forward")
    assert sorted(boxes) == [13, 14, 15, 16, 17]


def test_a_held_end_is_followed_again() -> None:
    tracks = tracks_of({12: Origin.DETECTED, 13: Origin.MARGIN, 14: Origin.HELD})
    boxes = found(tracks, 12, "forward")
    assert {13, 14, 15} <= boxes.keys()


@pytest.mark.parametrize(
    ("frame", "direction", "message"),
    [
        (20, "both", "has no box in frame 20"),
        (12, "sideways", "direction is 'sideways'"),
        (13, "both", "is known in the frames around frame 13"),
    ],
)
def test_what_cannot_be_followed_is_refused(frame: int, direction: str, message: str) -> None:
    tracks = tracks_of({12: Origin.DETECTED, 13: Origin.DETECTED, 14: Origin.DETECTED})
    with pytest.raises(SettingsError, match=message):
        found(tracks, frame, direction)


def helped(redetect: Callable[[Image, Box], Detection | None]) -> HelpedTracker:
    return HelpedTracker(shifted(0), FACE, csrt.load(Weights()), PARAMETERS, redetect)


def test_a_detector_finds_again_what_the_tracker_has_lost() -> None:
    def detected(_: Image, __: Box) -> Detection:
        return Detection(FACE.moved(-150, 0), 0.9)

    tracker = helped(detected)
    assert tracker.step(shifted(-150)) == FACE.moved(-150, 0)  # too far for the tracker
    after = tracker.step(shifted(-147))
    assert after is not None
    assert after.iou(FACE.moved(-147, 0)) > 0.7
    assert helped(lambda _, __: None).step(np.zeros_like(shifted(0))) is None


def test_a_detection_with_other_colors_is_someone_else() -> None:
    def elsewhere(_: Image, __: Box) -> Detection:
        return Detection(Box(0, 0, 60, 60), 0.9)

    green = np.zeros_like(shifted(0))
    green[..., 1] = 200
    assert helped(elsewhere).step(green) is None


def test_a_detector_corrects_the_tracker_now_and_then() -> None:
    asked: list[Box] = []

    def detected(_: Image, box: Box) -> Detection:
        asked.append(box)
        return Detection(box.padded(0.05), 0.9)

    tracker = helped(detected)
    for step in range(1, 11):
        assert tracker.step(shifted(step)) is not None
    assert len(asked) == 10 // PARAMETERS.following.redetect_frames
