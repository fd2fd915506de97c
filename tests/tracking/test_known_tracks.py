"""Known tracks: each frame gets its faces, and the frames of another video are refused."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tracker_blur.core.box import Box
from tracker_blur.core.rules import Rules
from tracker_blur.core.tracks import Face, Origin, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.core.zones import Zone
from tracker_blur.errors import SourceError
from tracker_blur.images.frame import ImageFrame
from tracker_blur.tracking.known_tracks import frames_with_faces, with_times_of

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMES = (0, 40, 90)
BASE = Fraction(1, 1000)


def still_frames(
    times: tuple[int, ...] = TIMES, size: tuple[int, int] = (64, 48), base: Fraction = BASE
) -> Iterator[ImageFrame]:
    plane = np.zeros(size[::-1], np.uint8)
    for index, pts in enumerate(times):
        yield ImageFrame((plane, plane, plane), index=index, pts=pts, time_base=base)


def tracks() -> Tracks:
    builder = TracksBuilder()
    for frame in (1, 2):
        builder.add(frame, Face(0, Box(1, 2, 11, 12), 0.9, Origin.DETECTED))
    return Tracks((64, 48), BASE, np.array(TIMES, np.int64), (), builder.tracks())


def test_each_frame_has_its_faces() -> None:
    seen = list(frames_with_faces(still_frames(), [tracks()], "in.mp4"))
    assert [frame.pts for frame, _ in seen] == list(TIMES)
    assert [len(faces) for _, faces in seen] == [0, 1, 1]


def test_zones_and_limits_need_the_whole_video_at_once() -> None:
    zone = Rules((Zone.parse("hide", "0.04s..0.05s=0,0,9,9"),))
    whole = replace(tracks(), rules=zone)
    seen = list(frames_with_faces(still_frames(), [whole], "in.mp4"))
    assert [len(faces) for _, faces in seen] == [0, 2, 1]
    pieces = [
        Tracks((64, 48), BASE, np.array(times, np.int64), rules=zone) for times in ((0, 40), (90,))
    ]
    with pytest.raises(ValueError, match="need the tracks of the whole video at once"):
        list(frames_with_faces(still_frames(), pieces, "in.mp4"))


@pytest.mark.parametrize(
    "others",
    [
        still_frames((0, 40)),
        still_frames((0, 40, 90, 130)),
        still_frames((0, 41, 90)),
        still_frames(size=(48, 64)),
        still_frames(base=Fraction(1, 90_000)),
        still_frames(()),
    ],
    ids=["fewer", "more", "other times", "other size", "other clock", "none"],
)
def test_frames_of_another_video_are_refused(others: Iterator[ImageFrame]) -> None:
    with pytest.raises(SourceError, match=r"in\.mp4: its frames are not those of the tracks"):
        list(frames_with_faces(others, [tracks()], "in.mp4"))


def test_another_reader_of_the_same_video_gives_the_tracks_its_times() -> None:
    times = (0, 3, 7)
    before = tracks()
    retimed = with_times_of(still_frames(times, base=Fraction(1, 100)), before)
    assert (retimed.times.tolist(), retimed.time_base) == (list(times), Fraction(1, 100))
    assert retimed.tracks is before.tracks


@pytest.mark.parametrize("times", [(), (0, 40), (0, 40, 90, 130)])
def test_another_number_of_frames_changes_no_times(times: tuple[int, ...]) -> None:
    before = tracks()
    assert with_times_of(still_frames(times), before) is before
