"""A visible track is hidden all the same where a hidden one is at its place."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from tracker_blur.annotations.overlaps import Overlap, hidden_all_the_same
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder

FACE = Box(100, 100, 140, 150)


def tracks_of(*paths: tuple[range, Box], shown: tuple[int, ...] = (0,)) -> Tracks:
    """Return tracks that stay at one place each; those in `shown` are visible."""
    builder = TracksBuilder()
    for number, (frames, box) in enumerate(paths):
        for frame in frames:
            builder.add(frame, Face(number, box, 0.9, Origin.DETECTED))
    tracks = (replace(track, hide=track.track_id not in shown) for track in builder.tracks())
    return Tracks((640, 360), Fraction(1, 25), np.arange(60), (), tuple(tracks))


def test_second_tracks_of_a_person_are_named_with_the_frames_that_they_hide() -> None:
    tracks = tracks_of(
        (range(30), FACE),
        (range(10, 15), FACE.moved(4, 2)),
        (range(12, 40), FACE.padded(0.1)),
        (range(20, 25), FACE.moved(200, 0)),
    )
    assert hidden_all_the_same(tracks) == (Overlap(0, (2, 1), 20),)


def test_visible_tracks_neighbors_and_other_times_hide_nothing() -> None:
    others = (range(30), FACE.moved(30, 0)), (range(31, 60), FACE), (range(5), FACE)
    assert hidden_all_the_same(tracks_of((range(30), FACE), *others, shown=(0, 3))) == ()
    assert hidden_all_the_same(tracks_of((range(30), FACE), (range(30), FACE), shown=())) == ()
