"""What may be a face but became no track is kept for a person to look at, if it is likely."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from tracker_blur.core.box import Box
from tracker_blur.core.candidates import UntrackedDetections
from tracker_blur.core.parameters import TrackingParameters
from tracker_blur.core.tracks import Face, Origin, Track, Tracks, between, joined
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.tracking.candidates import with_candidates

PARAMETERS = TrackingParameters()
PLACE = Box(100, 100, 140, 150)
FRAMES = 100


def seen(*rows: tuple[int, Box, float, float]) -> UntrackedDetections:
    return UntrackedDetections.of("face", rows)


def steady(frames: range, box: Box = PLACE, log_odds: float = 1.1) -> UntrackedDetections:
    return seen(*((frame, box, 0.4, log_odds) for frame in frames))


def track(frames: range, box: Box) -> Track:
    builder = TracksBuilder()
    for frame in frames:
        builder.add(frame, Face(3, box, 0.9, Origin.DETECTED))
    return builder.tracks()[0]


def video(*untracked: UntrackedDetections, tracks: tuple[Track, ...] = ()) -> Tracks:
    times = np.arange(FRAMES, dtype=np.int64)
    return Tracks((640, 360), Fraction(1, 25), times, (), tracks, untracked=untracked)


def spans(tracks: Tracks) -> list[tuple[int, int]]:
    return [(one.first, one.last) for one in with_candidates(tracks, PARAMETERS).candidates]


def test_what_is_seen_at_one_place_again_and_again_is_one_candidate() -> None:
    found = with_candidates(video(steady(range(10, 50, 2))), PARAMETERS)
    (candidate,) = found.candidates
    assert (candidate.first, candidate.last, candidate.label) == (10, 48, "face")
    assert candidate.log_odds == pytest.approx(1.1)
    assert candidate.score == pytest.approx(0.4)
    assert len(candidate.boxes) == PARAMETERS.candidates.kept_detections
    assert found.untracked == ()
    assert with_candidates(found, PARAMETERS) is found  # once is enough


@pytest.mark.parametrize(
    "nothing",
    [
        steady(range(10, 11)),  # seen once
        steady(range(10, 50, 2), log_odds=0.2),  # hardly likely
        seen(*((frame, PLACE.moved(60.0 * frame, 0), 0.4, 1.0) for frame in range(6))),  # nowhere
    ],
)
def test_what_is_seen_once_or_hardly_likely_is_none(nothing: UntrackedDetections) -> None:
    assert spans(video(nothing)) == []


def test_what_has_a_track_is_none() -> None:
    there = track(range(60), PLACE.padded(0.2))
    assert spans(video(steady(range(10, 50, 2)), tracks=(there,))) == []
    # Where the track ends, what is seen behind its end is a candidate.
    assert spans(video(steady(range(10, 90, 2)), tracks=(there,))) == [(60, 88)]


def test_a_pause_and_a_cut_begin_another_one() -> None:
    assert spans(video(steady(range(5)), steady(range(90, 95)))) == [(0, 4), (90, 94)]
    assert spans(replace(video(steady(range(10))), cuts=(5,))) == [(0, 4), (5, 9)]


def test_two_places_at_one_time_are_two_candidates() -> None:
    other = PLACE.moved(200, 0)
    assert spans(video(steady(range(10)), steady(range(4, 10), other))) == [(0, 9), (4, 9)]


def test_two_detections_of_one_place_in_one_frame_count_once() -> None:
    again = steady(range(4, 14), PLACE.moved(5, 0), 1.4)
    (candidate,) = with_candidates(video(steady(range(10)), again), PARAMETERS).candidates
    assert [frame for frame, _ in candidate.boxes][:2] == [0, 1]
    assert (candidate.first, candidate.last) == (0, 13)
    assert candidate.log_odds > 1.2
    assert spans(video(steady(range(5, 6)), steady(range(5, 6), PLACE.moved(5, 0)))) == []


def test_of_too_many_the_likeliest_are_kept() -> None:
    many = [
        steady(range(10), Box(20 * number, 0, 20 * number + 10, 12), 1 + number / 100)
        for number in range(30)
    ]
    kept = with_candidates(video(*many), PARAMETERS).candidates
    assert len(kept) == PARAMETERS.candidates.most_a_minute
    assert min(one.log_odds for one in kept) > 1.09


def test_pieces_of_a_video_have_the_candidates_of_the_whole() -> None:
    whole = video(steady(range(10, 50, 2)))
    pieces = [between(whole, 0, 31), between(whole, 31, FRAMES)]
    assert spans(joined(pieces)) == spans(whole) == [(10, 48)]


def test_a_part_of_a_video_has_the_parts_of_its_candidates() -> None:
    whole = with_candidates(video(steady(range(10, 50, 2))), PARAMETERS)
    first, second = between(whole, 0, 31), between(whole, 31, FRAMES)
    (seen,) = whole.candidates
    (early,), (late,) = first.candidates, second.candidates
    assert early.boxes + tuple((frame + 31, box) for frame, box in late.boxes) == seen.boxes
    assert between(whole, 60, FRAMES).candidates == ()
