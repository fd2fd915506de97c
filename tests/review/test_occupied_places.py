"""Which places have a track: the same for thousands at once as for one after the other."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Track, Tracks
from tracker_blur.review.occupied_places import OccupiedPlaces, covered_share
from tracker_blur.review.parameters import DoubtParameters

LIMITS = DoubtParameters()
FRAMES = 40


def random_box(random: np.random.Generator) -> Box:
    left, top = random.uniform(0, 100, 2)
    width, height = random.uniform(10, 60, 2)
    edges = np.array([left, top, left + width, top + height], np.float32)
    return Box(*edges.tolist())


def random_tracks(random: np.random.Generator, count: int) -> Tracks:
    tracks = []
    for number in range(count):
        frames = np.flatnonzero(random.random(FRAMES) < 0.5).astype(np.int32)
        boxes = np.array([random_box(random).as_tuple() for _ in frames], np.float32)
        scores, origins = np.ones(len(frames), np.float32), np.zeros(len(frames), np.uint8)
        tracks.append(Track(number, frames, boxes, scores, origins, hide=number % 3 > 0))
    return Tracks((160, 160), Fraction(1, 25), np.arange(FRAMES), (), tuple(tracks))


def is_held(tracks: Tracks, frame: int, box: Box) -> bool:
    """Return whether tracks are at a place, box by box."""
    covers = []
    for track in tracks.tracks:
        for row in np.flatnonzero(track.frames == frame).tolist():
            other, (x, y) = track.box(row), box.center
            is_around = other.left <= x <= other.right and other.top <= y <= other.bottom
            if is_around or box.iou(other) >= LIMITS.same_place_iou:
                return True
            if track.hide:
                covers.append(other.padded(LIMITS.covered_padding))
    return covered_share(box, covers) >= LIMITS.covered_share


def test_many_places_are_held_as_each_alone() -> None:
    random = np.random.default_rng(7)
    for count in (0, 1, 4, 7):
        tracks = random_tracks(random, count)
        places = [(frame, random_box(random)) for frame in range(0, FRAMES, 2) for _ in range(3)]
        held = OccupiedPlaces(tracks, {frame for frame, _ in places}, LIMITS).hold(places)
        assert held == [is_held(tracks, frame, box) for frame, box in places]
