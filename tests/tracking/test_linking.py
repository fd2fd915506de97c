"""Tracklets that are one face are linked, and no others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.tracking.fakes import PARAMETERS
from tests.tracking.raw_tracks import BLUE, BOX, face_rows, hidden_tracks, raw_tracks, spans
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Origin
from tracker_blur.tracking import linking
from tracker_blur.tracking.association import FAR


@pytest.mark.parametrize("speed", [0.0, 1.5, -1.5])
def test_a_face_that_is_lost_and_detected_again_is_one_track(speed: float) -> None:
    rows = face_rows(range(10), speed=speed) + face_rows(range(30, 40), 1, speed=speed)
    (track,) = hidden_tracks(raw_tracks(rows))
    assert (track.track_id, track.first, track.last) == (0, 0, 39)
    assert track.has(Origin.BETWEEN).sum() == 20


def test_tracklets_of_one_face_become_one_track_whatever_their_order() -> None:
    rows = [row for i in range(5) for row in face_rows(range(12 * i, 12 * i + 4), 9 - i)]
    (track,) = hidden_tracks(raw_tracks(rows))
    assert (track.track_id, track.first, track.last) == (0, 0, 51)


@pytest.mark.parametrize(
    "changes",
    [
        {"colors": BLUE},
        {"box": BOX.moved(300, 0)},
        {"box": BOX.padded(0.5)},
        {"box": BOX.moved(0, -95)},
    ],
)
def test_faces_of_other_colors_size_or_place_are_not_linked(changes: dict[str, Any]) -> None:
    rows = face_rows(range(10)) + face_rows(range(20, 30), 1, **changes)
    assert spans(hidden_tracks(raw_tracks(rows))) == [(0, 9), (20, 29)]


def test_faces_at_the_same_time_are_not_linked() -> None:
    rows = face_rows(range(20)) + face_rows(range(10, 30), 1, box=BOX.moved(45, 0))
    assert spans(hidden_tracks(raw_tracks(rows))) == [(0, 19), (10, 29)]


def test_faces_on_both_sides_of_a_cut_are_not_linked() -> None:
    rows = face_rows(range(10)) + face_rows(range(12, 20), 1)
    assert spans(hidden_tracks(raw_tracks(rows))) == [(0, 19)]
    assert spans(hidden_tracks(raw_tracks(rows, cuts=(11,)))) == [(0, 9), (12, 19)]


@pytest.mark.parametrize(("gap", "count"), [(60, 1), (90, 2)])
def test_a_face_that_is_away_for_long_is_another(gap: int, count: int) -> None:
    rows = face_rows(range(10)) + face_rows(range(10 + gap, 20 + gap), 1)
    assert len(hidden_tracks(raw_tracks(rows, 130))) == count


def test_each_of_two_faces_is_linked_to_itself() -> None:
    other = BOX.moved(70, 0)
    rows = face_rows(range(10)) + face_rows(range(10), 1, box=other)
    rows += face_rows(range(20, 30), 2, box=other) + face_rows(range(20, 30), 3)
    one, two = hidden_tracks(raw_tracks(rows))
    assert spans([one, two]) == [(0, 29), (0, 29)]
    for track in (one, two):
        assert np.ptp(track.boxes[:, 0] + track.boxes[:, 2]) < 1


def test_backtracked_links_hold_whatever_the_colors() -> None:
    rows = face_rows(range(10)) + face_rows(range(20, 30), 1, colors=BLUE, box=BOX.moved(150, 0))
    assert spans(hidden_tracks(raw_tracks(rows, links=((0, 1),)))) == [(0, 29)]


@pytest.mark.parametrize(("gap", "every", "count"), [(75, 1, 1), (76, 1, 2), (200, 100, 1)])
def test_backtracked_links_are_no_longer_than_other_gaps(gap: int, every: int, count: int) -> None:
    rows = face_rows(range(10)) + face_rows(range(9 + gap, 20 + gap), 1, box=BOX.moved(150, 0))
    raw = raw_tracks(rows, 230, links=((0, 1),))
    detection_frames = np.array([*range(10), *range(9 + every, 230, every)], np.int32)
    raw = replace(raw, detection_frames=detection_frames)
    assert len(hidden_tracks(raw)) == count


def test_links_to_dropped_or_earlier_tracks_are_ignored() -> None:
    low = face_rows(range(12, 15), 1, score=0.1, box=BOX.moved(300, 0))
    far = face_rows(range(20, 30), 2, box=BOX.moved(300, 0))
    links = ((0, 1), (1, 2), (2, 0), (5, 6))
    assert spans(hidden_tracks(raw_tracks([*face_rows(range(10)), *low, *far], links=links))) == [
        (0, 9),
        (20, 29),
    ]


def test_what_is_too_far_away_to_be_compared_costs_too_much_to_be_linked() -> None:
    generator = np.random.default_rng(3)
    seconds = np.arange(60) / 25.0
    limits = PARAMETERS.linking

    def end(frame: int) -> linking._End:
        x, y, size = (float(value) for value in generator.uniform((0, 0, 10), (300, 300, 40)))
        velocity = float(generator.normal(0, 60)), float(generator.normal(0, 60))
        box = Box.from_xywh(x, y, size, size)
        return linking._End(frame, box, velocity, b"\x08" * 24, limits.velocity_seconds)

    one, starts = end(5), [end(frame) for frame in range(6, 60) for _ in range(6)]
    near = linking._Starts(range(len(starts)), starts, seconds, limits).near(one, 0, len(starts))
    gaps = [float(seconds[start.frame] - seconds[5]) for start in starts]
    costs = [
        linking._cost(one, start, gap, is_same_track=False, parameters=limits)
        for start, gap in zip(starts, gaps, strict=True)
    ]
    linked = {index for index, cost in enumerate(costs) if cost < FAR}
    assert linked
    assert linked <= set(near)
    assert len(near) < len(starts) / 2
