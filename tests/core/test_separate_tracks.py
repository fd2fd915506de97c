"""Tracks that lie within others are not counted as further faces."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from tracker_blur.core.report import Report
from tracker_blur.core.rules import Rules
from tracker_blur.core.separate_tracks import separate_tracks
from tracker_blur.core.tracks import Track, Tracks
from tracker_blur.core.zones import Zone

FACE = (100, 100, 200, 200)
CHIN = (120, 170, 180, 220)  # partly below the box, but within what is hidden around it
FRAMES = 20


def track(
    track_id: int, *boxes: tuple[float, float, float, float], first: int = 0, label: str = "face"
) -> Track:
    """Return a track of as many frames as there are boxes; of one, of all frames."""
    rows = np.array(boxes * (FRAMES if len(boxes) == 1 else 1), np.float32)
    count = len(rows)
    frames = np.arange(first, first + count, dtype=np.int32)
    ones = np.ones(count, np.float32)
    return Track(track_id, frames, rows, ones, np.zeros(count, np.uint8), label=label)


def ids(*tracks: Track) -> list[int]:
    return [one.track_id for one in separate_tracks(tracks)]


def test_a_track_within_another_one_s_area_is_no_further_face() -> None:
    assert ids(track(0, CHIN), track(1, FACE)) == [1]
    assert ids(track(0, FACE), track(1, FACE)) == [1]  # twice the same: once
    assert ids(track(0, FACE), track(1, (260, 100, 360, 200))) == [0, 1]  # side by side
    assert ids(track(0, FACE), track(1, CHIN, label="plate")) == [0, 1]
    assert ids(track(0, CHIN)) == [0]
    assert ids() == []


def test_it_has_to_lie_there_nearly_all_the_time() -> None:
    away = (400, 100, 460, 150)
    assert ids(track(0, FACE), track(1, *[CHIN] * 16, *[away] * 4)) == [0]
    assert ids(track(0, FACE), track(1, *[CHIN] * 15, *[away] * 5)) == [0, 1]
    # One behind the other: in each half, another face is there.
    halves = track(0, *[FACE] * 10), track(1, *[FACE] * 10, first=10)
    assert ids(*halves, track(2, CHIN)) == [0, 1]


def test_people_read_how_many_are_separate_and_programs_all() -> None:
    found = (track(0, FACE), track(1, CHIN), replace(track(2, FACE), hide=False))
    times = np.arange(FRAMES, dtype=np.int64)
    zones = Rules((Zone.parse("hide", "0,0,9,9"),))
    report = Report(Path("in.mp4"), Path("out.mp4"), track_counts={"face": 0, "plate": 0})
    report.video_tracks = Tracks((640, 480), Fraction(1, 25), times, (), found, rules=zones)
    report.count_known(report.video_tracks)
    assert report.track_counts == {"face": 2, "plate": 0, "zone": 1}
    assert report.separate_counts == {"face": 1, "plate": 0, "zone": 1}
    assert report.tracks == 3
